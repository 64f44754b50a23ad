import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { contentSecurityPolicy } from "../../src/ws/index.ts";
import { FakeGateway } from "../browser/support/fake-gateway.ts";
import { launchBrowser, serveFolder, type PageServer, type TestBrowser } from "../browser/support/index.ts";
import type { FakeDevice } from "../browser/support/page/fake-devices-contract.ts";
import { bundle } from "../browser/support/pages.ts";

const built = join(import.meta.dirname, "..", "..", "web", "dist");
const script = join(import.meta.dirname, "..", "browser", "support", "page", "fake-devices.ts");

/** The first of a kind is the system's default. Tones apart enough to be told through any codec. */
const desk: readonly FakeDevice[] = [
  { kind: "audioinput", id: "in-1", label: "Webcam", tone: 600 },
  { kind: "audiooutput", id: "out-1", label: "Loudspeaker" },
];
const headset: readonly FakeDevice[] = [
  { kind: "audioinput", id: "in-2", label: "Headset", tone: 1500 },
  { kind: "audiooutput", id: "out-2", label: "Headset" },
];

let server: PageServer;
let gateway: FakeGateway;
let browser: TestBrowser;
let page: Page;
let before = 0;

beforeAll(async () => {
  browser = await launchBrowser();
  await browser.context.addInitScript({ content: await bundle(script) });
});

afterAll(async () => {
  await browser.close();
});

beforeEach(async () => {
  server = await serveFolder(built, { "content-security-policy": contentSecurityPolicy() });
  gateway = new FakeGateway(server.server, "secret");
  before = browser.errors.length;
});

afterEach(async () => {
  expect(browser.errors.slice(before)).toEqual([]);
  await page.close();
  gateway.close();
  await server.close();
});

async function open(...devices: readonly FakeDevice[]): Promise<void> {
  page = await browser.open(server.origin);
  await plug(...devices);
}

async function plug(...devices: readonly FakeDevice[]): Promise<void> {
  await page.evaluate((wanted) => window.fakeDevices.plug(...wanted), devices);
}

async function unplug(label: string): Promise<void> {
  await page.evaluate((wanted) => window.fakeDevices.unplug(wanted), label);
}

function button(name: string): ReturnType<Page["getByRole"]> {
  return page.getByRole("button", { name, exact: true });
}

async function state(id: string, wanted: string): Promise<void> {
  const found = page.locator(`[data-testid="${id}"][data-state="${wanted}"]`);
  await found.waitFor({ state: "attached" });
}

async function signIn(): Promise<void> {
  await page.getByLabel("Your number (DN)").fill("5001");
  await page.getByLabel("Password").fill("secret");
  await button("Sign in").click();
  await state("app", "registered");
}

/** Signed in with these devices, the settings open. */
async function signedIn(...devices: readonly FakeDevice[]): Promise<void> {
  await open(...devices);
  await signIn();
  await page.getByTestId("settings").click();
}

async function choose(use: "microphone" | "speaker" | "ring", label: string): Promise<void> {
  await page.getByTestId(`choose-${use}`).selectOption({ label });
}

/** A call that is answered, with a far end that hears. */
async function talking(): Promise<string> {
  const callId = gateway.invite("5002");
  await state("call", "ringing");
  await button("Answer").click();
  await expect.poll(() => gateway.last("200", "INVITE").body).toContain("m=audio");
  gateway.acknowledge(callId, await page.evaluate(async () => await window.fakeDevices.answer()));
  await state("call", "talking");
  return callId;
}

const patience = { interval: 20 };

/** Waits until a tone of about that frequency arrives at the far end; 0: silence. */
async function heardThere(frequency: number): Promise<void> {
  const look = async (): Promise<number> =>
    await page.evaluate(async () => await window.fakeDevices.heardThere());
  await expect.poll(async () => Math.abs((await look()) - frequency), patience).toBeLessThan(40);
}

async function heardOn(label: string): Promise<number> {
  return await page.evaluate(async (wanted) => await window.fakeDevices.heardOn(wanted), label);
}

/** Waits until the far end's sound comes out of that device alone. */
async function callHeardOn(label: string): Promise<void> {
  await expect.poll(async () => Math.abs((await heardOn(label)) - 900), patience).toBeLessThan(40);
  expect(await heardOn(label === "Headset" ? "Loudspeaker" : "Headset")).toBe(0);
}

async function alert(words: string): Promise<void> {
  await expect.poll(async () => await page.getByTestId("alert").textContent(), patience).toContain(words);
}

async function log(words: string): Promise<void> {
  await expect.poll(async () => await page.getByTestId("log").textContent(), patience).toContain(words);
}

describe("a headset in a call", () => {
  it("gives way to the default at once when it is pulled out, is told of, and is gone back to when it returns", async () => {
    await signedIn(...desk, ...headset);
    await choose("microphone", "Headset");
    await choose("speaker", "Headset");
    await talking();
    await heardThere(1500);
    await callHeardOn("Headset");
    await unplug("Headset");
    await heardThere(600);
    await alert(
      "Headset was pulled out: the microphone is now Webcam, the speaker is now Loudspeaker. Plug it in to go back to it.",
    );
    await callHeardOn("Loudspeaker");
    expect(await page.getByTestId("choose-microphone").locator("option:checked").textContent()).toBe(
      "Headset (not plugged in)",
    );
    // Browsers may give the same device another id.
    await plug(...headset.map((one) => ({ ...one, id: `${one.id} again` })));
    await heardThere(1500);
    await log("Headset is back as microphone and speaker.");
    await callHeardOn("Headset");
    expect(await page.getByTestId("alert").isVisible()).toBe(false);
  });

  it("that is the only microphone leaves a call without one, which has the next that is plugged in", async () => {
    await signedIn(...headset);
    await talking();
    await heardThere(1500);
    await unplug("Headset");
    await alert("there is no other microphone, so nobody can hear you");
    await heardThere(0);
    const hint = page.getByTestId("microphone-hint");
    expect(await hint.textContent()).toContain("nobody can hear you");
    await plug(...desk);
    await heardThere(600);
    expect(await hint.count()).toBe(0);
  });

  it("gives way in every call that runs", async () => {
    await signedIn(...headset);
    const sending = async (): Promise<number> => await page.evaluate(() => window.fakeDevices.sending());
    await talking();
    const second = gateway.invite("5003");
    await expect.poll(async () => await page.getByTestId("other-calls").textContent()).toContain("5003");
    gateway.notify("talk", [`X-Jackfield-Call-ID: ${second}`]);
    await expect.poll(sending).toBe(2);
    await unplug("Headset");
    expect(await sending()).toBe(0);
    await plug(...desk);
    await expect.poll(sending).toBe(2);
  });

  it("changes nothing about a muted call", async () => {
    await signedIn(...desk, ...headset);
    await choose("microphone", "Headset");
    await talking();
    await heardThere(1500);
    await page.getByTestId("mute").click();
    await heardThere(0);
    await unplug("Headset");
    await alert("the microphone is now Webcam");
    await heardThere(0);
    await page.getByTestId("mute").click();
    await heardThere(600);
  });
});

describe("choices", () => {
  it("of microphone and of what is done to its sound hold for the running call and after a reload", async () => {
    await signedIn(...desk, ...headset);
    await talking();
    await heardThere(600);
    await choose("microphone", "Headset");
    await heardThere(1500);
    await page.getByLabel("Suppress noise").uncheck();
    const asked = async (): Promise<unknown> => await page.evaluate(() => window.fakeDevices.asked.at(-1));
    const wanted = { deviceId: { exact: "in-2" }, noiseSuppression: false, autoGainControl: true };
    await expect.poll(asked).toMatchObject(wanted);
    await heardThere(1500);
    expect(await page.evaluate(() => window.fakeDevices.copies())).toBe(2);
    await page.getByTestId("speaker-volume").fill("0.4");
    expect(await page.evaluate(() => window.fakeDevices.volumeOn("Loudspeaker"))).toBe(0.4);
    const kept = await page.evaluate(() => Object.values(localStorage).join());
    expect(kept).toContain("Headset");
    expect(kept).not.toContain("secret");
    await button("Hang up").click();
    await state("call", "none");
    await page.reload();
    await plug(...desk, ...headset);
    await signIn();
    await expect.poll(asked).toMatchObject(wanted);
  });

  it("of a device that another program holds lead to another, and say so", async () => {
    await open(...desk, ...headset);
    await page.evaluate(() => window.fakeDevices.hold("in-2"));
    await signIn();
    await page.getByTestId("settings").click();
    await choose("microphone", "Headset");
    await alert("The chosen microphone cannot be used. Another is used instead");
    await talking();
    await heardThere(600);
  });

  it("of outputs are left to the system where the browser has none", async () => {
    page = await browser.context.newPage();
    await page.addInitScript(() => Reflect.deleteProperty(HTMLMediaElement.prototype, "setSinkId"));
    await page.goto(server.origin);
    await page.getByTestId("settings").click();
    expect(await page.getByTestId("sound").textContent()).toContain(
      "This browser cannot choose between speakers",
    );
    expect(await page.getByTestId("choose-speaker").isDisabled()).toBe(true);
  });
});

describe("the meter", () => {
  it("shows how loud the microphone is, and measures nothing when it is not shown", async () => {
    await open(...desk);
    await page.getByTestId("settings").click();
    await button("Try the microphone").click();
    const level = async (): Promise<number> =>
      await page
        .getByTestId("level")
        .evaluate((meter) => (meter instanceof HTMLMeterElement ? meter.value : 0));
    await expect.poll(level, patience).toBeGreaterThan(0.5);
    await unplug("Webcam");
    await plug({ kind: "audioinput", id: "in-3", label: "Other", tone: 900 });
    await expect.poll(level, patience).toBeGreaterThan(0.5);
    const copies = async (): Promise<number> => await page.evaluate(() => window.fakeDevices.copies());
    expect(await copies()).toBe(1);
    await page.getByTestId("settings").click();
    await expect.poll(copies).toBe(0);
  });
});

describe("ringing", () => {
  it("comes out of its own device at its own volume until the call is answered", async () => {
    await signedIn(...desk, ...headset);
    await choose("speaker", "Headset");
    await page.getByTestId("ring-volume").fill("0.3");
    gateway.invite("5002");
    await state("call", "ringing");
    await expect.poll(async () => await heardOn("Loudspeaker"), patience).toBeGreaterThan(500);
    expect(await heardOn("Headset")).toBe(0);
    const volume = async (label: string): Promise<number> =>
      await page.evaluate((wanted) => window.fakeDevices.volumeOn(wanted), label);
    expect(await volume("Loudspeaker")).toBe(0.3);
    await button("Answer").click();
    await expect.poll(async () => await volume("Loudspeaker")).toBe(0);
  });

  it("and speaker can be heard for a test on the devices chosen", async () => {
    await open(...desk, ...headset);
    await page.getByTestId("settings").click();
    await choose("ring", "Headset");
    await button("Ring once").click();
    await expect.poll(async () => await heardOn("Headset"), patience).toBeGreaterThan(500);
    await button("Play a test sound").click();
    await expect.poll(async () => await heardOn("Loudspeaker"), patience).toBeGreaterThan(400);
  });

  it("that the browser does not allow is told of, and begins with a click", async () => {
    await signedIn(...desk);
    await page.evaluate(() => window.fakeDevices.silence(true));
    gateway.invite("5002");
    await alert("The browser lets this page ring only after a click in it.");
    await page.evaluate(() => window.fakeDevices.silence(false));
    expect(await heardOn("Loudspeaker")).toBe(0);
    await page.getByTestId("alert").click();
    await expect.poll(async () => await heardOn("Loudspeaker"), patience).toBeGreaterThan(500);
  });

  it("is a notification while the page is out of sight, with the caller as text, until the call is gone", async () => {
    await signedIn(...desk);
    const notices = async (): Promise<unknown> => await page.evaluate(() => window.fakeDevices.notices);
    const callId = gateway.invite("%3Cb%3E5002");
    await state("call", "ringing");
    expect(await notices()).toEqual([]);
    await page.evaluate(() => window.fakeDevices.hide(true));
    await expect.poll(notices).toEqual([{ title: "<b>5002 calls", body: "Click to go to the softphone." }]);
    gateway.cancel(callId);
    await expect.poll(notices).toEqual([]);
    await page.getByTestId("notifications").uncheck();
    gateway.invite("5003");
    await state("call", "ringing");
    expect(await notices()).toEqual([]);
  });
});
