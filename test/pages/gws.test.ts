import { createServer } from "node:http";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import type { CallView, Sandbox } from "../../src/sandbox/index.ts";
import { launchBrowser, until, type TestBrowser } from "../browser/support/index.ts";
import { StandInGws, type Fault } from "../support/gws/stand-in.ts";
import { openTestGateway, openTestSandbox, testPassword } from "../support/test-gateway.ts";
import { freeTcpPort } from "../support/free-port.ts";

/** The shipped page from the gateway itself; behind it a SIP Server, and beside that one a GWS which controls it. */

const DN = "5001";

let sandbox: Sandbox;
let gateway: Gateway;
let gws: StandInGws;
let browser: TestBrowser;
let page: Page;
let origin: string;
let before = 0;

beforeAll(async () => {
  sandbox = await openTestSandbox();
  // The page's origin must be known before the gateway is.
  const port = await freeTcpPort();
  origin = `http://127.0.0.1:${port}`;
  gws = await StandInGws.open({ sandbox, dn: DN, origins: [origin] });
  gateway = await openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    config: {
      http: { port },
      websocket: { origins: [origin] },
      agents: { newCallGraceSeconds: 1, callGraceSeconds: 3 },
      gws: { url: gws.origin },
    },
  });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
  await gateway.close();
  await gws.close();
  await sandbox.close();
});

beforeEach(async () => {
  before = browser.errors.length;
  page = await browser.open(origin);
});

afterEach(async () => {
  await page.close();
  for (const { uuid } of sandbox.calls()) sandbox.hangUp(uuid);
  await until(() => gateway.counts.calls === 0 && gateway.counts.connections === 0);
  await browser.context.clearCookies();
  gws.reset();
});

function button(name: string): ReturnType<Page["getByRole"]> {
  return page.getByRole("button", { name, exact: true });
}

async function state(id: string, wanted: string): Promise<void> {
  const found = page.locator(`[data-testid="${id}"][data-state="${wanted}"]`);
  await found.waitFor({ state: "attached" });
}

async function live(wanted = true): Promise<void> {
  await page.locator(`[data-testid="gws"][data-live="${wanted}"]`).waitFor({ state: "attached" });
}

async function says(id: string, words: string): Promise<void> {
  await expect.poll(async () => await page.getByTestId(id).textContent()).toContain(words);
}

async function signIn(): Promise<void> {
  await page.getByLabel("Your number (DN)").fill(DN);
  await page.getByLabel("Password", { exact: true }).fill(testPassword(DN));
  await page.keyboard.press("Enter");
  await state("lamp-trunk", "in-service");
}

async function signInAtGws(password = gws.password): Promise<void> {
  await page.getByLabel("Genesys user name").fill(gws.user);
  await page.getByLabel("Genesys password").fill(password);
  await button("Sign in at Genesys").click();
}

/** At work: signed in at both, events come. */
async function atWork(): Promise<void> {
  await signIn();
  await signInAtGws();
  await state("gws", "active");
  await live();
  await state("gws-state", "NotReady");
}

function call(): CallView {
  const found = sandbox.calls()[0];
  if (found === undefined) throw new Error("no call");
  return found;
}

const holding = (): boolean | undefined => call().parties.find(({ name }) => name === DN)?.holding;

async function talking(options?: Parameters<Sandbox["ring"]>[2]): Promise<string> {
  const uuid = await sandbox.ring(DN, "1003", options);
  await state("call", "ringing");
  await state("gws-data", "Ringing");
  await button("Answer").click();
  await state("call", "talking");
  await state("gws-data", "Established");
  return uuid;
}

/** What the page threw or logged, but for answers the browser itself reports. */
function pageErrors(): readonly string[] {
  return browser.errors.slice(before).filter((text) => !text.startsWith("Failed to load resource"));
}

describe("signing in at GWS", () => {
  it("begins the contact centre session after the DN is in service, and ends it at sign-out", async () => {
    gws.notRegisteredFor = 1;
    await signIn();
    await signInAtGws("wrong");
    await says("gws-problem", "user name and password");
    await signInAtGws();
    await says("gws-problem", "does not see 5001 registered");
    await state("gws", "active");
    await live();
    expect(gws.bayeux.handshakes).toContain("websocket");
    const kept = await page.evaluate(() => [
      ...Object.values(sessionStorage),
      ...Object.values(localStorage),
    ]);
    expect(kept.join()).not.toContain(gws.password);
    await button("Sign out").click();
    await until(() => gws.operations.at(-1) === "EndContactCenterSession");
    await state("app", "signed-out");
    expect(pageErrors()).toEqual([]);
  });

  it("shows and sets the agent state, and comes back by its cookie after a reload with no second session", async () => {
    await atWork();
    await page.reload();
    await signIn();
    await state("gws", "active");
    await live();
    expect(gws.operations).toEqual(["StartContactCenterSession"]);
    await button("Ready").click();
    await state("gws-state", "Ready");
    expect(gws.state).toBe("Ready");
    expect(await button("Ready").getAttribute("aria-pressed")).toBe("true");
    gws.setState("AfterCallWork");
    await says("gws-state", "After Call Work");
    await button("Not Ready").click();
    await state("gws-state", "NotReady");
  });
});

it("gives name and password to no other place that GWS sends it to", async () => {
  const heard: string[] = [];
  const elsewhere = createServer((request, response) => {
    heard.push(`${request.method} ${request.headers.authorization ?? ""}`);
    const cors = { "access-control-allow-origin": "null", "access-control-allow-credentials": "true" };
    response.writeHead(200, { ...cors, "access-control-allow-headers": "authorization" }).end("{}");
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  const address = elsewhere.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening");
  const location = `http://127.0.0.1:${address.port}/api/v2/me`;
  gws.faults.push({ match: "GET me", answer: { status: 307, body: "", location } });
  await signIn();
  await signInAtGws();
  await says("gws-problem", "cannot be reached");
  expect(heard).toEqual([]);
  await new Promise((resolve) => elsewhere.close(resolve));
});

describe("a call with GWS", () => {
  it("pops up with its data as text, is answered by NOTIFY talk, held, retrieved and hung up through GWS", async () => {
    await atWork();
    gws.hold();
    const uuid = await sandbox.ring(DN, "1003");
    await state("call", "ringing");
    // The INVITE came first: the data come when GWS tells them.
    expect(await page.getByTestId("gws-data").count()).toBe(0);
    gws.watch.attach(uuid, {
      Name: "<img src=x onerror=\"document.title='broken'\">Ann",
      Tier: { level: 3 },
    });
    gws.release();
    await says("gws-data", "Ann");
    await says("gws-data", "1003");
    expect(await page.getByTestId("gws-data").locator("img").count()).toBe(0);
    await button("Answer").click();
    await state("call", "talking");
    await state("gws-data", "Established");
    await until(() => call().state === "connected");
    await button("Hold").click();
    await until(() => holding() === true);
    await state("gws-data", "Held");
    await button("Retrieve").click();
    await until(() => holding() === false);
    await state("gws-data", "Established");
    await button("Hang up").click();
    await state("call", "none");
    await until(() => sandbox.calls().length === 0);
    expect(gws.operations.slice(1)).toEqual(["Answer", "Hold", "Retrieve", "Hangup"]);
    expect(sandbox.trace().some(({ text }) => text.startsWith("NOTIFY") && /Event: talk/i.test(text))).toBe(
      true,
    );
    expect(await page.title()).not.toContain("broken");
    expect(pageErrors()).toEqual([]);
  });

  it("is dialled through GWS: SIP Server calls the page, which answers on talk", async () => {
    await atWork();
    await page.getByLabel("Number to call").fill("9196");
    await button("Call").click();
    await state("call", "talking");
    await state("gws-data", "Established");
    await until(() => call().state === "connected");
    expect(gws.operations.slice(1)).toEqual(["Dial"]);
    await button("Keypad").click();
    await button("5").click();
    await until(() => gws.operations.includes("SendDtmf"));
    await until(() => call().parties.some(({ media }) => media?.digits === "5"));
  });

  it("is transferred in one step through GWS, and after a consultation", async () => {
    await atWork();
    const parties = (): string =>
      sandbox
        .calls()
        .map((one) => one.parties.map(({ name }) => name))
        .join("|");
    await talking();
    await button("Transfer").click();
    await page.getByLabel("Transfer to").fill("9197");
    await button("Transfer now").click();
    await state("call", "none");
    await until(() => parties() === "1003,9197");
    sandbox.hangUp(call().uuid);
    await talking();
    await button("Transfer").click();
    await page.getByLabel("Transfer to").fill("9196");
    await button("Ask first").click();
    await button("Complete transfer").waitFor();
    await until(
      () => gws.watch.all.length === 2 && sandbox.calls().every((one) => one.state === "connected"),
    );
    await button("Complete transfer").click();
    await state("call", "none");
    await until(() => parties() === "1003,9196");
    expect(gws.operations.slice(1)).toEqual([
      "Answer",
      "SingleStepTransfer",
      "Answer",
      "InitiateTransfer",
      "CompleteTransfer",
    ]);
    expect(pageErrors()).toEqual([]);
  });

  it("goes on without events, and is as it should be when they are back", async () => {
    await atWork();
    await talking();
    gws.bayeux.down = true;
    gws.bayeux.drop();
    await live(false);
    await says("gws-silent", "Calls go on");
    await button("Hold").click();
    await until(() => holding() === true);
    gws.bayeux.down = false;
    await live();
    await state("gws-data", "Held");
    await state("call", "talking");
    gws.setState("Ready");
    await state("gws-state", "Ready");
  });

  it("is controlled by SIP, and that is said, when GWS refuses, fails or answers nonsense", async () => {
    await atWork();
    await talking();
    const answers: readonly Fault["answer"][] = [
      { status: 403, body: '{"statusCode":20,"statusMessage":"Access denied"}' },
      { status: 500, body: "<html>out of order</html>" },
      { status: 200, body: '{"statusCode"' },
      "cut",
    ];
    const fellBack = page.locator("#log li", { hasText: "The phone does it by itself." });
    for (const [at, answer] of answers.entries()) {
      // A browser tries once more by itself when a connection is cut.
      gws.faults.push({ match: "Hold", answer, times: answer === "cut" ? 2 : 1 });
      await button("Hold").click();
      await expect.poll(() => fellBack.count()).toBe(at + 1);
      await until(() => holding() === true);
      await state("gws-data", "Held");
      await button("Retrieve").click();
      await until(() => holding() === false);
      await state("gws-data", "Established");
      gws.faults.length = 0;
    }
    await state("gws", "active");
    expect(await page.getByTestId("alert").textContent()).toContain("cannot be reached");
    expect(gws.operations.filter((one) => one === "Retrieve")).toHaveLength(4);
    expect(pageErrors()).toEqual([]);
  });

  it("goes on when the sign-in at GWS is over, and is controlled by SIP from then on", async () => {
    await atWork();
    await talking();
    gws.expire();
    await button("Hold").click();
    await says("gws-problem", "The sign-in at GWS has ended");
    await until(() => holding() === true);
    await state("gws", "signed-out");
    await button("Hang up").click();
    await until(() => sandbox.calls().length === 0);
    await signInAtGws();
    await state("gws", "active");
    await live();
  });
});

describe("a strict site", () => {
  it("with CSRF tokens and long-polling alone works the same, also when the token is renewed", async () => {
    gws.csrf = true;
    gws.bayeux.transports = ["long-polling"];
    await atWork();
    expect(gws.bayeux.handshakes).toEqual(["long-polling"]);
    gws.renewCsrf();
    await button("Ready").click();
    await state("gws-state", "Ready");
    await talking();
    expect(gws.operations.filter((one) => one === "Ready")).toHaveLength(2);
    expect(pageErrors().filter((text) => !text.startsWith("WebSocket connection to"))).toEqual([]);
  });
});
