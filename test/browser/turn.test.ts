import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import type { Config } from "../../src/config/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { Coturn, Silence } from "../support/coturn.ts";
import { tone } from "../support/sound.ts";
import { toWav } from "../support/wav.ts";
import { openTestGateway, openTestSandbox, testPassword } from "../support/test-gateway.ts";
import { asSamples, heardByNumber, launchBrowser, level, until, type TestBrowser } from "./support/index.ts";
import { levelPlayed } from "./support/page-sound.ts";
import { freeTcpPort } from "../support/free-port.ts";

/** The shipped page in Chromium, its sound by a real coturn with the configuration of docker/coturn. */

const loud = 0.01;

let folder: string;
let sandbox: Sandbox;
let gateway: Gateway;
let browser: TestBrowser;
let coturn: Coturn;
let silence: Silence;
let page: Page;
let address: string;
/** Times that the page was told of TURN servers. */
let told = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "jackfield-turn-"));
  writeFileSync(join(folder, "tone.wav"), toWav(tone(1150, 4)));
  sandbox = await openTestSandbox();
  const httpPort = await freeTcpPort();
  address = `http://127.0.0.1:${httpPort}`;
  gateway = await openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    config: {
      http: { port: httpPort },
      websocket: { origins: [address] },
      agents: { newCallGraceSeconds: 3, callGraceSeconds: 5 },
    },
  });
  coturn = await Coturn.open();
  silence = await Silence.open();
  browser = await launchBrowser({ extraArgs: browserArgs() });
  await openPage(browser);
  await signIn();
});

afterAll(async () => {
  await browser.close();
  await gateway.close();
  await coturn.close();
  silence.close();
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

function browserArgs(): string[] {
  return [
    `--use-file-for-fake-audio-capture=${join(folder, "tone.wav")}`,
    // turns: with the test's own certificate.
    "--ignore-certificate-errors",
  ];
}

async function openPage({ context }: TestBrowser): Promise<void> {
  told = 0;
  page = await context.newPage();
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      if (payload.includes("Event: x-jackfield-turn")) told++;
    }),
  );
  await page.goto(address);
}

afterEach(async () => {
  for (const { uuid } of sandbox.calls()) sandbox.hangUp(uuid);
  await until(() => gateway.counts.calls === 0 && gateway.counts.mediaSessions === 0);
});

/** What the page is told of TURN servers from now on: by a configuration that is loaded anew. */
async function useTurn(urls: readonly string[], more: Partial<Config["turn"]> = {}): Promise<void> {
  const [before, config] = [told, gateway.live.current];
  const turn = { urls, secret: coturn.secret, policy: "relay" as const, lifetimeSeconds: 7200, ...more };
  gateway.live.replace({ ...config, turn });
  await until(() => told > before);
}

async function state(id: string, wanted: string): Promise<void> {
  const found = page.locator(`[data-testid="${id}"][data-state="${wanted}"]`);
  await found.waitFor({ state: "attached" });
}

async function signIn(): Promise<void> {
  await page.getByLabel("Your number (DN)").fill("5001");
  await page.getByLabel("Password").fill(testPassword("5001"));
  await page.keyboard.press("Enter");
  await state("app", "registered");
  await state("lamp-trunk", "in-service");
}

async function dial(): Promise<void> {
  await page.getByLabel("Number to call").fill("9197");
  await page.keyboard.press("Enter");
}

/** Calls the number that plays a tone; resolves with the call's UUID and how long it took until sound ran, ms. */
async function talking(): Promise<{ uuid: string; ms: number }> {
  const began = performance.now();
  await dial();
  await state("call", "talking");
  const { uuid } = await until(() => sandbox.calls().find((one) => one.state === "connected"));
  await expect.poll(connection, { interval: 20 }).toContain("sound connected");
  return { uuid, ms: Math.round(performance.now() - began) };
}

async function hangUp(): Promise<void> {
  await page.getByRole("button", { name: "Hang up", exact: true }).click();
  await state("call", "none");
}

async function expectSound(uuid: string): Promise<void> {
  sandbox.record(uuid);
  expect(await levelPlayed(page)).toBeGreaterThan(loud);
  const packets = () => sandbox.recording(uuid).filter(({ payloadType }) => payloadType < 96);
  // A second of it: what coturn counts is counted, too.
  await until(() => packets().length > 50);
  // Of a way found anew the first second may be the gap.
  const lastSecond = (): number => level(asSamples(heardByNumber(packets().slice(-50), "pcmu")));
  await expect.poll(lastSecond).toBeGreaterThan(loud);
}

/** The connection as the bar at the top tells it. */
async function connection(): Promise<string | null> {
  return await page.getByTestId("connection").textContent();
}

describe("a page that may only relay", () => {
  it.each(["udp", "tcp", "tls"] as const)("talks by TURN over %s, both ways", async (transport) => {
    // Before TLS two addresses that a firewall swallows: nobody waits for them.
    const urls = transport === "tls" ? [...silence.urls, coturn.url("tls")] : [coturn.url(transport)];
    await useTurn(urls);
    coturn.forgetLog();
    const { uuid, ms } = await talking();
    await expectSound(uuid);
    await expect.poll(connection).toContain(`through a TURN server, reached by ${transport.toUpperCase()}`);
    expect(ms).toBeLessThan(5000);
    await hangUp();
    // coturn's own count of the session that carried it: fifty packets of sound a second, each way.
    const usage = await until(() => coturn.usages().find(({ receivedPackets }) => receivedPackets > 40));
    expect(usage.username).toMatch(/^\d+:5001$/);
    expect(usage.sentPackets).toBeGreaterThan(40);
    console.log(`TURN over ${transport}: sound after ${ms} ms`);
  });

  it.each([
    ["of another secret", { secret: "another-secret-of-nobody" }],
    ["that have expired", { lifetimeSeconds: -60 }],
  ])("says what is wrong with credentials %s, and makes no call", async (_name, more) => {
    await useTurn([coturn.url("udp")], more);
    await dial();
    await expect
      .poll(async () => await page.getByRole("alert").textContent())
      .toMatch(/only go by the TURN server, which refused it \(40\d\)/);
    expect(sandbox.calls()).toEqual([]);
  });

  it("gives a call that it cannot answer back to SIP Server when no TURN server answers", async () => {
    await useTurn([`turn:127.0.0.1:${await freeTcpPort()}?transport=tcp`]);
    const uuid = await sandbox.ring("5001", "1003");
    await state("call", "ringing");
    await page.getByRole("button", { name: "Answer", exact: true }).click();
    await expect
      .poll(async () => await page.getByRole("alert").textContent())
      .toContain("the TURN server, which did not answer");
    await until(() => sandbox.calls().every((one) => one.uuid !== uuid));
  });
});

describe("a page that may go both ways", () => {
  it("goes straight to the gateway, as fast with dead TURN servers or wrong credentials as without any", async () => {
    const took: number[] = [];
    const dead = silence.urls;
    for (const urls of [[], dead, [coturn.url("tcp")]]) {
      await useTurn(urls, { policy: "all", secret: "another-secret-of-nobody" });
      const { uuid, ms } = await talking();
      took.push(ms);
      await expect.poll(connection).toContain("connected, directly by UDP");
      if (urls === dead) await expectSound(uuid);
      await hangUp();
    }
    const [without = 0, ...others] = took;
    for (const other of others) expect(other).toBeLessThan(without + 2000);
    console.log(`sound after ${took.join(", ")} ms: no TURN server, dead ones, one that refuses`);
  });
});

describe("coturn killed in a call", () => {
  it("and started anew: the page finds its way again by itself, with the newest credentials", async () => {
    await useTurn([coturn.url("tcp")]);
    const { uuid } = await talking();
    await coturn.stop();
    await expect.poll(connection).toContain("The sound of your call is interrupted");
    await useTurn([coturn.url("tcp")], { lifetimeSeconds: 86_400 });
    await coturn.start();
    await expect.poll(connection).toContain("sound connected");
    await expectSound(uuid);
    const [, expires] = /new, realm=<jackfield>, username=<(\d+):5001>/.exec(coturn.log) ?? [];
    expect(Number(expires) - Date.now() / 1000).toBeGreaterThan(86_000);
    await hangUp();
  });
});

describe("a browser that may send no UDP", () => {
  it("talks by TURN over TLS without being told more than others", async () => {
    const usual = page;
    const blocked = await launchBrowser({
      extraArgs: [...browserArgs(), "--webrtc-ip-handling-policy=disable_non_proxied_udp"],
    });
    try {
      await openPage(blocked);
      await signIn();
      await useTurn([coturn.url("udp"), coturn.url("tls")], { policy: "all" });
      const { uuid } = await talking();
      await expectSound(uuid);
      await expect.poll(connection).toContain("through a TURN server, reached by TLS");
    } finally {
      await blocked.close();
      page = usual;
    }
  });
});
