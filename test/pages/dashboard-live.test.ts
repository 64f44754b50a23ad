import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Lab, until } from "../browser/support/index.ts";

const captureDirectory = mkdtempSync(join(tmpdir(), "jackfield-dashboard-"));
let lab: Lab;

beforeAll(async () => {
  const users = [{ name: "eva", password: "a long enough password", role: "operate" }];
  lab = await Lab.open({ captureDirectory }, {}, { admin: { users } });
});
afterAll(async () => {
  await lab.closePhones();
  await lab.close();
  rmSync(captureDirectory, { recursive: true });
});

describe("the dashboard of a real gateway", () => {
  it("shows an agent who signs in, the call as it runs with ladder, sound and capture, and hangs it up", async () => {
    const page = await lab.browser.open(`http://127.0.0.1:${lab.gateway.httpPort}/admin/`);
    const shown = async (id: string, text: string | RegExp): Promise<void> => {
      await page.getByTestId(id).filter({ hasText: text }).first().waitFor();
    };
    await page.getByLabel("Name").fill("eva");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await shown("login-error", "wrong name or password");
    await page.getByLabel("Password").fill("a long enough password");
    await page.getByRole("button", { name: "Log in" }).click();
    await shown("link", "Live");
    await shown("who", "eva may operate");
    await page.getByRole("link", { name: "Agents 0", exact: true }).click();
    await shown("agents", "Nobody is signed in");
    const wired = await lab.signIn("jssip");
    await shown("agents", wired.dn);
    await shown("agents", "in service");
    await lab.call(wired, "9196");
    await page.getByRole("link", { name: "Calls 1", exact: true }).click();
    await shown("calls", "9196");
    await shown("calls", "talking");
    await shown("calls", "opus ⇄ pcmu");
    await page.getByTestId("calls").getByRole("link", { name: wired.dn }).click();
    await shown("call-title", `${wired.dn} → 9196`);
    await page.getByTestId("note").filter({ hasText: "DTLS handshake done" }).first().waitFor();
    await page.getByTestId("note").filter({ hasText: "first packet" }).first().waitFor();
    await page.getByTestId("arrow").first().click();
    await shown("message", "INVITE sip:9196@");
    await page.getByTestId("capture").click();
    // The first report on how it sounds comes after five seconds.
    await shown("mos-curve-from browser", /^[34]\.\d\d$/);
    await shown("mos-curve-to browser", /^[34]\.\d\d$/);
    await shown("sound", "good");
    await shown("counters", /browser codec\s*opus/);
    await shown("counters", /SIP Server packets received\s*[1-9]/);
    const downloading = page.waitForEvent("download");
    await page.getByTestId("download").click();
    const capture = readFileSync(await (await downloading).path());
    // Little-endian pcap with nanoseconds or microseconds, and packets behind its header.
    expect(capture.readUInt32LE(0).toString(16)).toMatch(/^a1b2(3c4d|c3d4)$/);
    expect(capture.length).toBeGreaterThan(1000);
    await page.getByTestId("hang-up").click();
    await page.getByTestId("yes").click();
    await until(() => lab.callOf(wired.dn) === undefined);
    await page.getByTestId("ladder").evaluate((ladder) => ladder.scrollTo(0, ladder.scrollHeight));
    await page.getByTestId("arrow").filter({ hasText: "BYE" }).first().waitFor();
    await page.getByTestId("search").fill("9196");
    await shown("past", "ended");
    await page.getByRole("link", { name: "Log", exact: true }).click();
    for (const act of ["start capture", "download capture", "hang up"]) await shown("audit", act);
    await shown("failures", "401 dashboard or admin API: 127.0.0.1 refused, wrong name or password");
    expect(lab.browser.errors.filter((error) => !error.startsWith("Failed to load resource"))).toEqual([]);
  });
});
