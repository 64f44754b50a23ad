import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { BridgeProgram } from "../support/bridge-program.ts";
import { seriousFindings } from "../pages/support/axe.ts";
import { TestAuthority } from "../support/certificates.ts";
import { ChromeRequests } from "../support/chrome-requests.ts";
import { FakeWwe } from "../support/fake-wwe.ts";
import { freeTcpPort } from "../support/free-port.ts";
import { voice } from "../support/sound.ts";
import { openTestGateway, openTestSandbox } from "../support/test-gateway.ts";
import { toWav } from "../support/wav.ts";
import { asSamples, heardByNumber, level, until } from "./support/index.ts";
import { levelPlayed } from "./support/page-sound.ts";

/** `jackfield bridge` with the installed Chromium in app mode, a gateway with TLS, and a WWE at the bridge. */

const adminToken = "0123456789abcdef0123456789abcdef";
const dn = "5001";
const origin = "https://wwe.test";

let folder: string;
let authority: TestAuthority;
let sandbox: Sandbox;
let gateway: Gateway;
let openGateway: () => Promise<Gateway>;
let address: string;
let bridge: BridgeProgram;
let wwe: FakeWwe;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "jackfield-bridge-browser-"));
  const microphone = join(folder, "voice.wav");
  writeFileSync(microphone, toWav(voice(4)));
  authority = new TestAuthority();
  const { certFile: cert, keyFile: key } = authority.issue("gateway", "IP:127.0.0.1");
  sandbox = await openTestSandbox();
  const port = await freeTcpPort();
  address = `https://127.0.0.1:${port}`;
  openGateway = () =>
    openTestGateway({
      sipServer: `127.0.0.1:${sandbox.port}`,
      config: {
        http: { port, tls: { cert, key } },
        websocket: { origins: [address] },
        admin: { token: adminToken },
        endpoint: { enabled: true },
      },
    });
  gateway = await openGateway();
  bridge = new BridgeProgram({
    gateway: { ca: authority.ca.certFile },
    port: await freeTcpPort(),
    origins: [origin],
    browser: {
      path: process.env["JACKFIELD_CHROMIUM"] ?? "/usr/bin/chromium",
      arguments: [
        "--headless",
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
        "--remote-debugging-port=0",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--ignore-certificate-errors",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        `--use-file-for-fake-audio-capture=${microphone}`,
        "--allow-loopback-in-peer-connection",
        "--disable-features=WebRtcHideLocalIpsWithMdns,LocalNetworkAccessChecks",
      ],
    },
  });
});
afterAll(async () => {
  wwe.stop();
  await bridge.end();
  await gateway.close();
  await sandbox.close();
  authority.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** A one-time code, by the admin API. */
function code(): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
    const options = { method: "POST", headers, ca: authority.ca.cert };
    const asked = request(`${address}/api/endpoint/codes`, options, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve((JSON.parse(text) as { code: string }).code));
    });
    asked.on("error", reject);
    asked.end(JSON.stringify({ dn }));
  });
}

const portFile = (): string => join(bridge.folder, "browser", "DevToolsActivePort");

/** The browser that the bridge opened, and its window. */
async function opened(): Promise<{ browser: Browser; page: Page }> {
  await until(() => existsSync(portFile()) && readFileSync(portFile(), "utf8").includes("\n"));
  const [port = ""] = readFileSync(portFile(), "utf8").split("\n");
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  const page = await until(() =>
    browser
      .contexts()[0]
      ?.pages()
      .find((one) => one.url().startsWith(address)),
  );
  return { browser, page };
}

async function state(page: Page, id: string, wanted: string): Promise<void> {
  const found = page.locator(`[data-testid="${id}"][data-state="${wanted}"]`);
  await found.waitFor({ state: "attached" });
}

it("WWE signs in at the bridge, which opens the window; a call has sound both ways; a closed window comes back", async () => {
  const enrolled = await bridge.run("enrol", await code(), "--gateway", address);
  expect(enrolled).toMatchObject({ code: 0, stderr: "" });
  await bridge.start();
  wwe = new FakeWwe({
    base: bridge.address,
    transport: new ChromeRequests({ origin, privateNetwork: true, ca: bridge.authority }),
    addresses: [`127.0.0.1:${sandbox.port}`],
    users: [dn],
    // It forgives ten that fail: both are to be up again by then, on a slow machine too.
    pingMs: 3000,
    inService: () => sandbox.bindings().some((binding) => binding.dn === dn),
  });
  expect(await wwe.login()).toBe("active");
  const { browser, page } = await opened();
  await state(page, "app", "registered");
  expect(page.url()).toBe(`${address}/`);

  await sandbox.ring(dn, "1003");
  await state(page, "call", "ringing");
  expect(await sandbox.answer(sandbox.calls()[0]?.uuid ?? "")).toBe(200);
  const { uuid } = await until(() => sandbox.calls().find((one) => one.state === "connected"));
  await state(page, "call", "talking");
  expect(await levelPlayed(page)).toBeGreaterThan(0.01);
  sandbox.record(uuid);
  const packets = () => sandbox.recording(uuid).filter(({ payloadType }) => payloadType < 96);
  await until(() => packets().length > 25 && level(asSamples(heardByNumber(packets(), "pcmu"))) > 0.01);
  sandbox.hangUp(uuid);
  await state(page, "call", "none");
  await seenAtTheDashboard(browser);

  const gone = new Promise((resolve) => browser.once("disconnected", resolve));
  const session = await browser.newBrowserCDPSession();
  rmSync(portFile());
  await session.send("Browser.close").catch(() => {});
  await gone;
  const again = await opened();
  await state(again.page, "app", "registered");
  await expect.poll(async () => await wwe.active()).toBe(true);
  expect(bridge.log).toContain("the window was closed");
  expect(wwe.faults).toEqual([]);

  await restartBoth(again.browser);
  expect(await bridge.stop()).toBe(0);
  expect(bridge.log).not.toMatch(/endpoint=|endpoint\//);
});

/** WWE, which only pings meanwhile, has its DN in service again, and nobody did anything. */
async function restartBoth(browser: Browser): Promise<void> {
  const before = wwe.exchanges.length;
  const ended = new Promise((resolve) => browser.once("disconnected", resolve));
  expect(await bridge.stop()).toBe(0);
  await ended;
  rmSync(portFile(), { force: true });
  await gateway.close();
  await until(() => sandbox.bindings().length === 0);
  gateway = await openGateway();
  await bridge.start();
  const { page } = await opened();
  await state(page, "app", "registered");
  expect(new Set(wwe.exchanges.slice(before).map(({ path }) => path))).toEqual(new Set(["/Ping"]));
  await expect.poll(async () => await wwe.active(), { timeout: 15_000 }).toBe(true);
  expect(wwe.lost).toBe(false);
}

/** The dashboard in the same browser: what it shows, what its buttons do. */
async function seenAtTheDashboard(browser: Browser): Promise<void> {
  const page = await browser.contexts()[0]?.newPage();
  if (!page) throw new Error("the browser has no context");
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(`${bridge.address}/dashboard`);
  const cell = (name: string) => page.getByRole("row", { name }).getByRole("cell");
  await cell("Page with the sound").getByText("connected", { exact: true }).waitFor();
  expect(await cell("Gateway").textContent()).toBe(`${address}: answers`);
  expect(await cell("Enrolled").textContent()).toBe(`DN ${dn}`);
  expect(await cell("DN at SIP Server").textContent()).toBe("in service");
  expect(await cell("Window").textContent()).toBe("open");
  expect(await cell("WWE last seen").textContent()).toContain(`from ${origin}`);
  expect(await page.locator("#events").textContent()).toContain("the window is open");
  expect(await page.locator("#log").textContent()).toContain("WWE registers the DN");
  await page.getByRole("button", { name: "Test connection" }).click();
  await page.locator("#said").getByText(`${address} answered within`).waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  expect(errors).toEqual([]);
  await page.close();
}
