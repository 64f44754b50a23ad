import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CallRecord } from "../../src/b2bua/index.ts";
import type { Gateway } from "../../src/cli/index.ts";
import type { RecordedPacket, Sandbox } from "../../src/sandbox/index.ts";
import { fromCodes, tone } from "../support/sound.ts";
import { toWav } from "../support/wav.ts";
import { openTestGateway, openTestSandbox, testPassword } from "../support/test-gateway.ts";
import { asSamples, launchBrowser, level, until, type TestBrowser } from "./support/index.ts";
import { levelPlayed } from "./support/page-sound.ts";
import { UdpPath } from "./support/udp-path.ts";
import { freeTcpPort, freeUdpPort } from "../support/free-port.ts";

/** The shipped page in Chromium: its calls outlive reloads, lost sockets and changed networks. */

const loud = 0.01;

let folder: string;
let sandbox: Sandbox;
let gateway: Gateway;
let browser: TestBrowser;
let path: UdpPath;
let page: Page;
let address: string;
const records: CallRecord[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "jackfield-resume-"));
  const microphone = join(folder, "tone.wav");
  writeFileSync(microphone, toWav(tone(1150, 4)));
  sandbox = await openTestSandbox();
  const [httpPort, mediaPort] = [await freeTcpPort(), await freeUdpPort()];
  address = `http://127.0.0.1:${httpPort}`;
  gateway = await openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    config: {
      http: { port: httpPort },
      websocket: { origins: [address] },
      agents: { newCallGraceSeconds: 3, callGraceSeconds: 5 },
      media: { browserPort: mediaPort },
    },
  });
  gateway.onCallRecord((record) => records.push(record));
  path = await UdpPath.open(mediaPort);
  browser = await launchBrowser({ extraArgs: [`--use-file-for-fake-audio-capture=${microphone}`] });
  await browser.context.addInitScript(takeThePath, path.port);
});

/** Runs in the page: its media goes by `port`, and its latest WebSocket can be cut from outside. */
function takeThePath(port: number): void {
  const real = Reflect.get(RTCPeerConnection.prototype, "setRemoteDescription");
  RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
    const sdp = description.sdp?.replaceAll(/ \d+ typ host/g, ` ${port} typ host`);
    await Reflect.apply(real, this, [{ type: description.type, sdp }]);
  };
  window.WebSocket = class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      Reflect.set(window, "latestSocket", this);
    }
  };
}

afterAll(async () => {
  await browser.close();
  path.close();
  await gateway.close();
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  records.length = 0;
  page = await browser.open(address);
});

afterEach(async () => {
  for (const { uuid } of sandbox.calls()) sandbox.hangUp(uuid);
  for (const one of browser.context.pages()) await one.close();
  await until(() => gateway.counts.calls === 0 && gateway.counts.mediaSessions === 0);
  await until(() => gateway.counts.connections === 0);
});

function button(name: string): ReturnType<Page["getByRole"]> {
  return page.getByRole("button", { name, exact: true });
}

async function state(id: string, wanted: string, on = page): Promise<void> {
  const found = on.locator(`[data-testid="${id}"][data-state="${wanted}"]`);
  await found.waitFor({ state: "attached" });
}

async function signIn(on = page): Promise<void> {
  await on.getByLabel("Your number (DN)").fill("5001");
  await on.getByLabel("Password").fill(testPassword("5001"));
  await on.keyboard.press("Enter");
  await state("app", "registered", on);
  await state("lamp-trunk", "in-service", on);
}

/** Calls the number that plays a tone; resolves with the call's UUID. */
async function talking(): Promise<string> {
  await signIn();
  await page.getByLabel("Number to call").fill("9197");
  await page.keyboard.press("Enter");
  await state("call", "talking");
  const { uuid } = await until(() => sandbox.calls().find((one) => one.state === "connected"));
  expect(await levelPlayed(page)).toBeGreaterThan(loud);
  return uuid;
}

/** SIP messages of calls that the sandbox got or sent since `from`. */
function toldSipServer(from: number): string[] {
  return sandbox
    .trace()
    .slice(from)
    .map(({ text }) => text.split("\r\n", 1)[0] ?? "")
    .filter((line) => /^(INVITE|UPDATE|BYE|ACK|CANCEL|NOTIFY|REFER)/.test(line));
}

const sounds = ({ payload }: RecordedPacket): boolean =>
  payload.some((code) => code !== 0xff && code !== 0x7f);

/** Of what the far number got: the longest stretch without the agent's sound, ms, and whether its line has no gap. */
function heardThere(uuid: string): { missingMs: number; whole: boolean; level: number } {
  const packets = sandbox.recording(uuid).filter(({ payloadType }) => payloadType < 96);
  let missing = 0;
  let longest = 0;
  let whole = true;
  packets.forEach((packet, index) => {
    const before = packets[index - 1];
    if (before) {
      whole &&= packet.ssrc === before.ssrc;
      whole &&= packet.sequence === ((before.sequence + 1) & 0xffff);
      whole &&= (packet.timestamp - before.timestamp) >>> 0 >= 160;
      missing = sounds(packet) ? 0 : missing + packet.at - before.at;
    }
    longest = Math.max(longest, missing);
  });
  const last = packets.slice(-25).map(({ payload }) => payload);
  return {
    missingMs: Math.round(longest),
    whole,
    level: level(asSamples(fromCodes(Buffer.concat(last), "pcmu"))),
  };
}

async function timerSeconds(): Promise<number> {
  const [minutes = 0, seconds = 0] = ((await page.getByTestId("call-timer").textContent()) ?? "")
    .split(":")
    .map(Number);
  return 60 * minutes + seconds;
}

/** Written to the test's output, for the documents. */
function report(what: string, missingMs: number): void {
  console.log(`${what}: the far end was without the agent's sound for ${missingMs} ms`);
}

describe("the page reloaded in a call", () => {
  it("comes back to it by itself with sound; SIP Server sees nothing but the agent's silence meanwhile", async () => {
    const uuid = await talking();
    await expect.poll(timerSeconds).toBeGreaterThanOrEqual(2);
    const before = sandbox.trace().length;
    sandbox.record(uuid);
    await wait(300);
    const started = performance.now();
    await page.reload();
    await state("call", "talking");
    const backMs = Math.round(performance.now() - started);
    await until(() => heardThere(uuid).level > loud && heardThere(uuid).missingMs > 0);
    const heard = heardThere(uuid);
    expect(heard.level).toBeGreaterThan(loud);
    expect(heard.whole).toBe(true);
    expect(heard.missingMs).toBeLessThan(5000);
    expect(await levelPlayed(page)).toBeGreaterThan(loud);
    expect(await timerSeconds()).toBeGreaterThanOrEqual(2);
    expect(await page.getByTestId("call-peer").textContent()).toBe("9197");
    expect(toldSipServer(before)).toEqual([]);
    expect(gateway.counts).toMatchObject({ calls: 1, mediaSessions: 1, signedIn: 1 });
    report(`reload (page back after ${backMs} ms)`, heard.missingMs);
    // And it is the page's own again: once more, held, and hung up.
    await page.reload();
    await state("call", "talking");
    await button("Hang up").click();
    await until(() => records.length === 1);
    expect(records[0]).toMatchObject({ endedBy: "agent", status: 200 });
    const kept = await page.evaluate(() => Object.keys(sessionStorage));
    expect(kept.toSorted()).toEqual(["jackfield.history", "jackfield.instance", "jackfield.sign-in"]);
  });

  it("comes back held when it was held, and retrieves", async () => {
    const uuid = await talking();
    await button("Hold").click();
    await until(() => sandbox.calls()[0]?.parties.some(({ holding }) => holding));
    const before = sandbox.trace().length;
    await page.reload();
    await state("call", "talking");
    await expect.poll(async () => await page.getByTestId("call-phase").textContent()).toBe("On hold");
    await wait(500);
    expect(toldSipServer(before)).toEqual([]);
    await button("Retrieve").click();
    await until(() => sandbox.calls()[0]?.parties.every(({ holding }) => !holding));
    sandbox.record(uuid);
    await until(() => heardThere(uuid).level > loud);
  });

  it("is rung anew while it rings, comes back once it talks, and is held and retrieved by SIP Server", async () => {
    await signIn();
    const uuid = await sandbox.ring("5001", "1003");
    await state("call", "ringing");
    await page.reload();
    await state("call", "ringing");
    expect(await sandbox.answer(uuid)).toBe(200);
    await state("call", "talking");
    await until(() => sandbox.calls()[0]?.state === "connected");
    await page.reload();
    await state("call", "talking");
    expect(await page.getByTestId("call-peer").textContent()).toBe("1003");
    expect(await sandbox.hold(uuid)).toBe(200);
    await until(() => sandbox.calls()[0]?.parties.some(({ holding }) => holding));
    expect(await sandbox.retrieve(uuid)).toBe(200);
    sandbox.record(uuid);
    await until(() => heardThere(uuid).level > loud);
    sandbox.hangUp(uuid);
    await state("call", "none");
  });

  it("with one call on hold beside another comes back to both as they were", async () => {
    const first = await talking();
    const second = await sandbox.ring("5001", "1003", { talkAfterMs: 200 });
    await until(() => gateway.counts.calls === 2);
    const held = (): string[] =>
      sandbox
        .calls()
        .filter(({ parties }) => parties.some(({ holding }) => holding))
        .map(({ uuid }) => uuid);
    await until(() => sandbox.calls().every((one) => one.state === "connected") && held().length === 1);
    expect(held()).toEqual([first]);
    await wait(500);
    const before = sandbox.trace().length;
    await page.reload();
    await state("call", "talking");
    await until(() => gateway.counts.calls === 2);
    expect(await page.getByTestId("call-peer").textContent()).toBe("1003");
    sandbox.record(second);
    await until(() => heardThere(second).level > loud);
    expect(toldSipServer(before)).toEqual([]);
    expect(held()).toEqual([first]);
    expect(gateway.counts.calls).toBe(2);
  });

  it("and closed for good ends the call after the grace time, with a reason", async () => {
    await talking();
    const ended = new Promise<string>((resolve) =>
      sandbox.events.on("ended", (_call, reason) => resolve(reason)),
    );
    const started = performance.now();
    await page.close();
    await until(() => records.length === 1);
    expect(performance.now() - started).toBeGreaterThan(4000);
    expect(records[0]).toMatchObject({
      reason: expect.stringMatching(/connection lost|closed its media/),
      endedBy: "jackfield",
    });
    await ended;
    const bye = sandbox.trace().findLast(({ text }) => text.startsWith("BYE "));
    expect(bye?.text).toMatch(/^Reason: SIP;cause=\d+;text="[^"]+/m);
  });
});

describe("a duplicated tab", () => {
  it("gets an instance of its own and neither the call nor the sign-in; the first one's call goes on", async () => {
    const uuid = await talking();
    const copy = await page.evaluate(() => Object.entries(sessionStorage));
    expect(copy.map(([key]) => key)).toContain("jackfield.calls");
    const second = await browser.context.newPage();
    await second.addInitScript((entries) => {
      for (const [key, value] of entries) sessionStorage.setItem(key, value);
    }, copy);
    await second.goto(address);
    await state("app", "signed-out", second);
    const kept = async (one: Page): Promise<string | null> =>
      await one.evaluate(() => sessionStorage.getItem("jackfield.instance"));
    await expect.poll(async () => await kept(second)).not.toBe(await kept(page));
    expect(await second.evaluate(() => sessionStorage.getItem("jackfield.calls"))).toBeNull();
    // Signed in with the same number it takes the calls to come, not the one that runs.
    await signIn(second);
    await wait(500);
    expect(await second.getByTestId("call").getAttribute("data-state")).toBe("none");
    sandbox.record(uuid);
    await until(() => heardThere(uuid).level > loud);
    expect(await levelPlayed(page)).toBeGreaterThan(loud);
    expect(gateway.counts.calls).toBe(1);
  });
});

describe("the network between page and gateway", () => {
  it("lost for the socket alone: nothing is missed, and the page is back by itself", async () => {
    const uuid = await talking();
    const before = sandbox.trace().length;
    sandbox.record(uuid);
    await wait(300);
    await page.evaluate(() => {
      const socket: unknown = Reflect.get(window, "latestSocket");
      if (socket instanceof WebSocket) socket.close();
    });
    await state("lamp-socket", "lost");
    await state("app", "registered");
    await wait(500);
    const heard = heardThere(uuid);
    expect(heard.whole).toBe(true);
    expect(heard.missingMs).toBeLessThan(250);
    expect(toldSipServer(before)).toEqual([]);
    report("socket lost", heard.missingMs);
    await button("Hold").click();
    await until(() => sandbox.calls()[0]?.parties.some(({ holding }) => holding));
  });

  it("changed to another: the page renews its path, and SIP Server sees nothing of it", async () => {
    const uuid = await talking();
    const before = sandbox.trace().length;
    sandbox.record(uuid);
    await wait(300);
    path.cut();
    await until(() => heardThere(uuid).missingMs > 1000);
    await expect.poll(() => heardThere(uuid).level, { timeout: 25_000 }).toBeGreaterThan(loud);
    const heard = heardThere(uuid);
    expect(heard.whole).toBe(true);
    await expect.poll(async () => await levelPlayed(page, 1000)).toBeGreaterThan(loud);
    expect(toldSipServer(before)).toEqual([]);
    await state("call", "talking");
    report("network changed", heard.missingMs);
  });

  it("mapped to another port (NAT): sound goes on with the next check, and nobody is told", async () => {
    const uuid = await talking();
    const before = sandbox.trace().length;
    sandbox.record(uuid);
    await wait(300);
    path.rebind();
    await wait(1000);
    await until(() => heardThere(uuid).level > loud);
    const heard = heardThere(uuid);
    expect(heard.level).toBeGreaterThan(loud);
    expect(heard.whole).toBe(true);
    expect(heard.missingMs).toBeLessThan(3000);
    expect(await levelPlayed(page)).toBeGreaterThan(loud);
    expect(toldSipServer(before)).toEqual([]);
    report("NAT rebinding", heard.missingMs);
  });
});
