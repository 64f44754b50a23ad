import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { contentSecurityPolicy } from "../../src/ws/index.ts";
import { launchBrowser, serveFolder, type PageServer, type TestBrowser } from "../browser/support/index.ts";
import { FakeAdmin } from "./support/fake-admin.ts";

const built = join(import.meta.dirname, "..", "..", "web", "dist");
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let server: PageServer;
let admin: FakeAdmin;
let browser: TestBrowser;
let page: Page;
let before = 0;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
});

beforeEach(async () => {
  server = await serveFolder(built, { "content-security-policy": contentSecurityPolicy() });
  admin = new FakeAdmin(server.server);
  before = browser.errors.length;
});

afterEach(async () => {
  await page.close();
  await browser.context.clearCookies();
  admin.close();
  await server.close();
});

/** Errors of the page, but for those of answers that a test provokes. */
function pageErrors(): readonly string[] {
  return browser.errors.slice(before).filter((error) => !error.startsWith("Failed to load resource"));
}

async function logIn(name: "eva" | "rob", password = `secret-${name}`): Promise<void> {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

/** Opens a view, logged in already. */
async function open(view = "now", name: "eva" | "rob" = "eva"): Promise<void> {
  await browser.context.request.post(`${server.origin}/api/login`, {
    data: { name, password: `secret-${name}` },
  });
  page = await browser.open(`${server.origin}/admin/#${view}`);
  await live();
}

async function live(): Promise<void> {
  await page.locator('[data-testid="link"][data-state="live"]').waitFor();
}

async function shown(id: string, text: string | RegExp): Promise<void> {
  await page.getByTestId(id).filter({ hasText: text }).first().waitFor();
}

const rows = (id: string): ReturnType<Page["locator"]> => page.getByTestId(id).locator(".list-row");

describe("the login", () => {
  it("says why it failed, shows who is logged in, and leaves nothing when that one logs out", async () => {
    page = await browser.open(`${server.origin}/admin/`);
    await page.getByTestId("login").waitFor();
    // An answer refused would stand in the console.
    expect(browser.errors.slice(before)).toEqual([]);
    await logIn("eva", "wrong");
    await shown("login-error", "wrong name or password");
    await logIn("eva");
    await shown("who", "eva may operate");
    await shown("figure-calls", "500");
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByTestId("login").waitFor();
    expect(await page.getByText("5000").count()).toBe(0);
    expect(pageErrors()).toEqual([]);
  });

  it("says how the admin is switched on where it is off", async () => {
    admin.configured = false;
    page = await browser.open(`${server.origin}/admin/`);
    await shown("off", "admin.users");
  });

  it("comes back over the view when the session ends, and the view goes on after it", async () => {
    await open("call=call-4");
    await page.getByTestId("arrow").first().click();
    await shown("message", "INVITE");
    admin.expireSessions();
    await page.getByTestId("login-again").waitFor();
    await shown("call-title", "5008");
    await logIn("eva");
    await live();
    await shown("message", "INVITE");
    expect(await page.getByTestId("login-again").count()).toBe(0);
  });
});

describe("now", () => {
  it("shows the gateway at one glance, and what failed in words", async () => {
    await open();
    await shown("figure-agents", "1,000");
    await shown("figure-agents", "not in service");
    await shown("figure-certificate", "21 d");
    await shown("servers", "sip-a");
    await shown("workers", "167 of 250");
    await shown("recent-failures", "480 no browser was signed in for the DN");
    admin.push({
      failures: [
        {
          at: new Date().toISOString(),
          kind: "login",
          dn: null,
          far_number: null,
          call: null,
          status: null,
          reason: "<b>new</b> one",
        },
      ],
    });
    await shown("recent-failures", "<b>new</b> one");
    expect(pageErrors()).toEqual([]);
  });

  it("draws the last hours, tells the values under the pointer, and goes on without a reload", async () => {
    await open();
    const value = page.getByTestId("chart-calls-running");
    await expect.poll(async () => Number(await value.textContent())).toBeGreaterThan(100);
    const now = await value.textContent();
    const plot = page.getByTestId("chart-calls").locator(".u-over");
    await plot.hover({ position: { x: 10, y: 20 } });
    await expect.poll(async () => await value.textContent()).not.toBe(now);
    // The same instant in the other charts.
    const instant = await page.getByTestId("chart-calls").locator(".instant").textContent();
    expect(instant).toMatch(/^\d\d:\d\d:\d\d$/);
    expect(await page.getByTestId("chart-cpu").locator(".instant").textContent()).toBe(instant);
    await page.mouse.move(0, 0);
    const at = new Date(Date.now() + 10_000).toISOString();
    const sample = {
      at,
      agents: 1,
      in_service: 1,
      calls: 4711,
      setups: 0,
      failures: 0,
      mos_mean: null,
      mos_low: null,
      main_cpu_percent: 1,
      worker_cpu_percent: 1,
      event_loop_late_ms: 1,
      registers_per_second: 0,
      round_trip_ms: null,
    };
    admin.push({ sample });
    await shown("chart-calls-running", "4,711");
    await shown("chart-mos-mean", "–");
    const width = async (): Promise<number> => await plot.evaluate((over) => over.clientWidth);
    const wide = await width();
    await page.setViewportSize({ width: 1100, height: 800 });
    await expect.poll(width).toBeLessThan(wide);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it("says that it is not live while the connection is lost, and is live again by itself", async () => {
    await open();
    admin.configured = false;
    admin.cutStreams();
    await shown("link", "Not live: no connection. Next try in");
    admin.configured = true;
    await live();
  });
});

describe("the lists", () => {
  it("draw only the rows in sight of 500 calls, sorted and found as asked", async () => {
    await open("calls");
    expect(await rows("calls").count()).toBeLessThan(50);
    await page.getByRole("columnheader", { name: "DN" }).getByRole("button").click();
    await shown("calls", "5000");
    await page.getByRole("columnheader", { name: "DN" }).getByRole("button").click();
    await expect.poll(async () => await rows("calls").first().textContent()).toContain("5998");
    expect(await page.getByRole("columnheader", { name: "DN" }).getAttribute("aria-sort")).toBe("descending");
    await page.keyboard.press("/");
    await page.keyboard.type("+4930100707");
    await expect.poll(async () => await rows("calls").count()).toBe(1);
    await shown("calls", "5202");
    await page.getByRole("link", { name: "Calls 1 of 500" }).waitFor();
  });

  it("follow each change", async () => {
    await open("calls");
    const call = admin.calls.get("call-4");
    if (!call) throw new Error("no call");
    const row = page.locator(".list-row", { hasText: call.far_number });
    await row.getByText("talking").waitFor();
    admin.push({ calls: { changed: [{ ...call, held: true, mos: 2.9 }], gone: [] } });
    await row.getByText("on hold").waitFor();
    await row.getByText("2.90 bad").waitFor();
    const ticking = row.getByRole("cell").nth(1);
    const time = await ticking.textContent();
    await expect.poll(async () => await ticking.textContent()).not.toBe(time);
    admin.push({ calls: { changed: [], gone: ["call-4"] } });
    await row.waitFor({ state: "detached" });
  });

  it("find kept calls by Call-ID, number and CallUUID, and show texts of the network as texts", async () => {
    await open();
    await page.getByTestId("search").fill("past-1@10.1.0.10");
    await expect.poll(async () => await rows("past").count()).toBe(1);
    await shown("past", "<img src=x onerror");
    await page.getByTestId("search").fill("PAST0000000000000000000000000007");
    await expect.poll(async () => await rows("past").count()).toBe(1);
    await shown("past", "+4930200007");
    await page.getByTestId("search").fill("nothing like it");
    await shown("past", "No kept call has “nothing like it”");
    expect(await page.evaluate("window.harmed")).toBeUndefined();
  });

  it("take little of the page's thread while 1,000 agents and 500 calls change and it is scrolled", async () => {
    await open("agents");
    const session = await browser.context.newCDPSession(page);
    // Time of the thread, not of the clock: the neighbours on this machine do not count.
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const busyMs = async (): Promise<number> => {
      const { metrics } = await session.send("Performance.getMetrics");
      return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0) * 1000;
    };
    const turns: number[] = [];
    await page.mouse.move(600, 400);
    for (let turn = 0; turn < 12; turn++) {
      if (turn === 6) await page.getByRole("link", { name: "Calls 500" }).click();
      const start = await busyMs();
      admin.turn();
      await page.mouse.wheel(0, 400);
      // Two frames: it is drawn.
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
      );
      turns.push((await busyMs()) - start);
    }
    const median = turns.toSorted((one, other) => one - other)[6];
    expect(median, `ms of each turn: ${turns.map(Math.round).join(", ")}`).toBeLessThan(50);
    expect(await rows("calls").count()).toBeLessThan(60);
  });
});

describe("one call", () => {
  it("is a ladder whose arrows show the raw message, by pointer and by keyboard", async () => {
    await open("call=call-4");
    const arrow = page.getByTestId("arrow").first();
    expect(await arrow.getAttribute("aria-label")).toBe(
      "0.0 ms: INVITE sip:5001@10.1.0.10, from SIP Server to Jackfield, repeated 2 times",
    );
    await arrow.click();
    await shown("message", "from SIP Server, 0.0 ms; 2 times more, last at 500.0 ms");
    await shown("message", `<script>window.harmed=1</script>`);
    // The second press comes when the first is drawn, and the focus has not followed yet.
    await page.evaluate(async () => {
      const press = (): unknown =>
        document.activeElement?.dispatchEvent(
          new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }),
        );
      press();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      press();
    });
    await page.locator('[data-testid="arrow"]:focus').filter({ hasText: "180 Ringing" }).waitFor();
    await page.keyboard.press("Enter");
    await shown("message", "SIP/2.0 180 Ringing");
    await page.keyboard.press("Escape");
    await page.getByTestId("message").waitFor({ state: "detached" });
    for (const text of [
      "ICE: address 10.20.0.1:48477 chosen",
      "DTLS handshake done",
      "session timer",
      "first packet",
    ])
      await page.getByTestId("note").filter({ hasText: text }).first().waitFor();
    await shown("mos-curve", "from browser");
    await shown("counters", "browser received packets");
    await shown("counters", "5,871");
    expect(await page.evaluate("window.harmed")).toBeUndefined();
    expect(pageErrors()).toEqual([]);
  });

  it("grows while it runs, and of a long one only what is in sight is drawn", async () => {
    await open("call=call-4");
    const box = page.getByTestId("ladder");
    const height = async (): Promise<number> => await box.evaluate((one) => one.scrollHeight);
    const short = await height();
    admin.traceLength = 300;
    await expect.poll(height).toBeGreaterThan(short * 5);
    expect(await page.getByTestId("arrow").count()).toBeLessThan(80);
    await page.getByTestId("arrow").first().focus();
    await page.keyboard.press("End");
    const last = page.locator('[data-testid="arrow"]:focus');
    await last.waitFor();
    expect(await last.getAttribute("aria-label")).toMatch(/200 OK \(INVITE\), from Jackfield to SIP Server/);
  });

  it("is captured, downloaded, copied as text and hung up after a yes", async () => {
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.origin });
    await open("call=call-4");
    await page.getByTestId("capture").click();
    await shown("notices", "Capturing for 60 s");
    await shown("capture", "Stop capture");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByTestId("download").click(),
    ]);
    expect(download.suggestedFilename()).toBe("call-4-20261121.pcap");
    await page.getByTestId("capture").click();
    await shown("notices", "Captured 11,873 packets");
    await page.getByTestId("copy-text").click();
    await shown("notices", "on the clipboard");
    expect(await page.evaluate(async () => await navigator.clipboard.readText())).toContain(
      "call call-4: DN 5008",
    );
    await page.getByTestId("copy-link").click();
    await shown("notices", "Link copied");
    expect(await page.evaluate(async () => await navigator.clipboard.readText())).toBe(page.url());
    await page.getByTestId("hang-up").click();
    await shown("question", "5008");
    expect(admin.calls.has("call-4")).toBe(true);
    await page.getByTestId("yes").click();
    await shown("notices", "is being ended");
    await page.getByTestId("hang-up").waitFor({ state: "detached" });
    expect(admin.calls.has("call-4")).toBe(false);
  });

  it("that nobody kept is said to be gone", async () => {
    await open("call=no-such");
    await shown("call-error", "no such trace is kept");
  });
});

describe("acts", () => {
  it("drain, change the log level and sign out, and stand in the audit at once", async () => {
    await open();
    await page.getByTestId("drain").click();
    await shown("question", "500 calls go on to their end");
    await page.getByTestId("yes").click();
    await shown("gateway", "refused: draining");
    await shown("drain-progress", "500 calls, 1000 pages and 1000 DNs left");
    await page.getByTestId("drain").click();
    await shown("gateway", "taken");
    await page.getByLabel("Log level").selectOption("debug");
    await page.getByTestId("yes").click();
    await shown("notices", "Logging at debug");
    await page.getByRole("button", { name: "Reload certificate" }).click();
    await shown("notices", "failed: the key does not fit the certificate");
    await page.getByRole("link", { name: "Agents 1000" }).click();
    await page.getByRole("button", { name: "Sign out 5001" }).click();
    await page.getByTestId("yes").click();
    await shown("notices", "5001 is signed out");
    await page.getByRole("link", { name: "Log", exact: true }).click();
    await shown("audit", "sign out 5001: done");
    await shown("audit", "eva");
  });

  it("are not there for role read, and the page says so", async () => {
    await open("now", "rob");
    await shown("read-only", "need role operate");
    expect(await page.getByTestId("drain").count()).toBe(0);
    await page.getByRole("link", { name: "Agents 1000" }).click();
    await shown("agents", "in service");
    expect(await page.getByRole("button", { name: /^Sign \d/ }).count()).toBe(0);
    await page.goto(`${server.origin}/admin/#call=call-4`);
    await page.getByText("Hanging up and captures need role operate").waitFor();
    expect(await page.getByTestId("hang-up").count()).toBe(0);
  });
});

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** What axe finds that is serious, as `rule: element`. */
async function findings(colorScheme: "light" | "dark", only?: readonly string[]): Promise<string[]> {
  await page.emulateMedia({ colorScheme });
  const options = only === undefined ? {} : { runOnly: only };
  const { violations } = await page.evaluate<AxeResult>(`axe.run(document, ${JSON.stringify(options)})`);
  return violations
    .filter(({ impact }) => impact !== "minor")
    .flatMap(({ id, nodes }) =>
      nodes
        // What is drawn of an arrow is cut to the room there is; its name has it whole.
        .filter(({ html }) => id !== "label-content-name-mismatch" || !html.startsWith('<g class="arrow"'))
        .slice(0, 3)
        .map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
}

async function look(view: string): Promise<void> {
  await page.evaluate((hash) => void (location.hash = hash), view);
  await page.locator(`[data-testid="view"][data-view="${view.replace(/=.*/, "")}"]`).waitFor();
}

describe("every view", () => {
  it("has no serious finding of axe, light and dark", async () => {
    admin.close();
    await server.close();
    // Enough for every kind of row: axe looks at each element.
    server = await serveFolder(built, { "content-security-policy": contentSecurityPolicy() });
    admin = new FakeAdmin(server.server, { agents: 14, calls: 6, past: 6 });
    await open();
    const session = await browser.context.newCDPSession(page);
    // The policy keeps scripts out that are not the page's own; this is none of the page.
    await session.send("Runtime.evaluate", { expression: await readFile(axe, "utf8") });
    for (const view of ["now", "calls", "agents", "past", "log", "call=call-4"]) {
      await look(view);
      if (view === "past") await rows("past").first().waitFor();
      if (view.startsWith("call=")) await page.getByTestId("arrow").first().click();
      expect(await findings("light"), view).toEqual([]);
      expect(await findings("dark", ["color-contrast"]), view).toEqual([]);
    }
    await page.getByTestId("hang-up").click();
    await shown("question", "5008");
    expect(await findings("light"), "question").toEqual([]);
  });

  it("fits a phone of 360 px", async () => {
    await open();
    await page.setViewportSize({ width: 360, height: 740 });
    for (const view of ["now", "calls", "agents", "past", "log", "call=call-4"]) {
      await look(view);
      const over = await page.evaluate(() => {
        const main = document.querySelector("main");
        return [document.documentElement, main].map((one) => (one ? one.scrollWidth - one.clientWidth : 0));
      });
      expect(over, view).toEqual([0, 0]);
    }
    await page.getByTestId("arrow").nth(1).click();
    await shown("message", "INVITE");
    await page.getByRole("button", { name: "Close the message" }).click();
    await page.evaluate(() => void (location.hash = "calls"));
    await page.getByLabel(/Sort by/).selectOption("mos");
    await page.locator(".list-row").first().click();
    await page.getByTestId("call").waitFor();
    await page.setViewportSize({ width: 1280, height: 800 });
  });
});
