import { describe, expect, it } from "vitest";
import { systemRandom } from "../../../src/core/index.ts";
import { warmUpDtls } from "../../../src/media/dtls/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { testCertificates } from "../support/dtls-peer.ts";

describe("the warm-up of DTLS", () => {
  it("goes through whole handshakes and leaves no timer, neither ours nor werift's", async () => {
    const [certificate] = await testCertificates();
    const clock = new FakeClock();
    const timersBefore = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    expect(await warmUpDtls(certificate, clock, systemRandom)).toBe(true);
    expect(clock.pendingTimers).toBe(0);
    expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length).toBe(timersBefore);
  });

  it("ends and says so when a handshake does not come about", async () => {
    const [ours, , other] = await testCertificates();
    // A certificate whose fingerprint is another's: our own check must refuse it.
    const wrong = { ...ours, fingerprint: other.fingerprint };
    const clock = new FakeClock();
    expect(await warmUpDtls(wrong, clock, systemRandom)).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });
});
