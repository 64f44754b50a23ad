import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, type TestContext } from "vitest";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { BrowserDouble, type DoubleCall } from "../support/browser-double.ts";
import { encodeOpus } from "../support/browser-media.ts";
import { browserSdp } from "../support/descriptions.ts";
import { voice } from "../support/sound.ts";
import { TestAgent, type TestCall } from "../support/test-agent.ts";
import { openTestSandbox } from "../support/test-gateway.ts";
import { until } from "./support/rtp-phone.ts";
import { StartedGateway } from "./support/started.ts";

const dnsOf = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => String(from + index));

/** A SIP Server, a gateway as a process of its own and agents: of one test, as the tests run side by side. */
class Site {
  readonly sandbox: Sandbox;
  readonly agents: { close(): void }[] = [];
  #gateway: StartedGateway | undefined;

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  static async open({ onTestFinished }: TestContext): Promise<Site> {
    const site = new Site(await openTestSandbox());
    onTestFinished(() => site.#close());
    return site;
  }

  get address(): string {
    return `127.0.0.1:${this.sandbox.port}`;
  }

  async start(drainSeconds: number): Promise<StartedGateway> {
    return this.run(
      await StartedGateway.start(this.address, {
        shutdown: { drainSeconds },
        records: { file: { path: "records.jsonl" } },
      }),
    );
  }

  /** Ends it with the test. */
  run(gateway: StartedGateway): StartedGateway {
    this.#gateway = gateway;
    return gateway;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#gateway?.httpPort}/ws`;
  }

  /** Call records in the file. */
  recorded(): number {
    const file = join(this.#gateway?.folder ?? "", "records.jsonl");
    return readFileSync(file, "utf8").trim().split("\n").length;
  }

  registered(): string[] {
    return this.sandbox.bindings().map(({ dn }) => dn);
  }

  /** Answers 503 to INVITEs that SIP Server got. */
  refusals(): string[] {
    return this.sandbox
      .trace()
      .map(({ text }) => text)
      .filter((text) => text.startsWith("SIP/2.0 503"));
  }

  /** Signalling alone: what a call weighs is not asked here. */
  async signIn(dn: string, url = this.url): Promise<TestAgent> {
    const agent = await TestAgent.signIn({ url, dn, allowEvents: "x-jackfield-trunk" });
    this.agents.push(agent);
    await agent.whenEvent("x-jackfield-trunk", '"in-service"');
    return agent;
  }

  async signInWithSound(dn: string): Promise<BrowserDouble> {
    const browser = await BrowserDouble.signIn({ url: this.url, dn, allowEvents: "x-jackfield-trunk" });
    this.agents.push(browser.agent);
    await browser.trunkState("in-service");
    return browser;
  }

  async #close(): Promise<void> {
    for (const agent of this.agents) agent.close();
    await this.#gateway?.end();
    await this.sandbox.close();
  }
}

async function dial(agent: TestAgent): Promise<TestCall> {
  const call = agent.call("9196", browserSdp());
  await Promise.race([
    call.when("answered"),
    call.when("failed").then((why) => Promise.reject(new Error(why))),
  ]);
  return call;
}

/** Says something until `over`; resolves with when sound came back last. */
async function talksUntil(call: DoubleCall, frames: readonly Buffer[], over: number): Promise<number> {
  let [heard, last, sent] = [call.media.received.length, 0, 0];
  for (let now = performance.now(); now < over; now = performance.now()) {
    call.media.sendFrame(frames[sent++ % frames.length] ?? Buffer.alloc(0));
    if (call.media.received.length > heard) last = now;
    heard = call.media.received.length;
    await sleep(20);
  }
  return last;
}

async function allClosed(some: readonly TestAgent[]): Promise<void> {
  for (const { flow } of some) await flow?.closed;
}

describe.concurrent("SIGTERM with 50 calls up", () => {
  it("cuts none before the deadline, lets the rest go, and ends those that are left with BYE", async (test) => {
    const seconds = 8;
    const site = await Site.open(test);
    const { sandbox } = site;
    const gateway = await site.start(seconds);
    const frames = await encodeOpus(voice(1));
    const talking = await Promise.all(dnsOf(5001, 48).map((dn) => site.signIn(dn)));
    const sounding = await Promise.all(dnsOf(5049, 2).map((dn) => site.signInWithSound(dn)));
    const idle = await Promise.all(dnsOf(5060, 5).map((dn) => site.signIn(dn)));
    const calls = await Promise.all(talking.map(dial));
    const withSound = await Promise.all(sounding.map((browser) => browser.dial("9196")));
    await Promise.all(withSound.map(({ connected }) => connected));
    expect(sandbox.calls()).toHaveLength(50);
    // Whether SIP Server had forgotten the DN when the page was told to move.
    const early: string[] = [];
    for (const { dn, flow } of [...talking, ...idle])
      void flow?.closed.then(() => site.registered().includes(dn) && early.push(dn));

    const began = performance.now();
    const passed = (): number => performance.now() - began;
    gateway.signal("SIGTERM");
    await allClosed(idle);
    expect(idle.map(({ flow }) => flow?.closeCode)).toEqual(idle.map(() => 1012));
    expect(site.registered()).toHaveLength(50);
    expect(await gateway.get("/health/ready")).toEqual({ status: 503, body: { status: "draining" } });

    // New calls of both sides, and new sign-ins.
    const [first] = talking;
    expect(await first?.call("9204", browserSdp()).when("failed")).toContain("503 Being Drained");
    await sandbox.ring("5002", "1003");
    await until("refusal to SIP Server", () => site.refusals().some((text) => /Retry-After: \d+/.test(text)));
    await expect(site.signIn("5070")).rejects.toThrow("503");

    // Who hangs up is let go.
    for (const call of calls.slice(0, 10)) call.hangUp();
    await allClosed(talking.slice(0, 10));
    expect(site.registered().sort()).toEqual(dnsOf(5011, 40));
    expect(early).toEqual([]);

    // The others talk on, until the deadline: no call ends before it, for the agent or for SIP Server.
    const open = [...calls.slice(10), ...withSound.map(({ signalling }) => signalling)];
    expect(open.filter(({ told }) => told.includes("ended"))).toEqual([]);
    expect(sandbox.calls().filter(({ state }) => state === "connected")).toHaveLength(40);
    const cuts: number[] = [];
    sandbox.events.on("ended", () => cuts.push(passed()));
    for (const call of open) void call.when("ended").then(() => cuts.push(passed()));
    const almost = began + seconds * 1000 - 400;
    const lastHeard = await Promise.all(withSound.map((call) => talksUntil(call, frames, almost)));
    for (const last of lastHeard) expect(last).toBeGreaterThan(almost - 500);
    const reasons = await Promise.all(open.map((call) => call.when("ended")));
    await until("ends at SIP Server", () => cuts.length === 80);
    expect(Math.min(...cuts)).toBeGreaterThanOrEqual(seconds * 1000 - 50);
    expect(new Set(reasons)).toEqual(new Set([expect.stringContaining("time for running calls is over")]));
    expect(await gateway.exited()).toBe(0);
    expect(site.recorded()).toBe(50);
    expect(sandbox.calls()).toEqual([]);
    expect(site.registered()).toEqual([]);
  });
});

describe.concurrent("SIGTERM", () => {
  it("ends an idle gateway at once, its DNs un-registered and its pages told to connect again", async (test) => {
    const site = await Site.open(test);
    const gateway = await site.start(300);
    const idle = await Promise.all(dnsOf(5001, 3).map((dn) => site.signIn(dn)));
    const began = performance.now();
    gateway.signal("SIGTERM");
    expect(await gateway.exited()).toBe(0);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(site.registered()).toEqual([]);
    expect(idle.map(({ flow }) => flow?.closeCode)).toEqual([1012, 1012, 1012]);
  });

  it("while it starts stops it once it is up, with 0; SIGHUP meanwhile is a reload and no end", async (test) => {
    const site = await Site.open(test);
    const gateway = site.run(StartedGateway.begin(site.address));
    // A warning about the configuration: the rooms are not open yet.
    await gateway.line("configuration");
    gateway.signal("SIGHUP");
    gateway.signal("SIGTERM");
    expect(await gateway.exited()).toBe(0);
    expect(gateway.lines.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(["gateway is up", "configuration reloaded", "draining, then closing"]),
    );
  });

  it("a second time ends the calls by BYE and the process within 3 s, with 0", async (test) => {
    const site = await Site.open(test);
    const gateway = await site.start(300);
    const agent = await site.signIn("5001");
    const call = await dial(agent);
    gateway.signal("SIGTERM");
    await gateway.line("draining, then closing");
    expect(call.told).not.toContain("ended");
    const began = performance.now();
    gateway.signal("SIGTERM");
    expect(await call.when("ended")).toContain("gateway is shutting down");
    expect(await gateway.exited()).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect([site.recorded(), site.registered(), site.sandbox.calls()]).toEqual([1, [], []]);
  });

  it("leaves a DN alone whose page has come to another gateway meanwhile", async (test) => {
    const site = await Site.open(test);
    const gateway = await site.start(300);
    const agent = await site.signIn("5001");
    const call = await dial(agent);
    gateway.signal("SIGTERM");
    await gateway.line("draining, then closing");
    const other = await StartedGateway.start(site.address, {
      media: { rtpPorts: [24_400, 24_499] },
    });
    try {
      // The page's connection breaks, and the next one leads to the new gateway.
      agent.flow?.cut();
      await until("loss noticed", () => gateway.count("flow lost, grace runs") === 1);
      await site.signIn("5001", `ws://127.0.0.1:${other.httpPort}/ws`);
      for (const { uuid } of site.sandbox.calls()) site.sandbox.hangUp(uuid);
      expect(await gateway.exited()).toBe(0);
      expect(site.sandbox.bindings().map(({ dn, contact }) => [dn, contact])).toEqual([
        ["5001", expect.stringContaining(`:${other.sipPort}`)],
      ]);
      expect(call.told).not.toContain("failed");
    } finally {
      await other.end();
    }
  });
});
