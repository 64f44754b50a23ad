import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { adminContentSecurityPolicy, contentSecurityPolicy } from "../../src/ws/index.ts";
import { FakeGateway } from "../browser/support/fake-gateway.ts";
import { launchBrowser, serveFolder, type PageServer, type TestBrowser } from "../browser/support/index.ts";
import { FakeAdmin } from "./support/fake-admin.ts";

/** What callers and SIP Server can put into a message is shown as text, and nothing of it runs. */

const built = join(import.meta.dirname, "..", "..", "web", "dist");

const image = "<img src=x onerror='window.harmed=1'>";
const script = "<script>window.harmed=1</script>";
const vector = "<svg/onload=window.harmed=1>";
const link = "<a href='javascript:window.harmed=1'>here</a>";
const sheet = "<style>*{display:none}</style>";
const braces = "{{constructor.constructor('window.harmed=1')()}}${window.harmed=1}";
const breakout = `"></dd><iframe srcdoc="${script}">`;

let browser: TestBrowser;
let server: PageServer;
let page: Page;
let before = 0;

beforeAll(async () => {
  browser = await launchBrowser();
  await browser.context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) => {
      const told: unknown = Reflect.get(window, "violations") ?? [];
      Reflect.set(window, "violations", [
        ...(Array.isArray(told) ? told : []),
        `${effectiveDirective} ${blockedURI}`,
      ]);
    });
  });
});
afterAll(() => browser.close());
beforeEach(() => void (before = browser.errors.length));
afterEach(async () => {
  await page.close();
  await server.close();
});

/** Nothing ran, nothing was kept from running, nothing became an element. */
async function unharmed(): Promise<void> {
  const found = await page.evaluate(() => ({
    harmed: Reflect.get(window, "harmed") ?? null,
    violations: Reflect.get(window, "violations") ?? [],
    elements: document.querySelectorAll(
      "body img[onerror], body script, svg[onload], iframe, body style, a[href^='javascript']",
    ).length,
  }));
  expect(found).toEqual({ harmed: null, violations: [], elements: 0 });
  // There is no settings.json behind this server; whatever else cannot be loaded has become an element above.
  const errors = browser.errors.slice(before).filter((error) => !error.startsWith("Failed to load resource"));
  expect(errors).toEqual([]);
}

async function state(id: string, wanted: string): Promise<void> {
  await page.locator(`[data-testid="${id}"][data-state="${wanted}"]`).waitFor({ state: "attached" });
}

const text = async (id: string): Promise<string> => (await page.getByTestId(id).textContent()) ?? "";
const shows = (id: string, wanted: string): Promise<void> => expect.poll(() => text(id)).toContain(wanted);

it("the softphone shows hostile messages as text and goes on", async () => {
  server = await serveFolder(built, { "content-security-policy": contentSecurityPolicy() });
  const gateway = new FakeGateway(server.server, "secret");
  try {
    page = await browser.open(`${server.origin}/#dn=${encodeURIComponent(image)}`);
    expect(await page.getByTestId("dn").inputValue()).toBe(image);
    await page.getByTestId("dn").fill("5001");
    await page.getByTestId("password").fill("secret");
    await page.getByTestId("sign-in-go").click();
    await state("app", "registered");
    gateway.notify("x-jackfield-trunk", [], JSON.stringify({ state: "rejected", reason: `404 ${image}` }));
    await shows("lamp-trunk", image);
    gateway.notify("message-summary", [], `Messages-Waiting: yes\r\nVoice-Message: ${image}/${script}\r\n`);

    const first = gateway.invite(`"${vector}" <sip:5002@jackfield.test>`, [
      `P-Asserted-Identity: "${image}" <sip:1003@jackfield.test>`,
      `Diversion: "${script}" <sip:1004@jackfield.test>;reason=unknown`,
      `History-Info: <sip:1005@jackfield.test>;index=1, ${link}`,
      `User-to-User: ${Buffer.from(script).toString("hex")};encoding=hex`,
      `Call-Info: <javascript:window.harmed=1>;purpose=info`,
      `Alert-Info: <https://a/>;info="${image}"`,
      `Subject: ${sheet}`,
      ...[
        "Organization",
        "Priority",
        "Remote-Party-ID",
        "Reply-To",
        "Server",
        "User-Agent",
        "Warning",
        "Geolocation",
      ].map((name) => `${name}: ${script}`),
      `X-Genesys-CallUUID: ${breakout}`,
      `X-Genesys-Queue: ${braces}`,
      `X-Genesys-__proto__: ${vector}`,
      `X-constructor: ${link}`,
    ]);
    await state("call", "ringing");
    for (const payload of [image, script, link, sheet, breakout, braces, vector])
      await shows("call-data", payload);
    const changed = { callUuid: image, headers: [["P-Asserted-Identity", `"${link}" <sip:1009@a>`]] };
    gateway.notify("x-jackfield-call", [`X-Jackfield-Call-ID: ${first}`], JSON.stringify(changed));
    await shows("call-peer", link);
    const figures = JSON.stringify({ mos: image, roundTripMs: script, fromBrowser: { mos: vector } });
    gateway.notify("x-jackfield-quality", [`X-Jackfield-Call-ID: ${first}`], figures);
    await unharmed();

    await page.getByTestId("answer").click();
    await expect.poll(() => gateway.last("200", "INVITE").text.length).toBeGreaterThan(10);
    gateway.acknowledge(first);
    await state("call", "talking");
    gateway.bye(first, [`Reason: SIP;cause=404;text="${image}"`]);
    await state("call", "none");
    await shows("alert", image);
    await shows("log", image);
    await shows("history-list", link);
    await unharmed();

    // No gateway sends brackets or quotes in a phrase (createResponse), and JsSIP would drop them.
    for (const phrase of [
      "&lt;img src=x onerror='window.harmed=1'&gt;",
      "%3Cimg%20src=x%3E",
      "constructor",
    ]) {
      gateway.phrase = phrase;
      await page.getByTestId("number").fill("403");
      await page.keyboard.press("Enter");
      await shows("alert", `(403 ${phrase})`);
      expect(await text("alert")).toContain("This call is not allowed.");
      await state("call", "none");
    }
    await unharmed();

    await page.evaluate((hash) => (location.hash = hash), `#dial=${encodeURIComponent(`tel:${image}`)}`);
    gateway.invite("5003");
    await state("call", "ringing");
    expect(await text("call-peer")).toBe("5003");
    await unharmed();
  } finally {
    gateway.close();
  }
});

it("the softphone says in its own words that a sign-in was refused, whatever the phrase", async () => {
  server = await serveFolder(built, { "content-security-policy": contentSecurityPolicy() });
  const gateway = new FakeGateway(server.server, "secret");
  try {
    page = await browser.open(server.origin);
    for (const refusal of ["403 constructor", "403 __proto__", "404 toString", "433 &lt;script&gt;"]) {
      gateway.signInRefusal = refusal;
      await page.getByTestId("dn").fill("5001");
      await page.getByTestId("password").fill("secret");
      await page.getByTestId("sign-in-go").click();
      const words = {
        403: "Wrong number or password.",
        404: "does not know",
        433: "refused the sign-in (433)",
      };
      const [, wanted = ""] = Object.entries(words).find(([status]) => refusal.startsWith(status)) ?? [];
      await shows("alert", wanted);
      await unharmed();
    }
  } finally {
    gateway.close();
  }
});

it("the dashboard shows hostile DNs, browsers, numbers and reasons as text", async () => {
  server = await serveFolder(built, { "content-security-policy": adminContentSecurityPolicy });
  const admin = new FakeAdmin(server.server, { agents: 2, calls: 2, past: 3 });
  try {
    const [agent] = [...admin.agents.values()];
    const [call] = [...admin.calls.values()];
    if (!agent || !call) throw new Error("no data");
    const trunk = { state: "rejected", reason: link, server: sheet } as const;
    admin.agents.set(agent.id, { ...agent, dn: image, user_agent: script, address: vector, trunk });
    admin.calls.set(call.id, { ...call, dn: image, far_number: script, call_uuid: breakout, server: sheet });
    await browser.context.request.post(`${server.origin}/api/login`, {
      data: { name: "eva", password: "secret-eva" },
    });
    page = await browser.open(`${server.origin}/admin/#now`);
    await page.locator('[data-testid="link"][data-state="live"]').waitFor();
    const at = new Date().toISOString();
    const failure = { kind: "call", far_number: script, call: null, status: 480 } as const;
    admin.push({
      failures: [{ at, dn: image, reason: braces, ...failure }],
      audit: [{ at, who: image, role: "read", address: vector, act: script, target: link, outcome: sheet }],
    });
    await page.getByText(braces).first().waitFor();
    for (const view of ["agents", "calls"]) {
      await page.evaluate((hash) => (location.hash = hash), view);
      await page.getByText(image).first().waitFor();
      await unharmed();
    }
    admin.push({
      calls: { changed: [{ ...call, dn: image, far_number: script, capture: vector }], gone: [] },
    });
    for (const id of [call.id, "past-1"]) {
      await page.evaluate((hash) => (location.hash = hash), `call=${id}`);
      await page.getByTestId("call-title").filter({ hasText: "<script>" }).waitFor();
      await page.getByTestId("arrow").first().click();
      await page.getByTestId("message").filter({ hasText: "<script>" }).waitFor();
      await unharmed();
    }
  } finally {
    admin.close();
  }
});
