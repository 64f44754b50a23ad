import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { launchBrowser, type TestBrowser } from "../browser/support/index.ts";
import { openTestGateway, openTestSandbox } from "../support/test-gateway.ts";
import { freeTcpPort } from "../support/free-port.ts";

/** Sign-in by a link with a token, from the admin API's answer to a registered page, with the real gateway. */

const token = "0123456789abcdef0123456789abcdef";

let sandbox: Sandbox;
let gateway: Gateway;
let browser: TestBrowser;
let page: Page;
let address: string;
let before = 0;

beforeAll(async () => {
  sandbox = await openTestSandbox();
  const port = await freeTcpPort();
  address = `http://127.0.0.1:${port}`;
  const config = { http: { port }, websocket: { origins: [address] }, admin: { token } };
  gateway = await openTestGateway({ sipServer: `127.0.0.1:${sandbox.port}`, config });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await gateway.close();
  await sandbox.close();
});
beforeEach(() => void (before = browser.errors.length));
afterEach(() => page.close());

async function tokenFor(dn: string): Promise<string> {
  const response = await fetch(`${address}/api/tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ dn }),
  });
  const body: { token: string } = await response.json();
  return body.token;
}

async function state(id: string, wanted: string): Promise<void> {
  await page.locator(`[data-testid="${id}"][data-state="${wanted}"]`).waitFor({ state: "attached" });
}

const alert = () => page.getByTestId("alert").textContent();
const stored = () =>
  page.evaluate(() => [JSON.stringify(sessionStorage), JSON.stringify(localStorage), location.href].join());

it("signs in by the token in the address, which is gone at once, and comes back to its call after a reload", async () => {
  const link = await tokenFor("5001");
  page = await browser.open(`${address}/#token=${link}`);
  await state("app", "registered");
  expect(await page.getByTestId("who").textContent()).toContain("5001");
  await state("lamp-trunk", "in-service");
  expect(page.url()).toBe(`${address}/`);
  expect(await stored()).not.toContain(link);
  await page.getByTestId("number").fill("9196");
  await page.keyboard.press("Enter");
  await state("call", "talking");
  expect(await stored()).not.toContain("ha1");
  await page.reload();
  await state("call", "talking");
  expect(await stored()).not.toContain("exp=");

  // A link for somebody else, opened in the same tab, does not cost the call.
  await page.goto(`${address}/?again#dn=5002&token=${await tokenFor("5002")}`);
  await state("call", "talking");
  expect(await page.getByTestId("who").textContent()).toContain("5001");
  expect(gateway.registrar.find("5002")).toBeUndefined();
  await page.getByTestId("hang-up").click();
  await state("call", "none");
  expect(browser.errors.slice(before)).toEqual([]);
});

it("says that the token was used, has expired or is wrong, and signs nobody in", async () => {
  const link = await tokenFor("5002");
  await fetch(`${address}/api/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: link }),
  });
  page = await browser.open(`${address}/#token=${link}`);
  await expect.poll(alert).toContain("was used before");
  await page.evaluate(() => (location.hash = "#token=nonsense"));
  await expect.poll(alert).toContain("does not know this sign-in token");
  expect(page.url()).not.toContain("nonsense");
  await state("app", "signed-out");
  expect(gateway.registrar.find("5002")).toBeUndefined();
});

it("begins with the number in the address, and takes no password from there unless configured", async () => {
  page = await browser.open(`${address}/#dn=5003&password=secret-5003`);
  await expect.poll(alert).toContain("takes no password from an address");
  expect(await page.getByTestId("dn").inputValue()).toBe("5003");
  expect(await page.getByTestId("password").inputValue()).toBe("");
  expect(page.url()).toBe(`${address}/`);
  expect(await stored()).not.toContain("secret-5003");
});
