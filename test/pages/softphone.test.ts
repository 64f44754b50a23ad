import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { contentSecurityPolicy } from "../../src/ws/index.ts";
import { FakeGateway } from "../browser/support/fake-gateway.ts";
import { launchBrowser, serveFolder, type PageServer, type TestBrowser } from "../browser/support/index.ts";

const built = join(import.meta.dirname, "..", "..", "web", "dist");

let server: PageServer;
let gateway: FakeGateway;
let browser: TestBrowser;
let page: Page;
/** The test before has left its page signed in and without a call: opening one anew takes a second. */
let reusable = false;
/** Errors the page threw or logged before this test. */
let before = 0;

beforeAll(async () => {
  browser = await launchBrowser({ extraArgs: ["--host-resolver-rules=MAP phone.test 127.0.0.1"] });
});

afterAll(async () => {
  if (reusable) await close();
  await browser.close();
});

beforeEach(() => {
  before = browser.errors.length;
});

afterEach(async ({ task }) => {
  reusable = task.result?.state !== "fail" && (await isIdle());
  if (!reusable) await close();
});

async function isIdle(): Promise<boolean> {
  if (page.isClosed() || (await page.getByRole("alert").isVisible())) return false;
  const states = await page.evaluate(() =>
    ["app", "call"].map((id) => document.querySelector(`[data-testid="${id}"]`)?.getAttribute("data-state")),
  );
  return states.join() === "registered,none" && (await page.getByLabel("Number to call").isVisible());
}

async function close(): Promise<void> {
  reusable = false;
  await page.close();
  gateway.close();
  await server.close();
}

/** Serves what `open` opens. */
async function serve(): Promise<void> {
  if (reusable) await close();
  server = await serveFolder(built, { "content-security-policy": contentSecurityPolicy() });
  gateway = new FakeGateway(server.server, "secret");
}

async function open(): Promise<void> {
  await serve();
  page = await browser.open(server.origin);
}

function pageErrors(): readonly string[] {
  return browser.errors.slice(before);
}

async function signIn(password = "secret"): Promise<void> {
  await page.getByLabel("Your number (DN)").fill("5001");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

async function state(id: string, wanted: string): Promise<void> {
  await page.locator(`[data-testid="${id}"][data-state="${wanted}"]`).waitFor({ state: "attached" });
}

async function signedInAnew(): Promise<void> {
  await open();
  await signIn();
  await state("app", "registered");
}

/** On the page of the test before, where that left it so. */
async function signedIn(): Promise<void> {
  if (!reusable) return await signedInAnew();
  gateway.received.length = 0;
}

function button(name: string): ReturnType<Page["getByRole"]> {
  return page.getByRole("button", { name, exact: true });
}

/** Waits until the page has sent what `look` finds. */
async function sent<T>(look: () => T | undefined | false | ""): Promise<T> {
  return await expect
    .poll(look)
    .toBeTruthy()
    .then(() => {
      const found = look();
      if (!found) throw new Error("gone again");
      return found;
    });
}

async function talking(from = "5002"): Promise<string> {
  const callId = gateway.invite(from);
  await state("call", "ringing");
  await button("Answer").click();
  await sent(() => gateway.last("200", "INVITE").text.length > 10);
  gateway.acknowledge(callId);
  await state("call", "talking");
  return callId;
}

describe("signing in", () => {
  it("registers, says which events it takes, shows it, and breaks no rule of the content security policy", async () => {
    await signedInAnew();
    await state("lamp-socket", "connected");
    await state("lamp-trunk", "unknown");
    const register = gateway.last("REGISTER");
    expect(register.header("Allow-Events")).toBe(
      "talk, hold, beep, message-summary, x-jackfield-trunk, x-jackfield-quality, x-jackfield-call, x-jackfield-turn, x-jackfield-resume",
    );
    expect(register.header("Contact")).toContain('+sip.instance="<urn:uuid:');
    expect(await page.getByTestId("who").textContent()).toBe("5001");
    expect(pageErrors()).toEqual([]);
  });

  it("keeps its instance over a reload of the tab, and the number, and never the password", async () => {
    await signedInAnew();
    const instance = /sip\.instance="([^"]+)"/.exec(gateway.last("REGISTER").header("Contact"))?.[1];
    await page.reload();
    expect(await page.getByLabel("Your number (DN)").inputValue()).toBe("5001");
    expect(await page.getByLabel("Password").inputValue()).toBe("");
    await signIn();
    await state("app", "registered");
    expect(gateway.last("REGISTER").header("Contact")).toContain(instance);
    const kept = await page.evaluate(() =>
      [sessionStorage, localStorage].flatMap((one) => Object.values(one)),
    );
    expect(kept.join()).toContain("5001");
    expect(kept.join()).not.toContain("secret");
  });

  it("says that number or password is wrong, and stays signed out", async () => {
    await open();
    await signIn("wrong");
    await expect
      .poll(async () => await page.getByRole("alert").textContent())
      .toContain("Wrong number or password");
    await state("app", "signed-out");
    expect(await page.getByLabel("Password").isVisible()).toBe(true);
  });

  it("says how to allow the microphone when it is blocked, and registers nobody", async () => {
    await serve();
    const shy = await launchBrowser({ microphone: "deny" });
    try {
      page = await shy.open(server.origin);
      await signIn();
      await expect
        .poll(async () => await page.getByRole("alert").textContent())
        .toContain("microphone is blocked");
      await state("app", "signed-out");
      expect(gateway.received).toEqual([]);
    } finally {
      await shy.close();
    }
  });

  it("says that it must come by https where browsers give no microphone, and registers nobody", async () => {
    await serve();
    page = await browser.open(server.origin.replace("127.0.0.1", "phone.test"));
    await signIn();
    const alert = page.getByRole("alert");
    await expect.poll(async () => await alert.textContent()).toMatch(/secure pages.*https:/);
    await state("app", "signed-out");
    expect(gateway.received).toEqual([]);
  });

  it("says when the gateway does not tell how the page is set up", async () => {
    await browser.context.route("**/settings.json", (route) => route.abort());
    try {
      await open();
      await expect
        .poll(async () => await page.getByRole("alert").textContent())
        .toContain("did not say how this page is set up");
    } finally {
      await browser.context.unroute("**/settings.json");
    }
  });

  it("un-registers at sign-out", async () => {
    await signedInAnew();
    await button("Sign out").click();
    await state("app", "signed-out");
    await sent(() => /expires=0/.test(gateway.last("REGISTER").header("Contact")));
  });
});

describe("status", () => {
  it("shows the registration at SIP Server as the gateway tells it, with the reason", async () => {
    await signedIn();
    gateway.notify(
      "x-jackfield-trunk",
      [],
      '{"state":"rejected","reason":"404 Not Found: DN not configured"}',
    );
    await state("lamp-trunk", "rejected");
    expect(await page.getByTestId("lamp-trunk").textContent()).toContain("404 Not Found: DN not configured");
    gateway.notify("x-jackfield-trunk", [], '{"state":"in-service","reason":""}');
    await state("lamp-trunk", "in-service");
  });

  it("disregards a status it cannot read", async () => {
    await signedIn();
    gateway.notify("x-jackfield-trunk", [], '{"state":"in-service","reason":""}');
    await state("lamp-trunk", "in-service");
    for (const body of ["{", '{"state":"on fire"}', "null", '"in-service"'])
      gateway.notify("x-jackfield-trunk", [], body);
    await sent(() => gateway.received.filter((one) => one.name === "200").length >= 5);
    await state("lamp-trunk", "in-service");
    expect(pageErrors()).toEqual([]);
  });

  it("tells of a lost connection and comes back by itself", async () => {
    await signedIn();
    gateway.cutSocket();
    await state("lamp-socket", "lost");
    expect(await page.getByRole("alert").textContent()).toContain("No connection");
    await state("app", "registered");
    expect(await page.getByRole("alert").isVisible()).toBe(false);
  });
});

describe("calling", () => {
  it("says in words why it came to nothing: 486, 480, 488, 503", async () => {
    await signedIn();
    for (const [number, words] of [
      ["486", "Busy"],
      ["480", "Not available"],
      ["488", "no sound format in common"],
      ["503", "No line is free"],
    ] as const) {
      await page.getByLabel("Number to call").fill(number);
      await page.keyboard.press("Enter");
      await expect.poll(async () => await page.getByRole("alert").textContent()).toContain(words);
      expect(await page.getByRole("alert").textContent()).toContain(number);
      await state("call", "none");
    }
  });

  it("dials from the keypad, shows that it rings there, and cancels", async () => {
    await signedIn();
    for (const key of ["5", "0", "0", "2"]) await button(key).click();
    await button("Call").click();
    await state("call", "alerting");
    expect(gateway.last("INVITE").startLine).toContain("sip:5002@");
    expect(gateway.last("INVITE").body).toContain("m=audio");
    expect(gateway.last("INVITE").body).not.toContain("m=video");
    await button("Hang up").click();
    await sent(() => gateway.last("CANCEL").text.length > 10);
  });
});

describe("a call's data", () => {
  it("is shown as text and never as markup, and follows what SIP Server changes", async () => {
    await signedIn();
    const callId = gateway.invite("5002", [
      "User-to-User: 48656c6c6f20416e6e;encoding=hex",
      "X-Genesys-Queue: <img src=x onerror=\"document.title='broken'\"><b>Sales</b>",
      "X-Genesys-CallUUID: 0ABC",
    ]);
    await state("call", "ringing");
    const data = page.getByTestId("call-data");
    const rows = async () => await data.locator("dt, dd").allTextContents();
    const queue = "<img src=x onerror=\"document.title='broken'\"><b>Sales</b>";
    expect(await rows()).toEqual(["User data", "Hello Ann", "Queue", queue, "Call UUID", "0ABC"]);
    expect(await data.locator("img, b").count()).toBe(0);
    const changed = { callUuid: "0DEF", headers: [["P-Asserted-Identity", '"Bob <i>" <sip:1009@a>']] };
    gateway.notify("x-jackfield-call", [`X-Jackfield-Call-ID: ${callId}`], JSON.stringify(changed));
    await expect.poll(async () => (await rows()).join("|")).toContain("Call UUID|0DEF");
    expect(await page.getByTestId("call-peer").textContent()).toBe("Bob <i> (1009)");
    gateway.notify("x-jackfield-call", ["X-Jackfield-Call-ID: another"], '{"callUuid":"0XXX"}');
    gateway.notify("x-jackfield-call", [`X-Jackfield-Call-ID: ${callId}`], "{");
    gateway.cancel(callId);
    await state("call", "none");
    expect(await page.title()).not.toContain("broken");
    expect(pageErrors()).toEqual([]);
  });
});

describe("being called", () => {
  it("rings with what is known of the caller, and answers by button", async () => {
    await signedIn();
    const callId = gateway.invite("5002", [
      "P-Asserted-Identity: <sip:+4930123@example.com>",
      "X-Genesys-CallUUID: 0ABC",
    ]);
    await state("call", "ringing");
    expect(await page.getByTestId("call-peer").textContent()).toBe("5002");
    expect(await page.getByTestId("call-data").textContent()).toContain("+4930123");
    expect(await page.title()).toContain("5002");
    await button("Answer").click();
    await sent(() => gateway.last("200", "INVITE").body.includes("m=audio"));
    gateway.acknowledge(callId);
    await state("call", "talking");
    await expect.poll(async () => await page.getByTestId("call-timer").textContent()).toBe("0:01");
    gateway.bye(callId);
    await state("call", "none");
    expect(await page.getByRole("alert").isVisible()).toBe(false);
  });

  it("shows the far side's reason when a call of SIP Server's making comes to nothing", async () => {
    await signedIn();
    gateway.bye(await talking(), ['Reason: SIP;cause=404;text="Not Found"']);
    await state("call", "none");
    await expect
      .poll(async () => await page.getByRole("alert").textContent())
      .toContain("There is no such number. (404 Not Found)");
  });

  it("has its microphone from the sign-in on: answering opens no device", async () => {
    await open();
    await page.evaluate(() => {
      const media = navigator.mediaDevices;
      const getUserMedia = media.getUserMedia.bind(media);
      Reflect.set(window, "opened", 0);
      media.getUserMedia = async (constraints) => {
        Reflect.set(window, "opened", Number(Reflect.get(window, "opened")) + 1);
        return await getUserMedia(constraints);
      };
    });
    const opened = async () => await page.evaluate(() => Number(Reflect.get(window, "opened")));
    await signIn();
    await state("app", "registered");
    expect(await opened()).toBe(1);
    const callId = gateway.invite("5002");
    await state("call", "ringing");
    gateway.notify("talk", [`X-Jackfield-Call-ID: ${callId}`]);
    await sent(() => gateway.last("200", "INVITE").body.includes("m=audio"));
    expect(await opened()).toBe(1);
    gateway.cancel(callId);
  });

  it("answers on talk that names its Call-ID, once, and on no other", async () => {
    await signedIn();
    const callId = gateway.invite("5002");
    await state("call", "ringing");
    gateway.notify("talk", ["X-Jackfield-Call-ID: another"]);
    gateway.notify("talk", []);
    await sent(() => gateway.received.filter((one) => one.header("CSeq").endsWith("NOTIFY")).length >= 2);
    await state("call", "ringing");
    gateway.notify("talk", [`X-Jackfield-Call-ID: ${callId}`]);
    gateway.notify("talk", [`X-Jackfield-Call-ID: ${callId}`]);
    await sent(() => gateway.last("200", "INVITE").body.includes("m=audio"));
    gateway.acknowledge(callId);
    await state("call", "talking");
    gateway.notify("talk", [`X-Jackfield-Call-ID: ${callId}`]);
    await sent(() => gateway.received.filter((one) => one.header("CSeq").endsWith("NOTIFY")).length >= 5);
    await state("call", "talking");
    gateway.bye(callId);
    await state("call", "none");
    expect(pageErrors()).toEqual([]);
  });

  it("rejects, and stops ringing when the caller gives up", async () => {
    await signedIn();
    gateway.invite("5002");
    await state("call", "ringing");
    await button("Reject").click();
    await sent(() => gateway.last("486", "INVITE").text.length > 10);
    await state("call", "none");
    const second = gateway.invite("5003");
    await state("call", "ringing");
    gateway.cancel(second);
    await state("call", "none");
    expect(await page.getByRole("alert").isVisible()).toBe(false);
  });

  it("shows a second call beside the first, and goes over to the one that SIP Server answers or retrieves", async () => {
    await signedIn();
    const first = await talking();
    const others = async (): Promise<string> => (await page.getByTestId("other-calls").textContent()) ?? "";
    const second = gateway.invite("5003");
    await expect.poll(others).toContain("5003: Incoming call");
    expect(await page.getByTestId("call-peer").textContent()).toBe("5002");
    gateway.notify("hold", [`X-Jackfield-Call-ID: ${first}`]);
    gateway.notify("talk", [`X-Jackfield-Call-ID: ${second}`]);
    await expect.poll(async () => await page.getByTestId("call-peer").textContent()).toBe("5003");
    const answer = await sent(() =>
      gateway.received.find((one) => one.name === "200" && one.header("Call-ID") === second),
    );
    expect(answer.body).toContain("m=audio");
    gateway.acknowledge(second);
    await state("call", "talking");
    await expect.poll(others).toContain("5002: On hold");
    gateway.notify("hold", [`X-Jackfield-Call-ID: ${second}`]);
    await expect.poll(async () => await page.getByTestId("call-phase").textContent()).toBe("On hold");
    await button("Switch to 5002").click();
    await expect.poll(async () => await page.getByTestId("call-phase").textContent()).toBe("In call");
    expect(await page.getByTestId("call-peer").textContent()).toBe("5002");
    gateway.bye(first);
    await expect.poll(async () => await page.getByTestId("call-peer").textContent()).toBe("5003");
    gateway.bye(second);
    await state("call", "none");
    expect(pageErrors()).toEqual([]);
  });

  it("rejects a second call, and the first goes on", async () => {
    await signedIn();
    const callId = await talking();
    const second = gateway.invite("5003");
    await button("Reject 5003").click();
    await sent(() => gateway.received.find((one) => one.name === "486" && one.header("Call-ID") === second));
    await state("call", "talking");
    await expect.poll(async () => await page.getByTestId("other-calls").isVisible()).toBe(false);
    expect(await page.getByTestId("call-peer").textContent()).toBe("5002");
    gateway.bye(callId);
    await state("call", "none");
  });

  it("tells a fourth caller that it is busy, and leaves the calls alone", async () => {
    await signedIn();
    await talking();
    gateway.invite("5003");
    gateway.invite("5004");
    gateway.invite("5005");
    await sent(() => gateway.last("486", "INVITE").text.length > 10);
    await state("call", "talking");
    expect(await page.getByTestId("call-peer").textContent()).toBe("5002");
  });
});

describe("in a call", () => {
  it("shows how that call sounds, and nothing when it is not known", async () => {
    await signedIn();
    const callId = await talking();
    const shown = async (): Promise<string | null> => await page.getByTestId("call-quality").textContent();
    const told = (id: string, body: string): void =>
      gateway.notify("x-jackfield-quality", [`X-Jackfield-Call-ID: ${id}`], body);
    expect(await shown()).toBe("");
    told("another", '{"mos":1.2}');
    told(callId, '{"mos":4.31,"roundTripMs":12.4,"lossPercent":0}');
    await expect.poll(shown).toBe("Quality 4.3 (round trip 12 ms, loss 0 %)");
    told("another", '{"mos":1.2}');
    told(callId, '{"mos":3.04,"lossPercent":4.26}');
    await expect.poll(shown).toBe("Quality 3.0 (loss 4.3 %)");
    told(callId, "{}");
    await expect.poll(shown).toBe("");
    gateway.bye(callId);
    await state("call", "none");
    expect(pageErrors()).toEqual([]);
  });

  it("mutes, holds and retrieves by re-INVITE, sends digits by keypad and keyboard, and hangs up", async () => {
    await signedIn();
    // Nobody is at the other end of this test's calls, and Chromium's own sender wants somebody there.
    await page.evaluate(() => {
      RTCDTMFSender.prototype.insertDTMF = (tones) => void (document.body.dataset["tones"] = tones);
    });
    await talking();
    await button("Mute").click();
    expect(await button("Unmute").getAttribute("aria-pressed")).toBe("true");
    await button("Unmute").click();
    await button("Hold").click();
    await sent(() => gateway.last("INVITE").body.includes("a=sendonly"));
    await button("Retrieve").click();
    await sent(() => gateway.last("INVITE").body.includes("a=sendrecv"));
    await button("Keypad").click();
    await button("7").click();
    await page.keyboard.press("#");
    expect(await page.getByTestId("sent").textContent()).toBe("Sent: 7#");
    expect(await page.evaluate(() => document.body.dataset["tones"])).toBe("#");
    await button("Hang up").click();
    await sent(() => gateway.last("BYE").text.length > 10);
    await state("call", "none");
    expect(pageErrors()).toEqual([]);
  });

  it("is held and retrieved by SIP Server's remote control", async () => {
    await signedIn();
    const callId = await talking();
    gateway.notify("hold", [`X-Jackfield-Call-ID: ${callId}`]);
    await sent(() => gateway.last("INVITE").body.includes("a=sendonly"));
    await button("Retrieve").waitFor();
    gateway.notify("talk", [`X-Jackfield-Call-ID: ${callId}`]);
    await sent(() => gateway.last("INVITE").body.includes("a=sendrecv"));
    await button("Hold").waitFor();
    gateway.bye(callId);
    await state("call", "none");
  });

  it("ends as SIP Server's last word says when hold and talk come at once", async () => {
    await signedIn();
    const callId = await talking();
    for (const event of ["hold", "talk", "hold", "talk"])
      gateway.notify(event, [`X-Jackfield-Call-ID: ${callId}`]);
    await sent(() => gateway.last("INVITE").body.includes("a=sendrecv"));
    await expect.poll(async () => await page.getByTestId("call-phase").textContent()).toBe("In call");
    gateway.notify("talk", [`X-Jackfield-Call-ID: ${callId}`]);
    gateway.notify("hold", [`X-Jackfield-Call-ID: ${callId}`]);
    await sent(() => gateway.last("INVITE").body.includes("a=sendonly"));
    await expect.poll(async () => await page.getByTestId("call-phase").textContent()).toBe("On hold");
    await state("call", "talking");
    gateway.bye(callId);
    await state("call", "none");
  });

  it("shows that the far side still rings, another call UUID, and messages that wait; beeps without harm", async () => {
    await signedIn();
    const callId = await talking();
    const about = [`X-Jackfield-Call-ID: ${callId}`];
    const phase = async (): Promise<string | null> => await page.getByTestId("call-phase").textContent();
    gateway.notify("x-jackfield-call", about, '{"far":"ringing","callUuid":"NEW1"}');
    await expect.poll(phase).toBe("Ringing…");
    expect(await page.getByTestId("call-data").textContent()).toContain("NEW1");
    gateway.notify("x-jackfield-call", about, '{"far":"connected"}');
    await expect.poll(phase).toBe("In call");
    gateway.notify("beep", about);
    gateway.notify("message-summary", [], "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n");
    await state("lamp-messages", "waiting");
    expect(await page.getByTestId("lamp-messages").textContent()).toContain("2 new, 8 old");
    gateway.notify("message-summary", [], "Messages-Waiting: no\r\n");
    await state("lamp-messages", "none");
    gateway.bye(callId);
    await state("call", "none");
    expect(pageErrors()).toEqual([]);
  });

  it("goes on while the connection is lost and comes back", async () => {
    await signedIn();
    const callId = await talking();
    gateway.cutSocket();
    await state("lamp-socket", "lost");
    await state("call", "talking");
    expect(await page.getByRole("alert").textContent()).toContain("The call goes on");
    await state("app", "registered");
    gateway.bye(callId);
    await state("call", "none");
  });

  it("goes on when the connection is lost while it is being held, and is held when it is back", async () => {
    await signedIn();
    const callId = await talking();
    gateway.silent = true;
    await button("Hold").click();
    await sent(() => gateway.last("INVITE").text.includes("a=sendonly"));
    gateway.cutSocket();
    await state("lamp-socket", "lost");
    await state("call", "talking");
    gateway.silent = false;
    const lost = gateway.last("INVITE");
    await sent(() => gateway.last("INVITE") !== lost && gateway.last("INVITE").text.includes("a=sendonly"));
    await state("app", "registered");
    await button("Retrieve").click();
    await sent(() => gateway.last("INVITE").text.includes("a=sendrecv"));
    gateway.bye(callId);
    await state("call", "none");
    expect(pageErrors()).toEqual([]);
  });

  it("goes on when the gateway takes the sign-in no more, and nobody is signed in after it", async () => {
    await signedIn();
    const callId = await talking();
    gateway.signInRefusal = "403 Sign-In Expired";
    gateway.cutSocket();
    await state("lamp-here", "failed");
    await state("call", "talking");
    expect(await page.getByRole("alert").textContent()).toContain("The call goes on");
    await button("Hold").click();
    await sent(() => gateway.last("INVITE").text.includes("a=sendonly"));
    await state("call", "talking");
    gateway.bye(callId);
    await state("app", "signed-out");
    expect(await page.getByRole("alert").textContent()).toContain("Your sign-in has expired");
    expect(pageErrors()).toEqual([]);
  });

  it("ends with the tab", async () => {
    await signedIn();
    await talking();
    await page.reload();
    await sent(() => gateway.last("BYE").text.length > 10);
  });
});

describe("a window of 300 x 500", () => {
  /** What of these cannot be seen or pressed without scrolling sideways or down. */
  async function outside(names: readonly string[]): Promise<string[]> {
    const faults: string[] = [];
    for (const name of names) {
      const box = await button(name).boundingBox();
      if (box === null || box.x < 0 || box.x + box.width > 300 || box.y + box.height > 500) faults.push(name);
    }
    return faults;
  }

  it("has all of the phone in sight", async () => {
    await open();
    await page.setViewportSize({ width: 300, height: 500 });
    expect(await outside(["Sign in"])).toEqual([]);
    await signIn();
    await state("app", "registered");
    expect(await outside(["1", "9", "hash", "Call", "Sign out"])).toEqual([]);
    await talking();
    expect(await outside(["Mute", "Hold", "Keypad", "Hang up"])).toEqual([]);
    await button("Keypad").click();
    expect(await outside(["1", "hash", "Hang up"])).toEqual([]);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(300);
  });
});
