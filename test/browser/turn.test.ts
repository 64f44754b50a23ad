import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import type { Config } from "../../src/config/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { Coturn } from "../support/coturn.ts";
import { tone } from "../support/sound.ts";
import { toWav } from "../support/wav.ts";
import { openTestGateway, openTestSandbox, testPassword } from "../support/test-gateway.ts";
import { asSamples, heardByNumber, launchBrowser, level, until, type TestBrowser } from "./support/index.ts";
import { levelPlayed } from "./support/page-sound.ts";

/** The shipped page in Chromium, its sound by a real coturn with the configuration of docker/coturn. */

const loud = 0.01;

let folder: string;
let sandbox: Sandbox;
let gateway: Gateway;
let browser: TestBrowser;
let coturn: Coturn;
let page: Page;
let address: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "jackfield-turn-"));
  const microphone = join(folder, "tone.wav");
  writeFileSync(microphone, toWav(tone(1150, 4)));
  sandbox = await openTestSandbox();
  const httpPort = await freePort();
  address = `http://127.0.0.1:${httpPort}`;
  gateway = await openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    config: {
      http: { port: httpPort },
      websocket: { origins: [address] },
      agents: { newCallGraceSeconds: 3, callGraceSeconds: 5 },
    },
  });
  coturn = await Coturn.open();
  browser = await launchBrowser({
    extraArgs: [
      `--use-file-for-fake-audio-capture=${microphone}`,
      // turns: with the test's own certificate.
      "--ignore-certificate-errors",
    ],
  });
});

afterAll(async () => {
  await browser.close();
  await gateway.close();
  await coturn.close();
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  page = await browser.open(address);
});

afterEach(async () => {
  for (const { uuid } of sandbox.calls()) sandbox.hangUp(uuid);
  await page.close();
  await until(() => gateway.counts.calls === 0 && gateway.counts.connections === 0);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const found = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (typeof found !== "object" || found === null) throw new Error("no port is free");
  return found.port;
}

/** What pages are told of TURN from now on. */
function useTurn(urls: readonly string[], more: Partial<Config["turn"]> = {}): void {
  const config = gateway.live.current;
  const turn = { ...config.turn, urls, secret: coturn.secret, policy: "relay" as const, ...more };
  gateway.live.replace({ ...config, turn });
}

async function state(id: string, wanted: string): Promise<void> {
  const found = page.locator(`[data-testid="${id}"][data-state="${wanted}"]`);
  await found.waitFor({ state: "attached", timeout: 15_000 });
}

async function signIn(): Promise<void> {
  await page.getByLabel("Your number (DN)").fill("5001");
  await page.getByLabel("Password").fill(testPassword("5001"));
  await page.keyboard.press("Enter");
  await state("app", "registered");
  await state("lamp-trunk", "in-service");
}

async function dial(): Promise<void> {
  await page.getByLabel("Number to call").fill("9197");
  await page.keyboard.press("Enter");
}

/** Calls the number that plays a tone; resolves with the call's UUID and how long it took until it was answered, ms. */
async function talking(): Promise<{ uuid: string; ms: number }> {
  const began = performance.now();
  await dial();
  await state("call", "talking");
  const ms = Math.round(performance.now() - began);
  const { uuid } = await until(() => sandbox.calls().find((one) => one.state === "connected"));
  return { uuid, ms };
}

async function expectSound(uuid: string): Promise<void> {
  sandbox.record(uuid);
  expect(await levelPlayed(page)).toBeGreaterThan(loud);
  const packets = sandbox.recording(uuid).filter(({ payloadType }) => payloadType < 96);
  expect(level(asSamples(heardByNumber(packets, "pcmu")))).toBeGreaterThan(loud);
}

/** The connection as the bar at the top tells it. */
async function route(): Promise<string | null> {
  return await page.getByTestId("connection").textContent();
}

describe("a page that may only relay", () => {
  it.each(["udp", "tcp", "tls"] as const)("talks by TURN over %s, both ways", async (transport) => {
    useTurn([coturn.url(transport)]);
    coturn.forgetLog();
    await signIn();
    const { uuid, ms } = await talking();
    await expectSound(uuid);
    await expect.poll(route).toContain(`through a TURN server, reached by ${transport.toUpperCase()}`);
    console.log(transport, ms);
    await page.getByRole("button", { name: "Hang up", exact: true }).click();
    await wait(1000);
    console.log(coturn.log);
  });
});
