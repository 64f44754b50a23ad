import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadOrMakeCertificate, type BridgeCertificate } from "../../src/bridge/certificate/certificate.ts";
import { isTrusted, trust, untrust } from "../../src/bridge/certificate/trust.ts";
import type { Pc } from "../../src/bridge/commands/command.ts";
import { execute } from "../../src/bridge/commands/execute.ts";
import { silentLogger, systemClock, systemRandom } from "../../src/core/index.ts";

/** Real Chromium, real certutil, a home folder of the test's own. */

let home: string;
let pc: Pc;
let certificate: BridgeCertificate;
let server: Server;
const said: string[] = [];
const say = (line: string): void => void said.push(line);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "jackfield-home-"));
  pc = { platform: "linux", env: {}, home, uid: process.getuid?.(), execute };
  const surroundings = { clock: systemClock, random: systemRandom, log: silentLogger };
  certificate = await loadOrMakeCertificate(join(home, "certificate"), surroundings);
  server = createServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
    const { origin = "*" } = request.headers;
    response.writeHead(200, { "content-type": "text/html", "access-control-allow-origin": origin });
    response.end(request.url === "/Ping" ? '{"PingResult":[]}' : "<title>Workspace</title>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

/** What a page of https://localhost gets from https://127.0.0.1, another origin to the browser, or what went wrong. */
async function asked(): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const context = await chromium.launchPersistentContext(mkdtempSync(join(home, "profile-")), {
    executablePath: process.env["JACKFIELD_CHROMIUM"] ?? "/usr/bin/chromium",
    headless: true,
    chromiumSandbox: process.getuid?.() !== 0,
    env: { PATH: process.env["PATH"] ?? "", HOME: home },
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-sync",
    ],
  });
  try {
    const page = await context.newPage();
    await page.goto(`https://localhost:${port}/`);
    return await page.evaluate(
      async (address) => (await fetch(address)).text(),
      `https://127.0.0.1:${port}/Ping`,
    );
  } catch (error) {
    return /net::\w+/.exec(String(error))?.[0] ?? String(error);
  } finally {
    await context.close();
  }
}

it("once trusted, a page asks https://127.0.0.1 without a complaint of Chromium's, and no longer when the trust is taken back", async () => {
  expect(await isTrusted(certificate.authority, pc)).toBe(false);
  expect([await asked(), await trust(certificate.authority, pc, say)]).toEqual([
    "net::ERR_CERT_AUTHORITY_INVALID",
    true,
  ]);
  expect(await isTrusted(certificate.authority, pc)).toBe(true);
  expect(await asked()).toBe('{"PingResult":[]}');
  expect(await trust(certificate.authority, pc, say)).toBe(true);
  expect(said.at(-1)).toContain("trusted already");
  expect(await untrust(certificate.authority, pc, say)).toBe(true);
  expect([await isTrusted(certificate.authority, pc), await asked()]).toEqual([
    false,
    "net::ERR_CERT_AUTHORITY_INVALID",
  ]);
});
