import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { contentSecurityPolicy } from "../../src/ws/index.ts";
import { FakeGateway } from "../browser/support/fake-gateway.ts";
import { launchBrowser, serveFolder, type PageServer, type TestBrowser } from "../browser/support/index.ts";

const built = join(import.meta.dirname, "..", "..", "web", "dist");

let server: PageServer;
let gateway: FakeGateway;
let browser: TestBrowser;
let page: Page;
let devtools: CDPSession;

beforeAll(async () => {
  browser = await launchBrowser();
  server = await serveFolder(built, { "content-security-policy": contentSecurityPolicy() });
  gateway = new FakeGateway(server.server, "secret");
  await browser.context.addInitScript(() => {
    let taken = Promise.withResolvers<void>();
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        taken = Promise.withResolvers();
      }
      override async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
        await super.setRemoteDescription(description);
        setTimeout(() => taken.resolve(), 30);
      }
    };
    Reflect.set(window, "answerTaken", async () => await taken.promise);
  });
  page = await browser.open(server.origin);
  devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable");
  await devtools.send("HeapProfiler.enable");
  await page.getByLabel("Your number (DN)").fill("5001");
  await page.getByLabel("Password").fill("secret");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator('[data-testid="app"][data-state="registered"]').waitFor({ state: "attached" });
});
afterAll(async () => {
  gateway.close();
  await browser.close();
  await server.close();
});

/** A call from ringing to its end, without the test's hands on the page: SIP Server has it answered. */
async function oneCall(): Promise<void> {
  // What is over is of no use any more, and looked through for each answer.
  gateway.received.length = 0;
  const callId = gateway.invite("5002", ["X-Genesys-CallUUID: UUID1"]);
  const about = [`X-Jackfield-Call-ID: ${callId}`];
  const answered = (method: string) => (): boolean =>
    gateway.received.some(
      (one) => one.name === "200" && one.header("Call-ID") === callId && one.header("CSeq").endsWith(method),
    );
  await until(() => gateway.received.some((one) => one.name === "180" && one.header("Call-ID") === callId));
  gateway.notify("talk", about);
  await until(answered("INVITE"));
  gateway.acknowledge(callId);
  gateway.notify(
    "x-jackfield-quality",
    about,
    '{"mos":4.3,"fromBrowser":{"mos":4.3,"lossPercent":0,"jitterMs":2,"roundTripMs":20}}',
  );
  gateway.notify("x-jackfield-call", about, '{"headers":[["X-Data","1"]],"far":"connected"}');
  // Chromium itself keeps a connection that is closed while its ICE state is just about to change (a task of its
  // `ChangeIceConnectionState` holds it, nothing of the page does), so the answer is let through first.
  await page.evaluate(async () => {
    const taken: unknown = Reflect.get(window, "answerTaken");
    if (typeof taken === "function") await Reflect.apply(taken, window, []);
  });
  gateway.bye(callId);
  await until(answered("BYE"));
}

async function until(done: () => boolean): Promise<void> {
  await expect.poll(done, { interval: 2 }).toBe(true);
}

/** Objects of a kind that are still reachable in the page; asking collects the garbage first. */
async function alive(kind: string): Promise<number> {
  const { result } = await devtools.send("Runtime.evaluate", { expression: `${kind}.prototype` });
  const { objects } = await devtools.send("Runtime.queryObjects", {
    prototypeObjectId: result.objectId ?? "",
    objectGroup: "soak",
  });
  const counted = await devtools.send("Runtime.callFunctionOn", {
    objectId: objects.objectId ?? "",
    functionDeclaration: "function () { return this.length; }",
    returnByValue: true,
  });
  await devtools.send("Runtime.releaseObjectGroup", { objectGroup: "soak" });
  return Number(counted.result.value);
}

async function figures() {
  const connections = await alive("RTCPeerConnection");
  const contexts = await alive("AudioContext");
  const tracks = await alive("MediaStreamTrack");
  for (let turn = 0; turn < 3; turn++) await devtools.send("HeapProfiler.collectGarbage");
  const { metrics } = await devtools.send("Performance.getMetrics");
  const metric = (name: string): number => metrics.find((one) => one.name === name)?.value ?? Number.NaN;
  return {
    connections,
    contexts,
    tracks,
    listeners: metric("JSEventListeners"),
    nodes: metric("Nodes"),
    heapKb: Math.round(metric("JSHeapUsedSize") / 1024),
  };
}

it("the page can be used within a second of a cold start, loads less than 250 kB, and nothing from elsewhere", async () => {
  const cold = await browser.context.newPage();
  const network = await browser.context.newCDPSession(cold);
  await network.send("Network.enable");
  await network.send("Network.setCacheDisabled", { cacheDisabled: true });
  const loaded = new Map<string, number>();
  cold.on("response", (response) => {
    const { pathname, origin } = new URL(response.url());
    if (origin !== server.origin) loaded.set(response.url(), Infinity);
    if (!/\.(js|css)$/.test(pathname)) return;
    loaded.set(pathname, statSync(join(built, `${pathname}.gz`)).size);
  });
  // As quick as it can be: what the neighbours on this machine take in one round they may leave in the next.
  let median = Infinity;
  for (let round = 0; round < 5 && median >= 1000; round++) {
    const usable: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      await cold.goto(server.origin, { waitUntil: "commit" });
      // Taken in the page itself, in the frame in which the form can be filled in.
      usable.push(
        await cold
          .waitForFunction(() => {
            const button = document.querySelector("form button[type=submit], form .go");
            return button instanceof HTMLButtonElement && !button.disabled && performance.now();
          })
          .then(async (handle) => Number(await handle.jsonValue())),
      );
    }
    median = usable.toSorted((one, other) => one - other)[2] ?? Infinity;
  }
  await cold.close();
  const bytes = [...loaded.values()].reduce((sum, size) => sum + size, 0);
  const admin = readFileSync(join(built, "admin", "index.html"), "utf8");
  const dashboard = Array.from(
    admin.matchAll(/assets\/[\w.-]+\.(?:js|css)/g),
    ([file]) => statSync(join(built, `${file}.gz`)).size,
  ).reduce((sum, size) => sum + size, 0);
  console.log(
    `softphone: usable after ${Math.round(median)} ms, ${bytes} bytes; dashboard: ${dashboard} bytes (gzip)`,
  );
  expect(loaded.size).toBeGreaterThan(1);
  expect(bytes).toBeLessThan(250_000);
  expect(median).toBeLessThan(1000);
});

it("95 calls leave nothing behind in the page: no memory, nodes, listeners, connections or tracks", async () => {
  const looks = [];
  // The history takes fifty, and grows until then.
  for (let call = 1; call <= 95; call++) {
    await oneCall();
    if (call === 55 || call === 95) {
      await page.locator('[data-testid="call"][data-state="none"]').waitFor({ state: "attached" });
      looks.push(await figures());
    }
  }
  console.log(JSON.stringify(looks));
  const [first, last] = looks;
  if (!first || !last) throw new Error("not all looks were taken");
  // Nobody answers the ICE checks here, so in some calls in a hundred Chromium keeps the connection all the same, with
  // its listeners. A leak of the page's is one a call at least: 40 of them between the first look and the last.
  const most = { connections: 8, contexts: 0, tracks: 8, listeners: 27, nodes: 8 };
  for (const kind of ["connections", "contexts", "tracks", "listeners", "nodes"] as const)
    expect(last[kind] - first[kind], kind).toBeLessThanOrEqual(most[kind]);
  expect(last.heapKb).toBeLessThan(first.heapKb + 145);
  expect(browser.errors).toEqual([]);
}, 180_000);
