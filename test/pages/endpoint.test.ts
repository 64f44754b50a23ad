import { beforeEach, expect, it } from "vitest";
import { seriousFindings } from "./support/axe.ts";
import { ScriptedEndpoint } from "./support/scripted-endpoint.ts";
import { SoftphoneRig } from "./support/softphone-rig.ts";

/** The page that carries the sound for Workspace, an endpoint and a gateway scripted by the test behind it. */

const endpoint = new ScriptedEndpoint();
const rig = new SoftphoneRig(endpoint.answer);

beforeEach(() => {
  endpoint.reset();
  endpoint.tokens.set("secret-token", "session-1");
});

const stored = async (): Promise<string> =>
  await rig.page.evaluate(() =>
    [JSON.stringify(sessionStorage), JSON.stringify(localStorage), location.href].join(),
  );
/** Volume of the element that plays the call. */
const heard = async (): Promise<number> =>
  await rig.page.locator("#remote").evaluate((element) => Number(Reflect.get(element, "volume")));

async function open(): Promise<void> {
  await rig.open("/#endpoint=secret-token");
  await endpoint.connected("session-1");
}

async function carried(): Promise<void> {
  await open();
  expect(await endpoint.signIn("session-1")).toEqual({ ok: true });
  await rig.state("app", "registered");
}

/** A call that rings and is answered in Workspace. @returns its Call-ID */
async function talking(): Promise<string> {
  const callId = await rig.ring();
  await endpoint.order("session-1", { order: "call", act: "answer" });
  await rig.connect(callId);
  return callId;
}

it("takes the token out of the address, signs in and out as told, and shows how that goes", async () => {
  await open();
  await rig.shows("endpoint", "Sign in to Workspace");
  expect(await stored()).not.toMatch(/secret-token|session-1/);
  expect(await rig.page.getByTestId("sign-in").count()).toBe(0);
  const devices = { microphone: { muted: false, volume: 100 }, speaker: { muted: false, volume: 100 } };
  await endpoint.state({ signed_in: false, ...devices, call: null });
  expect(await seriousFindings(rig.page)).toEqual([]);

  expect(await endpoint.signIn("session-1")).toEqual({ ok: true });
  await rig.state("app", "registered");
  await rig.shows("endpoint", "Carried for Workspace");
  await endpoint.state({ signed_in: true });
  // Again, as with each connection: nothing is signed in anew.
  const before = rig.gateway.received.length;
  expect(await endpoint.signIn("session-1")).toEqual({ ok: true });
  expect(rig.gateway.received.slice(before).map(({ name }) => name)).not.toContain("REGISTER");
  await rig.page.setViewportSize({ width: 380, height: 560 });
  expect(await seriousFindings(rig.page)).toEqual([]);
  expect(await rig.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(380);

  expect(await endpoint.order("session-1", { order: "sign-out" })).toEqual({ ok: true });
  await rig.state("app", "signed-out");
  await endpoint.state({ signed_in: false });
  expect(await stored()).not.toMatch(/secret-token|session-1|ha1/);
  expect(rig.errors).toEqual([]);
});

it("obeys orders for calls, tells how they go, and why not where it cannot", async () => {
  await carried();
  const act = async (order: object): Promise<unknown> =>
    await endpoint.order("session-1", { order: "call", ...order });
  const callId = await rig.ring();
  await endpoint.state({ call: { state: "ringing", number: "5002", direction: "incoming" } });
  expect(await act({ act: "answer" })).toEqual({ ok: true });
  await rig.connect(callId);
  await endpoint.state({ call: { state: "established" } });
  expect(await act({ act: "hold" })).toEqual({ ok: true });
  await endpoint.state({ call: { state: "held" } });
  expect(await act({ act: "hang-up" })).toEqual({ ok: true });
  await endpoint.state({ call: null });
  expect(await act({ act: "make", number: "5003" })).toEqual({ ok: true });
  await endpoint.state({ call: { state: "dialling", number: "5003", direction: "outgoing" } });
  expect(await act({ act: "hang-up" })).toEqual({ ok: true });
  await endpoint.state({ call: null });
  expect(await act({ act: "answer" })).toEqual({ ok: false, reason: "No call rings." });
  expect(await act({ act: "transfer" })).toMatchObject({ ok: false });
  expect(await endpoint.order("session-1", { order: "fly" })).toMatchObject({ ok: false });
  expect(rig.errors).toEqual([]);
});

it("mutes and turns down as told, for this call and the next, and says so", async () => {
  await carried();
  const sound = async (what: object): Promise<void> =>
    expect(await endpoint.order("session-1", { order: "sound", ...what })).toEqual({ ok: true });
  await sound({ microphone: { muted: true }, speaker: { volume: 40 } });
  await endpoint.state({
    microphone: { muted: true, volume: 100 },
    speaker: { muted: false, volume: 40 },
  });
  await rig.shows("endpoint-sound", "The microphone is muted: nobody hears you.");
  await talking();
  expect(await heard()).toBeCloseTo(0.4);
  await sound({ speaker: { muted: true } });
  expect(await heard()).toBe(0);
  await rig.shows("endpoint-sound", "The speaker is muted: you hear nobody.");
  await sound({ speaker: { muted: false }, microphone: { muted: false, volume: 30 } });
  expect(await heard()).toBeCloseTo(0.4);
  await endpoint.state({ microphone: { muted: false, volume: 30 } });
  expect(await rig.page.getByTestId("endpoint-sound").count()).toBe(0);
  await endpoint.order("session-1", { order: "options", noiseSuppression: false });
  await rig.button("Settings").click();
  await expect.poll(async () => await rig.page.getByTestId("noiseSuppression").isChecked()).toBe(false);
  // Who signs in next is heard.
  await sound({ microphone: { muted: true }, speaker: { muted: true } });
  await endpoint.order("session-1", { order: "call", act: "hang-up" });
  await endpoint.order("session-1", { order: "sign-out" });
  await endpoint.state({
    signed_in: false,
    microphone: { muted: false, volume: 100 },
    speaker: { muted: false, volume: 40 },
  });
  expect(rig.errors).toEqual([]);
});

it("comes back by itself: after a cut line, an endpoint that is down, and a reload in a call", async () => {
  await carried();
  endpoint.down = true;
  endpoint.cut("session-1");
  await rig.shows("endpoint", "No connection for Workspace at the moment");
  endpoint.down = false;
  await endpoint.connected("session-1");
  await rig.shows("endpoint", "Carried for Workspace");
  await endpoint.order("session-1", { order: "sound", microphone: { muted: true } });
  await talking();
  endpoint.cut("session-1");
  await rig.page.reload();
  await endpoint.connected("session-1");
  expect(endpoint.asked).toEqual(["secret-token"]);
  await endpoint.signIn("session-1");
  await rig.state("app", "registered");
  await endpoint.state({ signed_in: true, microphone: { muted: true } });
  expect(await stored()).not.toContain("session-1");
});

it("stops when another page has taken over, and keeps its call until that is over", async () => {
  await carried();
  const callId = await talking();
  endpoint.replaced("session-1");
  await rig.shows("endpoint", "Another window carries the sound for Workspace now. This one keeps its call");
  await rig.state("call", "talking");
  rig.gateway.bye(callId);
  await rig.state("app", "signed-out");
  await rig.shows("endpoint", "Close this one.");
  expect(endpoint.asked).toEqual(["secret-token"]);
});

it("says that its address was used before, and goes on with a new one opened in the same window", async () => {
  await rig.open("/#endpoint=old");
  await rig.shows("endpoint", "was used before. Open the softphone for Workspace anew.");
  expect(await stored()).not.toContain("old");
  await rig.page.evaluate(() => (location.hash = "#endpoint=secret-token"));
  await endpoint.connected("session-1");
  await rig.shows("endpoint", "Sign in to Workspace");
  expect(await stored()).not.toContain("secret-token");
});

it("says what to do where the browser lets it play no sound yet, and that the microphone is blocked", async () => {
  const page = await rig.browser.context.newPage();
  // What drives the browser counts as a click in it, so the browser's own rule is never met.
  await page.addInitScript(() => {
    let clicked = false;
    document.addEventListener("pointerup", () => (clicked = true), true);
    window.AudioContext = class extends AudioContext {
      constructor() {
        super();
        void super.suspend();
      }
      override async resume(): Promise<void> {
        await (clicked ? super.resume() : new Promise(() => {}));
      }
    };
    navigator.mediaDevices.getUserMedia = async () =>
      await Promise.reject(new DOMException("Permission denied", "NotAllowedError"));
  });
  try {
    await page.goto(`${rig.origin}/#endpoint=secret-token`);
    const blocked = page.getByTestId("endpoint-blocked");
    await blocked.waitFor();
    expect(await blocked.textContent()).toContain("click anywhere in this window once");
    await page.getByTestId("endpoint").click();
    await blocked.waitFor({ state: "detached" });
    await endpoint.connected("session-1");
    expect(await endpoint.signIn("session-1")).toMatchObject({
      ok: false,
      reason: expect.stringContaining("The microphone is blocked for this page."),
    });
  } finally {
    await page.close();
  }
});
