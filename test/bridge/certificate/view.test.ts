import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { viewCertificate } from "../../../src/bridge/certificate/view.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { RecordingPc } from "../support/pc.ts";

const day = 86_400_000;
const clock = new FakeClock();
const certificate = (folder: string, days = 100.5) => ({
  expiresAt: clock.wallClock() + days * day,
  authority: { pem: "PEM\n", file: join(folder, "authority.pem"), sha1: "A1".repeat(20) },
});
const view = (pc: RecordingPc, folder = pc.home, days?: number) =>
  viewCertificate(certificate(folder, days), pc, clock);

describe("what is said of the certificate", () => {
  it("is how many days it has left, and that each store trusts it", async () => {
    const pc = new RecordingPc("linux");
    expect(await view(pc)).toEqual({
      expiresAt: new Date(clock.wallClock() + 100.5 * day).toISOString(),
      daysLeft: 100,
      stores: [{ store: join(pc.home, ".pki", "nssdb"), trusted: true }],
      remedy: undefined,
    });
  });

  it("is which store does not trust it, and the command that mends it", async () => {
    const pc = new RecordingPc("win32", { ProgramFiles: "/programs" });
    pc.answer = () => ({ code: 1 });
    const ours = await view(pc);
    expect(ours.stores).toEqual([{ store: "your Root store", trusted: false }]);
    expect(ours.remedy).toBe('run "jackfield bridge trust", then start the browser anew');
    const shared = await view(pc, "/programs/Jackfield Bridge/certificate");
    expect(shared.stores).toEqual([{ store: "Root store of this PC", trusted: false }]);
    expect(shared.remedy).toContain('run "jackfield bridge trust --machine" as administrator');
  });

  it("is not known where no program can tell, or no store is known", async () => {
    const pc = new RecordingPc("linux");
    pc.answer = () => ({ code: "missing" });
    const untold = await view(pc);
    expect(untold.stores.map(({ trusted }) => trusted)).toEqual([undefined]);
    expect(untold.remedy).toMatch(/apt install libnss3-tools.*, then run "jackfield bridge trust"$/);
    const mac = new RecordingPc("darwin");
    mac.answer = () => ({ code: "cut" });
    expect(await view(mac)).toMatchObject({ stores: [{ trusted: undefined }], remedy: undefined });
    const strange = await view(new RecordingPc("freebsd"));
    expect(strange.stores).toEqual([]);
    expect(strange.remedy).toMatch(/authority\.pem by hand/);
  });

  it("is that it has expired or soon will, whoever trusts it", async () => {
    const pc = new RecordingPc("linux");
    const another = "restart the bridge: it makes another";
    expect(await view(pc, pc.home, -0.5)).toMatchObject({ daysLeft: -1, remedy: another });
    expect(await view(pc, pc.home, 29.5)).toMatchObject({ daysLeft: 29, remedy: another });
    const windows = new RecordingPc("win32", { ProgramFiles: "/programs" });
    const shared = await view(windows, "/programs/Jackfield Bridge/certificate", 29.5);
    expect(shared.remedy).toBe('run "jackfield bridge trust --machine" as administrator');
  });
});
