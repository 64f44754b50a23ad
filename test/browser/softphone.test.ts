import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CallRecord } from "../../src/b2bua/index.ts";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { voice } from "../support/sound.ts";
import { toWav } from "../support/wav.ts";
import { openTestGateway, openTestSandbox, testPassword } from "../support/test-gateway.ts";
import { asSamples, heardByNumber, launchBrowser, level, until, type TestBrowser } from "./support/index.ts";
import { levelPlayed } from "./support/page-sound.ts";
import { freeTcpPort } from "../support/free-port.ts";

/** The shipped page from the gateway itself, a SIP Server behind it, a person's clicks and voice before it. */

const root = join(import.meta.dirname, "..", "..");
const images = join(root, "docs", "images");
/** Screenshots for the documents are written only when asked for. */
const wantsScreenshots = process.env["JACKFIELD_SCREENSHOTS"] === "1";

let folder: string;
let sandbox: Sandbox;
let gateway: Gateway;
let browser: TestBrowser;
let page: Page;
let httpPort: number;
let before = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "jackfield-softphone-"));
  const microphone = join(folder, "voice.wav");
  writeFileSync(microphone, toWav(voice(4)));
  sandbox = await openTestSandbox();
  httpPort = await freeTcpPort();
  gateway = await open();
  browser = await launchBrowser({ extraArgs: [`--use-file-for-fake-audio-capture=${microphone}`] });
});

afterAll(async () => {
  await browser.close();
  await gateway.close();
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The test before has left its page signed in and without a call: opening one anew takes a second. */
let reusable = false;

beforeEach(() => void (before = browser.errors.length));

afterEach(async ({ task }) => {
  for (const { uuid } of sandbox.calls()) sandbox.hangUp(uuid);
  await until(() => gateway.counts.calls === 0);
  reusable = task.result?.state !== "fail" && (await isIdle());
  if (!reusable) await close();
});

async function isIdle(): Promise<boolean> {
  if (await page.getByRole("alert").isVisible()) return false;
  const states = await page.evaluate(() =>
    ["app", "call"].map((id) => document.querySelector(`[data-testid="${id}"]`)?.getAttribute("data-state")),
  );
  return states.join() === "registered,none" && (await page.getByLabel("Number to call").isVisible());
}

async function close(): Promise<void> {
  reusable = false;
  await page.close();
  await until(() => gateway.counts.connections === 0);
}

async function openPage(): Promise<void> {
  if (reusable) await close();
  page = await browser.open(`http://127.0.0.1:${httpPort}/`);
  await page.setViewportSize({ width: 1280, height: 800 });
}

/** The page's origin must be known before the gateway is. */
function open(): Promise<Gateway> {
  return openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    config: {
      http: { port: httpPort },
      websocket: { origins: [`http://127.0.0.1:${httpPort}`] },
      agents: { newCallGraceSeconds: 1, callGraceSeconds: 3 },
    },
  });
}

function button(name: string): ReturnType<Page["getByRole"]> {
  return page.getByRole("button", { name, exact: true });
}

async function state(id: string, wanted: string): Promise<void> {
  const found = page.locator(`[data-testid="${id}"][data-state="${wanted}"]`);
  await found.waitFor({ state: "attached" });
}

async function type(password = testPassword("5001")): Promise<void> {
  await page.getByLabel("Your number (DN)").fill("5001");
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
}

/** On the page of the test before, where that left it so. */
async function signedIn(): Promise<void> {
  if (reusable) return;
  await openPage();
  await signIn();
}

async function signIn(): Promise<void> {
  await type();
  await state("app", "registered");
  await state("lamp-trunk", "in-service");
}

/** Types a number, calls it and waits until it has answered; resolves with the call's UUID. */
async function call(number: string): Promise<string> {
  await page.getByLabel("Number to call").fill(number);
  await page.keyboard.press("Enter");
  await state("call", "talking");
  return (await until(() => sandbox.calls().find((one) => one.state === "connected"))).uuid;
}

/** Level of what the far number hears in a second, or until it hears something, after what was on its way. */
async function levelThere(uuid: string): Promise<number> {
  await wait(200);
  sandbox.record(uuid);
  for (;;) {
    await wait(100);
    const packets = sandbox.recording(uuid).filter(({ payloadType }) => payloadType < 96);
    const heard = level(asSamples(heardByNumber(packets, "pcmu")));
    if (packets.length >= 50 || (packets.length >= 10 && heard > 2 * loud)) return heard;
  }
}

const parties = (number: string): string[] | undefined =>
  sandbox
    .calls()
    .find((one) => one.parties.some(({ name }) => name === number))
    ?.parties.map(({ name }) => name);

function far(uuid: string) {
  const call_ = sandbox.calls().find((one) => one.uuid === uuid);
  return call_?.parties.find(({ kind }) => kind === "number")?.media;
}

async function screenshot(name: string): Promise<void> {
  if (!wantsScreenshots) return;
  mkdirSync(images, { recursive: true });
  await page.screenshot({ path: join(images, `${name}.png`) });
}

const quiet = 0.001;
const loud = 0.01;

describe("how a call sounds", () => {
  it("is shown while it runs, round trip measured by RTCP, and written down when it is over", async () => {
    const records: CallRecord[] = [];
    const forget = gateway.onCallRecord((record) => records.push(record));
    await signedIn();
    await call("9196");
    const shown = async (): Promise<string | null> => await page.getByTestId("call-quality").textContent();
    await expect.poll(shown).toMatch(/^Quality [34]\.\d \(round trip \d+ ms, loss [\d.]+ %\)$/);
    await button("Hang up").click();
    await until(() => records.length > 0);
    forget();
    const quality = records[0]?.quality;
    for (const way of [quality?.fromBrowser, quality?.toBrowser, quality?.fromTrunk]) {
      expect(way?.mosMean).toBeGreaterThan(3);
      expect(way?.mosWorst).toBeLessThanOrEqual(way?.mosMean ?? 0);
    }
    expect(quality?.fromBrowser?.roundTripMsMean).toBeLessThan(500);
  });
});

describe("the softphone page", () => {
  it("signs in by what is typed, and shows that all is well", async () => {
    await openPage();
    await screenshot("softphone-sign-in");
    await signIn();
    await state("lamp-socket", "connected");
    await state("lamp-here", "registered");
    expect(await page.getByTestId("who").textContent()).toBe("5001");
    expect(await page.getByTestId("lamp-trunk").textContent()).toContain("in service");
    expect(sandbox.bindings().map(({ dn }) => dn)).toEqual(["5001"]);
    await screenshot("softphone-signed-in");
    await page.setViewportSize({ width: 300, height: 500 });
    await screenshot("softphone-small");
    expect(browser.errors.slice(before)).toEqual([]);
  });

  it("says that number or password is wrong", async () => {
    await openPage();
    await type("wrong");
    await expect
      .poll(async () => await page.getByRole("alert").textContent())
      .toContain("Wrong number or password");
    await state("app", "signed-out");
    await screenshot("softphone-wrong-password");
    // And takes the right one right after.
    await signIn();
    expect(await page.getByRole("alert").isVisible()).toBe(false);
  });

  it("takes the calls from a page that was signed in with the same number before", async () => {
    await signedIn();
    const [earlier, later] = [page, await browser.open(`http://127.0.0.1:${httpPort}/`)];
    try {
      page = later;
      await signIn();
      await sandbox.ring("5001", "1003");
      await state("call", "ringing");
      expect(await earlier.getByTestId("call").getAttribute("data-state")).toBe("none");
    } finally {
      await earlier.close();
    }
    // The earlier page's end takes nothing away from the later one.
    await until(() => gateway.counts.connections === 1);
    await wait(1100);
    await button("Answer").click();
    await state("call", "talking");
    expect(sandbox.bindings().map(({ dn }) => dn)).toEqual(["5001"]);
  });

  it("calls the echo with a voice, mutes, holds, sends digits, hangs up", async () => {
    await signedIn();
    const uuid = await call("9196");
    expect(await levelThere(uuid)).toBeGreaterThan(loud);
    expect(await levelPlayed(page)).toBeGreaterThan(loud);
    await screenshot("softphone-in-call");

    await button("Mute").click();
    expect(await levelThere(uuid)).toBeLessThan(quiet);
    await button("Unmute").click();
    expect(await levelThere(uuid)).toBeGreaterThan(loud);

    await button("Keypad").click();
    for (const key of ["1", "5", "hash"]) await button(key).click();
    await page.keyboard.press("9");
    await until(() => far(uuid)?.digits === "15#9");
    expect(await page.getByTestId("sent").textContent()).toBe("Sent: 15#9");
    await screenshot("softphone-keypad");

    await button("Hold").click();
    await until(() => sandbox.calls()[0]?.parties.some(({ holding }) => holding));
    expect(await page.getByTestId("call-phase").textContent()).toBe("On hold");
    await button("Retrieve").click();
    await until(() => sandbox.calls()[0]?.parties.every(({ holding }) => !holding));
    expect(await levelThere(uuid)).toBeGreaterThan(loud);

    await button("Hang up").click();
    await state("call", "none");
    await until(() => sandbox.calls().length === 0);
    expect(await page.getByRole("alert").isVisible()).toBe(false);
    expect(browser.errors.slice(before)).toEqual([]);
  });

  it("goes over to another microphone, and to its sound as it is, in a call that goes on, muted if it was", async () => {
    await signedIn();
    const uuid = await call("9196");
    await page.evaluate(() => {
      const { replaceTrack } = RTCRtpSender.prototype;
      RTCRtpSender.prototype.replaceTrack = async function (track) {
        document.documentElement.dataset["sent"] = JSON.stringify(track?.getSettings());
        await Reflect.apply(replaceTrack, this, [track]);
      };
    });
    await page.getByTestId("settings").click();
    await page.getByTestId("choose-microphone").selectOption({ label: "Fake Audio Input 2" });
    await page.getByLabel("Suppress noise").uncheck();
    const settings = async (): Promise<unknown> =>
      JSON.parse((await page.locator("html").getAttribute("data-sent")) ?? "{}");
    const wanted = { noiseSuppression: false, echoCancellation: true, autoGainControl: true };
    await expect.poll(settings).toMatchObject(wanted);
    expect(await levelThere(uuid)).toBeGreaterThan(loud);
    await page.getByTestId("mute").click();
    await page.getByTestId("choose-microphone").selectOption({ label: "Fake Audio Input 1" });
    expect(await levelThere(uuid)).toBeLessThan(quiet);
    await page.getByTestId("mute").click();
    expect(await levelThere(uuid)).toBeGreaterThan(loud);
    expect(browser.errors.slice(before)).toEqual([]);
  });

  it("says in words why a number could not be called", async () => {
    await signedIn();
    for (const [number, words] of [
      ["9198", "Busy."],
      ["9200", "The call was declined."],
      ["4444", "There is no such number."],
      ["5090", "Not available"],
    ] as const) {
      await page.getByLabel("Number to call").fill(number);
      await page.keyboard.press("Enter");
      await expect.poll(async () => await page.getByRole("alert").textContent()).toContain(words);
      await state("call", "none");
    }
  });

  it("rings, and is answered from SIP Server by NOTIFY talk", async () => {
    await signedIn();
    const uuid = await sandbox.ring("5001", "1003");
    await state("call", "ringing");
    expect(await page.getByTestId("call-peer").textContent()).toBe("1003");
    await screenshot("softphone-ringing");
    expect(await sandbox.answer(uuid)).toBe(200);
    await state("call", "talking");
    await until(() => sandbox.calls()[0]?.state === "connected");
    expect(await levelThere(uuid)).toBeGreaterThan(loud);
    // Held and retrieved from SIP Server (WWE's buttons) as well.
    expect(await sandbox.hold(uuid)).toBe(200);
    await until(() => sandbox.calls()[0]?.parties.some(({ holding }) => holding));
    expect(await sandbox.retrieve(uuid)).toBe(200);
    await until(() => sandbox.calls()[0]?.parties.every(({ holding }) => !holding));
    expect(await levelThere(uuid)).toBeGreaterThan(loud);
    sandbox.hangUp(uuid);
    await state("call", "none");
  });

  it("has two calls: SIP Server answers and retrieves, the page shows and hears the one, the other is held", async () => {
    await signedIn();
    const first = await call("9197");
    const second = await sandbox.ring("5001", "1003", { talkAfterMs: 200, sound: { kind: "silence" } });
    const peer = async (): Promise<string | null> => await page.getByTestId("call-peer").textContent();
    const holding = (uuid: string): boolean | undefined =>
      sandbox
        .calls()
        .find((one) => one.uuid === uuid)
        ?.parties.find(({ name }) => name === "5001")?.holding;
    await expect.poll(peer).toBe("1003");
    await until(() => holding(first));
    await until(() => sandbox.calls().find((one) => one.uuid === second)?.state === "connected");
    const others = async (): Promise<string | null> => await page.getByTestId("other-calls").textContent();
    await expect.poll(others).toContain("9197: On hold");
    expect(await levelThere(second)).toBeGreaterThan(loud);
    expect(await levelPlayed(page, 1000)).toBeLessThan(quiet);
    expect(await sandbox.retrieve(first, "5001")).toBe(200);
    await expect.poll(peer).toBe("9197");
    await until(() => holding(second) === true && holding(first) === false);
    await expect.poll(async () => await levelPlayed(page, 1000)).toBeGreaterThan(loud);
    sandbox.hangUp(first);
    await expect.poll(peer).toBe("1003");
    expect(await page.getByTestId("call-phase").textContent()).toBe("On hold");
    await button("Retrieve").click();
    await until(() => holding(second) === false);
    expect(await levelThere(second)).toBeGreaterThan(loud);
    expect(browser.errors.slice(before)).toEqual([]);
  });

  it("consults: the held call waits, the consult call is SIP Server's, two BYEs complete the transfer", async () => {
    await signedIn();
    const first = await call("9197");
    expect(await sandbox.hold(first, "5001")).toBe(200);
    const second = await sandbox.makeCall("5001", "9196");
    const peer = async (): Promise<string | null> => await page.getByTestId("call-peer").textContent();
    await expect.poll(peer).toBe("9196");
    await until(() => sandbox.calls().find((one) => one.uuid === second)?.state === "connected");
    expect(await levelThere(second)).toBeGreaterThan(loud);
    expect(await page.getByTestId("other-calls").textContent()).toContain("9197: On hold");
    const data = async (): Promise<string> => (await page.getByTestId("call-data").textContent()) ?? "";
    expect(await data()).toContain(second);
    expect(await sandbox.retarget(second, { offerless: true, newCallUuid: true })).toBe(true);
    await expect.poll(data).not.toContain(second);
    expect(await levelThere(second)).toBeGreaterThan(loud);
    for (const uuid of [first, second]) sandbox.hangUp(uuid);
    await state("call", "none");
    await until(() => sandbox.calls().length === 0);
    expect(browser.errors.slice(before)).toEqual([]);
  });

  it("transfers blind: what is refused leaves the call, what is taken ends it", async () => {
    await signedIn();
    const uuid = await sandbox.ring("5001", "1003");
    await state("call", "ringing");
    await button("Answer").click();
    await state("call", "talking");
    await button("Hold").click();
    await until(() => sandbox.calls()[0]?.parties.some(({ holding }) => holding));
    const transfer = async (number: string): Promise<void> => {
      await button("Transfer").click();
      await page.getByLabel("Transfer to").fill(number);
      await button("Transfer now").click();
    };
    await transfer("4711");
    await state("call-transfer", "refused");
    expect(await page.getByRole("alert").textContent()).toContain("There is no such number. (404");
    await button("Retrieve").click();
    await until(() => sandbox.calls()[0]?.parties.every(({ holding }) => !holding));
    expect(await levelThere(uuid)).toBeGreaterThan(loud);
    await transfer("9196");
    await state("call", "none");
    await until(() => parties("9196")?.join() === "1003,9196");
    expect(await page.getByTestId("history-list").textContent()).toContain("transferred to 9196");
    expect(browser.errors.slice(before)).toEqual([]);
  });

  it("asks first and completes the transfer: both far parties are connected, both calls end", async () => {
    await signedIn();
    await sandbox.ring("5001", "1003");
    await state("call", "ringing");
    await button("Answer").click();
    await state("call", "talking");
    await button("Transfer").click();
    await page.getByLabel("Transfer to").fill("9197");
    await button("Ask first").click();
    await expect.poll(async () => await page.getByTestId("call-peer").textContent()).toBe("9197");
    await state("call", "talking");
    await until(() => sandbox.calls().some((one) => one.parties.some(({ holding }) => holding)));
    await button("Complete transfer").click();
    await state("call", "none");
    await until(() => parties("9197")?.join() === "1003,9197");
    expect(browser.errors.slice(before)).toEqual([]);
  });

  it("answers by itself the call that SIP Server makes for it (3pcc)", async () => {
    await signedIn();
    const uuid = await sandbox.makeCall("5001", "9196");
    await state("call", "talking");
    await until(() => sandbox.calls()[0]?.state === "connected");
    expect(await levelThere(uuid)).toBeGreaterThan(loud);
    expect(await levelPlayed(page)).toBeGreaterThan(loud);
  });

  it("says in words why a call that SIP Server made for it came to nothing", async () => {
    await signedIn();
    await sandbox.makeCall("5001", "9198");
    await expect.poll(async () => await page.getByRole("alert").textContent()).toContain("Busy. (486");
    await state("call", "none");
  });

  it("rejects, and the caller is told", async () => {
    await signedIn();
    const uuid = await sandbox.ring("5001", "1003");
    await state("call", "ringing");
    await button("Reject").click();
    await state("call", "none");
    await until(() => sandbox.calls().every((one) => one.uuid !== uuid));
  });

  it("signs out, and its DN leaves SIP Server", async () => {
    await signedIn();
    await button("Sign out").click();
    await state("app", "signed-out");
    await until(() => sandbox.bindings().length === 0);
  });

  it("takes its place again when the tab is reloaded between calls", async () => {
    await signedIn();
    await page.reload();
    expect(await page.getByLabel("Your number (DN)").inputValue()).toBe("5001");
    await signIn();
    const uuid = await call("9196");
    expect(await levelThere(uuid)).toBeGreaterThan(loud);
    expect(gateway.counts).toMatchObject({ signedIn: 1, calls: 1 });
  });

  it("tells that the gateway is gone, and comes back with it", async () => {
    await signedIn();
    await gateway.close();
    await state("lamp-socket", "lost");
    expect(await page.getByRole("alert").textContent()).toContain("No connection to the gateway");
    await screenshot("softphone-lost");
    gateway = await open();
    await state("app", "registered");
    await state("lamp-trunk", "in-service");
    expect(await page.getByRole("alert").isVisible()).toBe(false);
    const uuid = await call("9196");
    expect(await levelThere(uuid)).toBeGreaterThan(loud);
  });
});
