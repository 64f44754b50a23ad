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

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
});
beforeEach(async () => {
  server = await serveFolder(built, { "content-security-policy": contentSecurityPolicy() });
  gateway = new FakeGateway(server.server, "secret");
  page = await browser.open(server.origin);
  await page.getByLabel("Your number (DN)").fill("5001");
  await page.getByLabel("Password").fill("secret");
  await page.getByRole("button", { name: "Sign in" }).click();
  await has("app", "registered");
});
afterEach(async () => {
  await page.close();
  gateway.close();
  await server.close();
});

async function has(id: string, state: string): Promise<void> {
  await page.locator(`[data-testid="${id}"][data-state="${state}"]`).waitFor({ state: "attached" });
}

async function talking(): Promise<string> {
  const callId = gateway.invite("5002", ["X-Genesys-CallUUID: UUID1"]);
  await has("call", "ringing");
  await page.getByTestId("answer").click();
  await expect.poll(() => gateway.last("200", "INVITE").text.length).toBeGreaterThan(10);
  gateway.acknowledge(callId);
  await has("call", "talking");
  return callId;
}

const text = async (id: string): Promise<string> => (await page.getByTestId(id).textContent()) ?? "";

function tell(callId: string, ways: object): void {
  gateway.notify(
    "x-jackfield-quality",
    [`X-Jackfield-Call-ID: ${callId}`],
    JSON.stringify({ mos: 3, ...ways }),
  );
}

describe("how a call sounds", () => {
  it("is shown for both directions in words and figures, with a chart that says what it shows, on 300 x 500 too", async () => {
    await page.setViewportSize({ width: 300, height: 500 });
    const callId = await talking();
    tell(callId, {
      fromBrowser: { mos: 4.4, lossPercent: 0, jitterMs: 2, roundTripMs: 24 },
      toTrunk: { mos: 3.4, lossPercent: 4.26, jitterMs: 9 },
      fromTrunk: { mos: 4.3, lossPercent: 0.1, jitterMs: 1 },
      toBrowser: { mos: 4.2, lossPercent: 0, jitterMs: 3, roundTripMs: 24 },
    });
    await expect.poll(async () => await text("quality-to-caller")).toBe("You → caller3.4 poor4.3 %9 ms");
    expect(await text("quality-from-caller")).toBe("Caller → you4.2 good0.1 %3 ms");
    expect(await page.getByTestId("quality").textContent()).toContain("24 ms there and back");
    await expect
      .poll(async () => await page.getByTestId("quality-chart").getAttribute("aria-label"))
      .toBe("Scores of the last two minutes: you to caller 3.4 to 3.4, caller to you 4.2 to 4.2");
    await expect
      .poll(async () => await text("quality-warnings"))
      .toContain("The line behind the gateway loses sound (4 %).");
    const table = await page.getByTestId("quality").locator("table").boundingBox();
    expect((table?.x ?? 300) + (table?.width ?? 300)).toBeLessThanOrEqual(290);
    const shots = process.env["JACKFIELD_SHOTS"];
    if (shots !== undefined) await page.screenshot({ path: join(shots, "call-300.png") });
    const hangUp = await page.getByTestId("hang-up").boundingBox();
    expect((hangUp?.y ?? 500) + (hangUp?.height ?? 500)).toBeLessThanOrEqual(500);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(300);
    if (shots !== undefined) {
      await page.setViewportSize({ width: 1000, height: 700 });
      await page.getByTestId("connection").locator("summary").click();
      await page.screenshot({ path: join(shots, "call-1000.png") });
    }
    gateway.bye(callId);
    await has("call", "none");
    expect(await page.getByTestId("quality").count()).toBe(0);
  });
});

describe("the connection", () => {
  it("is told in one sentence, each part behind it, and what the page does about what is lost", async () => {
    expect(await text("connection-sentence")).toBe("Ready for calls.");
    gateway.notify("x-jackfield-trunk", [], '{"state":"rejected","reason":"403 Forbidden"}');
    await expect
      .poll(async () => await text("connection-sentence"))
      .toBe("You cannot be called: SIP Server refuses your number (403 Forbidden); tell support.");
    gateway.notify("x-jackfield-trunk", [], '{"state":"in-service","reason":""}');
    await expect.poll(async () => await text("connection-sentence")).toBe("Ready for calls.");
    await page.getByTestId("connection").locator("summary").click();
    expect(await page.getByTestId("connection").locator("dd").allTextContents()).toEqual([
      "connected",
      "yes",
      "in service",
      "no call",
    ]);
    const open = page.locator('[data-testid="connection"][open]');
    await page.keyboard.press("Escape");
    await open.waitFor({ state: "detached" });
    await page.getByTestId("connection").locator("summary").click();
    await open.waitFor();
    // Its keys are not found under it.
    await talking();
    await expect
      .poll(async () => await page.getByTestId("connection").locator("dd").last().textContent())
      .toMatch(/gateway/);
    gateway.cutSocket();
    await expect
      .poll(async () => await text("connection-sentence"))
      .toMatch(/trying again within 8 s\. Your call goes on|sound of your call/);
    await has("app", "registered");
  });
});

describe("copy diagnostics", () => {
  /** The settings' drawer has the button. */
  async function copy(): Promise<void> {
    if ((await page.getByTestId("copy-diagnostics").count()) === 0)
      await page.getByTestId("settings").click();
    await page.getByTestId("copy-diagnostics").click();
  }

  it("puts what support needs on the clipboard, without password, token or digits", async () => {
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.origin });
    const callId = await talking();
    tell(callId, { fromBrowser: { mos: 4.4, lossPercent: 0, jitterMs: 2, roundTripMs: 24 } });
    await page.evaluate(() => {
      RTCDTMFSender.prototype.insertDTMF = () => {};
    });
    await page.getByTestId("keypad").click();
    for (const digit of "90731") await page.keyboard.press(digit);
    await expect.poll(async () => await text("sent")).toContain("90731");
    gateway.notify("x-jackfield-trunk", ["User-Agent: Jackfield/9.9"], '{"state":"in-service"}');
    await expect.poll(async () => await text("lamp-trunk")).toContain("in service");
    await copy();
    await expect.poll(async () => await text("diagnostics-said")).toContain("Copied");
    const copied = await page.evaluate(async () => await navigator.clipboard.readText());
    for (const said of [
      "DN: 5001",
      "Gateway: Jackfield/9.9",
      `Call-ID ${callId}, CallUUID UUID1`,
      "fromBrowser 4.4 / 0.0 / 2 / 24",
      "HeadlessChrome",
      "registration: registered",
      "audioinput",
      '"label":"Fake',
      "codec: mimeType audio/PCMU",
    ])
      expect(copied).toContain(said);
    for (const secret of ["secret", "90731", "a=ice-pwd"]) expect(copied).not.toContain(secret);
    gateway.bye(callId, ['Reason: SIP;cause=503;text="Gone"']);
    await has("call", "none");
    await copy();
    await expect
      .poll(async () => await page.evaluate(async () => await navigator.clipboard.readText()))
      .toMatch(/ended by the far side: .*503 Gone/);
  });

  it("shows the text where the browser does not let it copy", async () => {
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"));
    });
    await copy();
    await expect
      .poll(async () => await page.getByTestId("diagnostics-text").inputValue())
      .toContain("DN: 5001");
    expect(await text("diagnostics-said")).toContain("Ctrl+C");
    const shots = process.env["JACKFIELD_SHOTS"];
    if (shots !== undefined) await page.screenshot({ path: join(shots, "diagnostics.png") });
  });
});
