import type { Frame, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, type TestBrowser } from "../browser/support/index.ts";
import { seriousFindings } from "./support/axe.ts";
import {
  events,
  lastOf,
  PARENT,
  run,
  serveGadget,
  servePhone,
  serveHtml,
  type PhoneSite,
  type Site,
} from "./support/embedding.ts";

let browser: TestBrowser;
/** An embedding page whose origin the phone allows, and one whose origin it does not. */
let crm: Site;
let evil: Site;
let phone: PhoneSite;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser({ extraArgs: ["--host-resolver-rules=MAP crm.test 127.0.0.1"] });
  crm = await serveHtml(PARENT);
  evil = await serveHtml(PARENT);
  phone = await servePhone({ origins: [crm.origin], ancestors: [crm.origin, evil.origin] });
});

afterAll(async () => {
  await browser.close();
  for (const site of [crm, evil, phone]) await site.close();
});

afterEach(async () => {
  await page.close();
  phone.gateway.received.length = 0;
});

/** Opens the embedding page and, by the SDK, the softphone in it. */
async function embed(options: object = {}, at = phone): Promise<Frame> {
  page = await browser.open(crm.origin);
  await page.evaluate(async (what) => await window.embed(what), { origin: at.origin, ...options });
  const frame = page.frames().find((one) => one.url().startsWith(at.origin));
  if (frame === undefined) throw new Error("no frame");
  return frame;
}

async function signedIn(options: object = {}): Promise<Frame> {
  const frame = await embed(options);
  expect(await run(page, "signIn", { dn: "5001", password: "secret" })).toEqual({ ok: {} });
  await told("registered");
  return frame;
}

/** Comes true before long: the machine may be busy. */
function soon<T>(look: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(look);
}

/** Waits until the embedding page has been told of it. @returns its data */
async function told(event: string): Promise<unknown> {
  await soon(async () => await events(page)).toContain(event);
  const message = await lastOf(page, event);
  return typeof message === "object" && message !== null ? Reflect.get(message, "data") : undefined;
}

async function sent(look: () => unknown): Promise<void> {
  await soon(() => Boolean(look())).toBe(true);
}

async function talking(from = "5002"): Promise<string> {
  const callId = phone.gateway.invite(from);
  await told("incoming_call");
  expect(await run(page, "answerCall", callId)).toEqual({ ok: {} });
  await sent(() => phone.gateway.last("200", "INVITE").body.includes("m=audio"));
  phone.gateway.acknowledge(callId);
  await told("call_accepted");
  return callId;
}

/** The softphone's calls and mode, by the SDK. */
async function status(): Promise<unknown> {
  const answer = await run(page, "getStatus");
  return typeof answer === "object" && answer !== null ? Reflect.get(answer, "ok") : undefined;
}

describe("the SDK in an allowed page", () => {
  it("signs in, or says why not, and out, and keeps no password", async () => {
    const frame = await embed();
    expect(await told("ready")).toMatchObject({ connection: "idle", mode: "phone", calls: [] });
    expect(await run(page, "makeCall", "5002")).toMatchObject({ code: "not_signed_in" });
    await run(page, "signIn", { dn: "5001", password: "wrong-word" });
    expect(await told("registration_failed")).toMatchObject({ dn: "5001", final: true });
    expect(await run(page, "signIn", { token: "bad-token" })).toMatchObject({
      code: "refused",
      message: expect.stringContaining("does not know this sign-in token"),
    });
    expect(await run(page, "signIn", { token: "good-token" })).toEqual({ ok: {} });
    expect(await told("registered")).toEqual({ dn: "5001" });
    expect(await run(page, "signOut")).toEqual({ ok: {} });
    expect(await told("unregistered")).toEqual({ dn: "5001" });
    const all = JSON.stringify(await page.evaluate(() => window.said));
    const kept = await frame.evaluate(() =>
      [sessionStorage, localStorage].flatMap((one) => Object.values(one)).join(),
    );
    expect(all + kept).not.toMatch(/wrong-word|good-token|ha1/);
  });

  it("has every command for a call and every event, at 300 x 500", async () => {
    const frame = await signedIn({ width: 300, height: 500 });
    expect(await frame.evaluate(() => [innerWidth, innerHeight])).toEqual([300, 500]);
    const callId = phone.gateway.invite("5002", ["X-Genesys-CallUUID: 0ABC", "X-Genesys-Queue: <img src=x>"]);
    expect(await told("incoming_call")).toMatchObject({
      call_id: callId,
      direction: "in",
      state: "ringing",
      peer: "5002",
      data: [
        { label: "Queue", value: "<img src=x>" },
        { label: "Call UUID", value: "0ABC" },
      ],
    });
    expect(await run(page, "answerCall")).toEqual({ ok: {} });
    await sent(() => phone.gateway.last("200", "INVITE").body.includes("m=audio"));
    phone.gateway.acknowledge(callId);
    expect(await told("call_accepted")).toMatchObject({ call_id: callId, state: "talking" });
    await run(page, "mute");
    expect(await told("muted")).toEqual({ call_id: callId });
    await run(page, "unmute", callId);
    expect(await told("unmuted")).toEqual({ call_id: callId });
    // Nobody is there who could take them.
    expect(await run(page, "sendDtmf", "12#")).toMatchObject({
      code: "refused",
      message: expect.stringContaining("digits"),
    });
    const quality = '{"mos":4.3,"lossPercent":0.5,"roundTripMs":12}';
    phone.gateway.notify("x-jackfield-quality", [`X-Jackfield-Call-ID: ${callId}`], quality);
    expect(await told("quality")).toEqual({
      call_id: callId,
      mos: 4.3,
      loss_percent: 0.5,
      round_trip_ms: 12,
    });
    expect(await run(page, "hold")).toEqual({ ok: {} });
    await soon(status).toMatchObject({ calls: [{ held: true }] });
    expect(await told("call_progress")).toMatchObject({ call_id: callId, held: true });
    await soon(async () => await run(page, "retrieve")).toEqual({ ok: {} });
    await soon(status).toMatchObject({ calls: [{ held: false }] });
    expect(await run(page, "transfer", "5003")).toEqual({ ok: {} });
    await sent(() => phone.gateway.last("REFER").header("Refer-To").includes("sip:5003@"));
    expect(await told("call_progress")).toMatchObject({ transfer: { to: "5003" } });
    expect(await run(page, "transferToCall", "another")).toMatchObject({ code: "no_such_call" });
    phone.gateway.notify("x-jackfield-call", [`X-Jackfield-Call-ID: ${callId}`], '{"callUuid":"0DEF"}');
    await soon(async () => JSON.stringify(await lastOf(page, "call_progress"))).toContain("0DEF");
    expect(await run(page, "hangUp", "another")).toMatchObject({ code: "no_such_call" });
    expect(await run(page, "hangUp")).toEqual({ ok: {} });
    expect(await told("call_ended")).toMatchObject({ call_id: callId, state: "ended" });
    expect(await run(page, "hangUp")).toMatchObject({ code: "no_such_call" });
  });

  it("makes calls, by command and by links, and tells what comes of them", async () => {
    await signedIn();
    expect(await run(page, "makeCall", "486")).toMatchObject({ ok: { call_id: expect.any(String) } });
    expect(await told("call_failed")).toMatchObject({
      direction: "out",
      status: 486,
      text: expect.stringContaining("Busy"),
    });
    await page.evaluate(() => void window.run("dialLinks"));
    await page.click("#dial");
    // The call before has told of its progress too.
    await soon(() => phone.gateway.last("INVITE").startLine).toContain("sip:+4930123@");
    const progress = { data: { direction: "out", peer: "+4930123" } };
    await soon(async () => await lastOf(page, "call_progress")).toMatchObject(progress);
    expect(await run(page, "hangUp")).toEqual({ ok: {} });
    await told("call_ended");
  });

  it("gets the frame's ready anew when its page is loaded anew, and the frame's farewell at destroy", async () => {
    const frame = await embed();
    await frame.evaluate(() => location.reload());
    await soon(async () => (await events(page)).filter((one) => one === "ready").length).toBe(2);
    expect(await run(page, "getStatus")).toHaveProperty("ok");
    await page.evaluate(() => void window.run("destroy"));
    expect(page.frames()).toHaveLength(1);
    expect(await run(page, "getStatus")).toMatchObject({ code: "destroyed" });
  });
});

/** Puts the softphone into a plain frame of the page and waits until it has loaded. */
async function plainFrame(attributes: Readonly<Record<string, string>> = {}): Promise<void> {
  await page.evaluate(
    async ([src, more]) => {
      const frame = document.createElement("iframe");
      for (const [name, value] of Object.entries(more)) frame.setAttribute(name, value);
      frame.name = "phone";
      frame.src = src;
      document.body.append(frame);
      await new Promise((loaded) => frame.addEventListener("load", loaded));
    },
    [`${phone.origin}/`, attributes] as const,
  );
}

/** Posts commands to the frame, as `count` messages at once. */
async function post(from: Page | Frame, path: string, message: object, count = 1): Promise<void> {
  await from.evaluate(
    ([way, data, times]) => {
      const target = way === "opener" ? (window.opener as Window) : window.parent;
      const frame = way === "own" ? window.frames[0] : target.frames[0];
      for (let turn = 0; turn < times; turn++) frame?.postMessage({ ...data, id: String(turn) }, "*");
    },
    [path, message, count] as const,
  );
}

const SIGN_IN = { jackfield: 1, command: "sign_in", data: { dn: "5001", password: "secret" } };

describe("without the SDK", () => {
  it("a page that began to listen late asks until it is answered, and hears what ready would have told", async () => {
    page = await browser.open(crm.origin);
    await plainFrame({ referrerpolicy: "no-referrer" });
    await page.evaluate(() => void (window.said = []));
    const getStatus = { jackfield: 1, command: "get_status" };
    await soon(async () => {
      await post(page, "own", getStatus);
      return await page.evaluate(() => window.said.some((one) => "answer" in one));
    }).toBe(true);
    const answer = await page.evaluate(() => window.said.find((one) => "answer" in one));
    expect(answer).toMatchObject({ ok: true, result: { connection: "idle", calls: [] } });
  });

  it("a frame that is not allowed the microphone says so", async () => {
    page = await browser.open(crm.origin);
    await plainFrame();
    await told("ready");
    await post(page, "own", SIGN_IN);
    await soon(async () => JSON.stringify(await page.evaluate(() => window.said))).toMatch(
      /"code":"refused","text":"[^"]*microphone/i,
    );
  });
});

describe("who is not allowed", () => {
  it("cannot show the page in a frame", async () => {
    const strict = await servePhone({ origins: [crm.origin] });
    try {
      page = await browser.open(evil.origin);
      await page.evaluate(async (src) => {
        const frame = document.createElement("iframe");
        frame.src = src;
        document.body.append(frame);
        await new Promise((loaded) => frame.addEventListener("load", loaded));
      }, `${strict.origin}/`);
      expect(page.frames().map((frame) => frame.url())).not.toContain(`${strict.origin}/`);
    } finally {
      await strict.close();
    }
  });

  it("is not answered, told of nothing and not obeyed, where it has got the page into a frame", async () => {
    page = await browser.open(evil.origin);
    await plainFrame({ allow: "microphone *" });
    const frame = page.frame("phone");
    await frame?.getByTestId("sign-in").waitFor();
    await post(page, "own", SIGN_IN, 3);
    await frame?.getByLabel("Your number (DN)").fill("5001");
    await frame?.getByLabel("Password").fill("secret");
    await frame?.getByRole("button", { name: "Sign in" }).click();
    await frame?.locator('[data-testid="app"][data-state="registered"]').waitFor();
    phone.gateway.invite("5002");
    await frame?.locator('[data-testid="call"][data-state="ringing"]').waitFor();
    await post(page, "own", { jackfield: 1, command: "answer_call" }, 3);
    // Long heard by then, if it were.
    await frame?.getByTestId("reject").click();
    await sent(() => phone.gateway.last("486", "INVITE").text.length > 10);
    expect(phone.gateway.received.filter((one) => one.name === "REGISTER").length).toBeLessThanOrEqual(2);
    expect(await page.evaluate(() => window.said)).toEqual([]);
  });

  it("is not heard from a sibling frame or a popup, not even one of the allowed origin", async () => {
    const frame = await signedIn();
    const hangUp = { jackfield: 1, command: "hangup" };
    const callId = await talking();
    for (const site of [crm, evil]) {
      await page.evaluate(async (src) => {
        const sibling = document.createElement("iframe");
        sibling.src = src;
        sibling.name = "sibling";
        document.body.append(sibling);
        await new Promise((loaded) => sibling.addEventListener("load", loaded));
      }, site.origin);
      const sibling = page.frames().findLast((one) => one.url().startsWith(site.origin));
      if (sibling === undefined) throw new Error("no sibling");
      await post(sibling, "parent", hangUp, 5);
      const [popup] = await Promise.all([
        page.waitForEvent("popup"),
        page.evaluate((url) => void window.open(url), site.origin),
      ]);
      await popup.waitForLoadState();
      await post(popup, "opener", hangUp, 5);
      await popup.close();
    }
    expect(await run(page, "mute")).toEqual({ ok: {} });
    expect(await status()).toMatchObject({ calls: [{ call_id: callId, state: "talking", muted: true }] });
    expect(await frame.getByTestId("call").getAttribute("data-state")).toBe("talking");
    phone.gateway.bye(callId);
    await told("call_ended");
  });
});

describe("a page gone wrong", () => {
  it("that floods and sends garbage breaks no call", async () => {
    const frame = await signedIn({ timeoutMs: 500 });
    const callId = await talking();
    await post(page, "own", { jackfield: 1, command: "mute", data: { on: "x".repeat(10_000) } }, 2000);
    await post(page, "own", SIGN_IN, 2000);
    await frame.locator('[data-testid="call"][data-state="talking"]').waitFor();
    await soon(async () => await run(page, "getStatus")).toHaveProperty("ok");
    const answers = await page.evaluate(
      () => window.said.filter((one) => "answer" in one && !one.ok && one.error.code === "too_many").length,
    );
    expect(answers).toBeGreaterThan(0);
    expect(answers).toBeLessThan(1000);
    await soon(status).toMatchObject({ calls: [{ call_id: callId, state: "talking" }] });
    phone.gateway.bye(callId);
    await told("call_ended");
  });
});

describe("audio-only mode", () => {
  it("has no call control, says what to do in the desktop, refuses commands, and answers on talk", async () => {
    const frame = await embed({ mode: "audio", width: 400, height: 600 });
    expect(await told("ready")).toMatchObject({ mode: "audio" });
    await run(page, "signIn", { dn: "5001", password: "secret" });
    await told("registered");
    const hint = frame.getByTestId("audio-only");
    expect(await hint.textContent()).toContain("desktop");
    expect(await frame.getByTestId("dial").count()).toBe(0);
    const callId = phone.gateway.invite("5002");
    await told("incoming_call");
    await frame.locator('[data-testid="call"][data-state="ringing"]').waitFor();
    expect(await frame.getByTestId("call-peer").textContent()).toBe("5002");
    expect(await hint.textContent()).toContain("Answer in your desktop");
    expect(await run(page, "answerCall")).toMatchObject({ code: "audio_only" });
    for (const key of ["Enter", "5"]) await page.keyboard.press(key);
    expect(await frame.getByTestId("answer").count()).toBe(0);
    phone.gateway.notify("talk", [`X-Jackfield-Call-ID: ${callId}`]);
    await sent(() => phone.gateway.last("200", "INVITE").body.includes("m=audio"));
    phone.gateway.acknowledge(callId);
    await told("call_accepted");
    for (const id of ["hang-up", "hold", "mute", "keypad"])
      expect(await frame.getByTestId(id).count()).toBe(0);
    for (const method of ["mute", "hold", "hangUp"])
      expect(await run(page, method)).toMatchObject({ code: "audio_only" });
    expect(await run(page, "configure", { mode: "phone" })).toEqual({ ok: { mode: "phone" } });
    await frame.getByTestId("hang-up").click();
    await told("call_ended");
  });

  it("cannot be left where the gateway's configuration says so", async () => {
    const fixed = await servePhone({ origins: [crm.origin], mode: "audio" });
    try {
      const frame = await embed({ mode: "phone" }, fixed);
      expect(await run(page, "configure", { mode: "phone" })).toMatchObject({ code: "refused" });
      expect(await status()).toMatchObject({ mode: "audio" });
      expect(await frame.getByTestId("audio-only").count()).toBe(1);
    } finally {
      await fixed.close();
    }
  });
});

describe("the example page", () => {
  it("drives the softphone beside it by buttons and breaks no rule of its policy", async () => {
    const before = browser.errors.length;
    page = await browser.open(`${phone.origin}/embed-example.html`);
    const log = page.getByTestId("log");
    await soon(async () => await log.textContent()).toContain("ready");
    const form = page.locator("form").first();
    await form.getByLabel("dn").fill("5001");
    await form.getByLabel("password").fill("secret");
    await page.getByTestId("sign_in").click();
    await soon(async () => await log.textContent()).toContain('registered {"dn":"5001"}');
    await page.getByTestId("hangup").click();
    await soon(async () => await log.textContent()).toContain("no_such_call");
    expect(await seriousFindings(page)).toEqual([]);
    expect(browser.errors.slice(before)).toEqual([]);
  });
});

describe("a wrapper in a frame of its own origin, as a gadget has it", () => {
  it("gives the softphone the microphone although its own frame says nothing of it", async () => {
    page = await browser.open(crm.origin);
    await page.evaluate(async (origin) => {
      const wrapper = document.createElement("iframe");
      document.body.append(wrapper);
      wrapper.src = location.href;
      await new Promise((loaded) => wrapper.addEventListener("load", loaded, { once: true }));
      const inside = wrapper.contentWindow;
      await inside?.embed({ origin, mode: "audio", width: 400, height: 600 });
      window.run = async (...what) => await inside?.run(...what);
    }, phone.origin);
    expect(await run(page, "signIn", { token: "good-token" })).toEqual({ ok: {} });
    expect(await status()).toMatchObject({ dn: "5001", mode: "audio" });
  });
});

describe("the shipped example of a gadget for Workspace", () => {
  it("shows the softphone at 400 x 600 with the sound only, which takes the number a person signs in with", async () => {
    let origin = "";
    const gadget = await serveGadget(() => origin);
    const site = await servePhone({ origins: [gadget.origin] });
    origin = site.origin;
    try {
      page = await browser.open(gadget.origin);
      const frame = page.frameLocator("iframe");
      await frame.getByTestId("dn").fill("5001");
      await frame.getByTestId("password").fill("secret");
      await frame.getByTestId("sign-in-go").click();
      await frame.locator('[data-testid="app"][data-state="registered"]').waitFor();
      expect(await page.locator("iframe").boundingBox()).toMatchObject({ width: 400, height: 600 });
      expect(await frame.getByTestId("dial-go").isVisible()).toBe(false);
    } finally {
      await site.close();
      await gadget.close();
    }
  });
});

describe("an embedding page by http", () => {
  it("is told why there is no microphone", async () => {
    const insecure = crm.origin.replace("127.0.0.1", "crm.test");
    const site = await servePhone({ origins: [insecure] });
    try {
      page = await browser.open(insecure);
      await page.evaluate(async (what) => await window.embed(what), { origin: site.origin });
      expect(await run(page, "signIn", { dn: "5001", password: "secret" })).toMatchObject({
        code: "refused",
        message: expect.stringMatching(/https/),
      });
    } finally {
      await site.close();
    }
  });
});
