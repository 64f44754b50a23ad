import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { TestAuthority, type TestCertificate } from "../support/certificates.ts";
import { ChromeRequests } from "../support/chrome-requests.ts";
import { FakeWwe, type WweTransport } from "../support/fake-wwe.ts";
import { freeTcpPort } from "../support/free-port.ts";
import { voice } from "../support/sound.ts";
import { openTestGateway, openTestSandbox } from "../support/test-gateway.ts";
import { toWav } from "../support/wav.ts";
import { asSamples, heardByNumber, launchBrowser, level, until, type TestBrowser } from "./support/index.ts";
import { levelPlayed } from "./support/page-sound.ts";
import { inPage, serveWwe, type WweSite } from "./support/wwe-page.ts";

/** Workspace's endpoint in its central form: gateway, SIP Server, the page with the sound in Chromium, and a WWE. */

const adminToken = "0123456789abcdef0123456789abcdef";
const quiet = 0.001;
const loud = 0.01;

let folder: string;
let authority: TestAuthority;
let certificate: TestCertificate;
let sandbox: Sandbox;
let gateway: Gateway;
let browser: TestBrowser;
let site: WweSite;
let secureSite: WweSite;
let address: string;
let page: Page;
let wwe: FakeWwe;
let before = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "jackfield-endpoint-"));
  const microphone = join(folder, "voice.wav");
  writeFileSync(microphone, toWav(voice(4)));
  authority = new TestAuthority();
  certificate = authority.issue("gateway", "IP:127.0.0.1,DNS:localhost,DNS:wwe.test");
  sandbox = await openTestSandbox();
  [site, secureSite] = [await serveWwe(), await serveWwe(certificate)];
  const port = await freeTcpPort();
  address = `https://127.0.0.1:${port}`;
  gateway = await openGateway(port);
  browser = await launchBrowser({
    extraArgs: [
      `--use-file-for-fake-audio-capture=${microphone}`,
      "--ignore-certificate-errors",
      "--host-resolver-rules=MAP wwe.test 127.0.0.1",
    ],
  });
});
afterAll(async () => {
  await browser.close();
  await gateway.close();
  for (const one of [site, secureSite, sandbox]) await one.close();
  authority.remove();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => void (before = browser.errors.length));
afterEach(async () => {
  wwe.stop();
  await page.close();
  for (const { uuid } of sandbox.calls()) sandbox.hangUp(uuid);
  await until(() => gateway.counts.calls === 0 && gateway.counts.connections === 0);
});

async function openGateway(port: number): Promise<Gateway> {
  return await openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    config: {
      http: { port, tls: { cert: certificate.certFile, key: certificate.keyFile } },
      websocket: { origins: [address] },
      admin: { token: adminToken },
      agents: { newCallGraceSeconds: 1, callGraceSeconds: 3 },
      endpoint: {
        enabled: true,
        origins: [`http://wwe.test:${site.port}`, `https://wwe.test:${secureSite.port}`],
        sipServerNames: ["sips-peer.test:5060"],
      },
    },
  });
}

/** An agent's token, by the admin API. */
async function tokenFor(dn: string): Promise<string> {
  const answer = await new Promise<string>((resolve, reject) => {
    const headers = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
    const options = { method: "POST", headers, ca: authority.ca.cert };
    httpsRequest(`${address}/api/endpoint/tokens`, options, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve(text));
    })
      .on("error", reject)
      .end(JSON.stringify({ dn }));
  });
  const { token }: { token: string } = JSON.parse(answer);
  return token;
}

const registeredAt = (dn: string): boolean => sandbox.bindings().some((binding) => binding.dn === dn);
const fromChrome = (): ChromeRequests =>
  new ChromeRequests({
    origin: `https://wwe.test:${secureSite.port}`,
    privateNetwork: true,
    ca: authority.ca.cert,
  });

function openWwe(token: string, dn: string, more: { transport?: WweTransport; addresses?: string[] } = {}) {
  const { transport = fromChrome(), addresses = [`127.0.0.1:${sandbox.port}`] } = more;
  wwe = new FakeWwe({
    base: `${address}/endpoint/${token}`,
    transport,
    addresses,
    users: addresses.map(() => dn),
    inService: () => registeredAt(dn),
    // Whether WWE's own times are kept is tested with a clock in the test's hand.
    registerIntervalMs: 300,
    // WWE's own patience: 15 s.
    registerAttempts: 50,
    pingMs: 300,
  });
  return wwe;
}

async function openPage(token: string): Promise<Page> {
  page = await browser.open(`${address}/#endpoint=${token}`);
  await state("endpoint", "up");
  return page;
}

async function state(id: string, wanted: string, on = page): Promise<void> {
  const found = on.locator(`[data-testid="${id}"][data-state="${wanted}"]`);
  await found.waitFor({ state: "attached" });
}

/** The page is open, WWE signed in. @returns the agent's token */
async function signedIn(dn: string): Promise<string> {
  const token = await tokenFor(dn);
  await openPage(token);
  expect(await openWwe(token, dn).login()).toBe("active");
  await state("app", "registered");
  return token;
}

/** Level of what the far number hears until it is loud, at most for half a second, after what was on its way. */
async function levelThere(uuid: string, enough = 2 * loud): Promise<number> {
  await wait(150);
  sandbox.record(uuid);
  for (;;) {
    await wait(50);
    const packets = sandbox.recording(uuid).filter(({ payloadType }) => payloadType < 96);
    const heard = level(asSamples(heardByNumber(packets, "pcmu")));
    if (packets.length >= 25 || (packets.length >= 10 && heard > enough)) return heard;
  }
}

const connected = async (): Promise<string> =>
  (await until(() => sandbox.calls().find((one) => one.state === "connected"))).uuid;
const holding = (): boolean | undefined =>
  sandbox.calls()[0]?.parties.some((party) => party.kind === "agent" && party.holding);
const done = async (name: string, body: object = {}): Promise<void> =>
  expect(await wwe.command(name, body)).toEqual({ [`${name}Result`]: true });
const status = async (): Promise<unknown> => {
  const answer = await wwe.command("GetCallStatus");
  return typeof answer === "object" && answer !== null ? Reflect.get(answer, "get_CallStatusResult") : answer;
};

it("takes no stranger's DN or address, and signs in and out by WWE's own sequence, active only when SIP Server has it", async () => {
  const token = await tokenFor("5001");
  await openPage(token);
  const own = `127.0.0.1:${sandbox.port}`;
  for (const [dn, addresses] of [
    ["5007", [own]],
    ["5001", ["192.0.2.1:5060"]],
    ["5001", [own, "192.0.2.1:5060"]],
  ] as const) {
    expect(await openWwe(token, dn, { addresses: [...addresses] }).login()).toBe("refused");
    expect(wwe.faults).toEqual([]);
  }
  expect(sandbox.bindings()).toEqual([]);
  // SIP Server keeps quiet at first: WWE is told that nothing is active for as long.
  sandbox.faults.register("5001", { kind: "silence" });
  const transport = fromChrome();
  // The preferred SIP Server and its peer, as in Business Continuity.
  const addresses = [own, "sips-peer.test:5060"];
  const login = openWwe(token, "5001", { transport, addresses }).login();
  await until(() => wwe.exchanges.some(({ path }) => path === "/GetIsEndpointActive"));
  await until(() => sandbox.trace().some(({ text }) => /^REGISTER .*[^]*^To: .*5001@/m.test(text)));
  sandbox.faults.register("5001", undefined);
  expect(await login).toBe("active");
  expect(wwe.faults).toEqual([]);
  const first = (path: string) => wwe.exchanges.find((one) => one.path === path);
  expect(first("/GetDnSIP")?.text).toHaveLength(22);
  expect(first("/GetIsEndpointActive")?.text).toBe('{"get_IsEndpointActiveResult":false}');
  expect(first("/RegisterDn/")?.text).toBe('{"RegisterDnResult":true}');
  // One for each path: their answers hold for longer than a session's start.
  expect(transport.preflights).toBe(new Set(wwe.exchanges.map(({ path }) => path)).size);
  await state("app", "registered");
  expect(await page.getByTestId("endpoint").textContent()).toContain("Carried for Workspace");
  expect(page.url()).toBe(`${address}/`);
  await wwe.pinged(1);
  // WWE's page is loaded anew.
  wwe.stop();
  expect(await wwe.login()).toBe("already");
  await wwe.logout();
  expect(wwe.exchanges.at(-1)?.text).toHaveLength(27);
  await until(() => !registeredAt("5001"));
  await state("app", "signed-out");
  expect(await page.getByTestId("endpoint").textContent()).toContain("Sign in to Workspace");
  expect(wwe.faults).toEqual([]);
  expect(browser.errors.slice(before)).toEqual([]);
});

it("carries a call that SIP Server rings and answers by talk; mute and volume act on its sound", async () => {
  await signedIn("5002");
  await sandbox.ring("5002", "1003");
  await state("call", "ringing");
  expect(await status()).toMatchObject({ state: "ringing", number: "1003", direction: "incoming" });
  const [ringing] = sandbox.calls();
  expect(await sandbox.answer(ringing?.uuid ?? "")).toBe(200);
  const uuid = await connected();
  await state("call", "talking");
  const full = await levelThere(uuid, 1);
  expect(full).toBeGreaterThan(loud);
  expect(await levelPlayed(page)).toBeGreaterThan(loud);

  await done("MuteMicrophone");
  expect(await levelThere(uuid)).toBeLessThan(quiet);
  await expect
    .poll(async () => await wwe.command("GetMicrophoneState"))
    .toEqual({
      get_MicrophoneStateResult: true,
    });
  await done("SetMicrophoneVolume", { value: 10 });
  await done("UnmuteMicrophone");
  // The way through the volume control takes a moment to be there.
  await expect.poll(async () => await levelThere(uuid, 1)).toBeLessThan(full / 3);
  expect(await levelThere(uuid, 1)).toBeGreaterThan(quiet);
  await done("SetMicrophoneVolume", { value: 100 });
  await expect.poll(async () => await levelThere(uuid, full / 2)).toBeGreaterThan(full / 2);

  const played = async (): Promise<number> =>
    await page.locator("#remote").evaluate((element) => Number(Reflect.get(element, "volume")));
  await done("SetSpeakerVolume", { value: 30 });
  expect(await played()).toBeCloseTo(0.3);
  await done("MuteSpeaker");
  expect(await played()).toBe(0);
  await expect
    .poll(async () => await wwe.command("GetSpeakerState"))
    .toEqual({
      get_SpeakerStateResult: true,
    });
  await done("UnmuteSpeaker");
  expect(await played()).toBeCloseTo(0.3);
  sandbox.hangUp(uuid);
  await state("call", "none");
  // As when the agent dials in Workspace: SIP Server calls the DN first, and answers it by talk.
  await sandbox.makeCall("5002", "9196");
  expect(await levelThere(await connected())).toBeGreaterThan(loud);
  expect(wwe.faults).toEqual([]);
  expect(browser.errors.slice(before)).toEqual([]);
});

it("makes, holds, retrieves and ends calls by our own commands, sends digits and tells how the call is", async () => {
  await signedIn("5003");
  expect(await status()).toBeNull();
  expect(await wwe.command("HangUp", {})).toEqual({ HangUpResult: false });
  await done("MakeCall", { number: "9196" });
  const uuid = await connected();
  await expect.poll(status).toMatchObject({ state: "established", number: "9196", direction: "outgoing" });
  expect(await levelThere(uuid)).toBeGreaterThan(loud);
  await done("SendDTMF", { digits: "15#" });
  await until(
    () => sandbox.calls()[0]?.parties.find(({ kind }) => kind === "number")?.media?.digits === "15#",
  );
  await done("Hold");
  await until(holding);
  await expect.poll(status).toMatchObject({ state: "held" });
  await done("Retrieve");
  await until(() => holding() === false);
  await done("HangUp");
  await until(() => sandbox.calls().length === 0);
  await expect.poll(status).toBeNull();
  await sandbox.ring("5003", "1003");
  await state("call", "ringing");
  await done("AnswerCall");
  await connected();
  expect(wwe.faults).toEqual([]);
  expect(browser.errors.slice(before)).toEqual([]);
});

it("comes back by a reload, which a call outlives muted as it was, by an open page, and goes over to a later one", async () => {
  const token = await signedIn("5004");
  await done("MakeCall", { number: "9196" });
  const uuid = await connected();
  await state("call", "talking");
  await done("MuteMicrophone");
  await page.reload();
  await state("call", "talking");
  expect(sandbox.calls().map((one) => one.uuid)).toEqual([uuid]);
  expect(await levelThere(uuid)).toBeLessThan(quiet);
  await expect.poll(async () => await wwe.active()).toBe(true);
  await done("UnmuteMicrophone");
  expect(await levelThere(uuid)).toBeGreaterThan(loud);
  await done("HangUp");
  await page.close();
  await expect.poll(async () => await wwe.active()).toBe(false);
  // WWE still wants the DN: whoever opens the page again has it back.
  await openPage(token);
  await expect.poll(async () => await wwe.active()).toBe(true);
  // And so does who opens it in another window: the one before says so and stops.
  const former = page;
  await openPage(token);
  await state("endpoint", "replaced", former);
  await state("app", "signed-out", former);
  await state("app", "registered");
  await former.close();
  expect(await wwe.active()).toBe(true);
  // A gateway that is started anew knows token and page again.
  const { port } = new URL(address);
  wwe.stop();
  await gateway.close();
  await state("endpoint", "lost");
  gateway = await openGateway(Number(port));
  // Rather than to wait until it tries again.
  await page.reload();
  await state("endpoint", "up");
  expect(await wwe.login()).toBe("active");
  await done("MakeCall", { number: "9196" });
  expect(await levelThere(await connected())).toBeGreaterThan(loud);
  expect(wwe.faults).toEqual([]);
});

it("is asked by WWE in Chromium from pages of another site, http and https, and by no stranger", async () => {
  const token = await tokenFor("5008");
  await openPage(token);
  const sites = [`http://wwe.test:${site.port}/`, `https://wwe.test:${secureSite.port}/`];
  const workspace = await browser.context.newPage();
  try {
    for (const origin of sites) {
      await workspace.goto(origin);
      expect(await openWwe(token, "5008", { transport: inPage(workspace) }).login()).toBe("active");
      await wwe.logout();
      await until(() => !registeredAt("5008"));
      expect(wwe.faults).toEqual([]);
    }
    await workspace.goto(`http://127.0.0.1:${site.port}/`);
    await expect(openWwe(token, "5008", { transport: inPage(workspace) }).login()).rejects.toThrow("failed");
  } finally {
    await workspace.close();
  }
});
