import { describe, expect, it } from "vitest";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";

/** The refusal as `from` sent it. */
function refusal(bench: B2buaBench, status: number): string {
  return bench.network.sent.find(({ text }) => text.startsWith(`SIP/2.0 ${status}`))?.text ?? "";
}

function fullBench(whenFull?: 503 | 486): B2buaBench {
  const bench = new B2buaBench(whenFull === undefined ? {} : { whenFull });
  bench.media.exhausted = true;
  bench.media.why = "load";
  bench.media.words = "media worker is at its limit: 96 % of a core";
  return bench;
}

const reason = (status: number): string =>
  `Reason: SIP;cause=${status};text="gateway is full: media worker is at its limit: 96 % of a core"`;

describe("a call that no media worker has room for", () => {
  it("is refused to SIP Server with 503, the time to wait and the reason in words", async () => {
    const bench = fullBench();
    await bench.callAgent();
    expect(bench.trunk.user.told).toEqual(["failed 503"]);
    expect(bench.browser.incoming).toBeUndefined();
    expect(refusal(bench, 503)).toContain("Retry-After: 10\r\n");
    expect(refusal(bench, 503)).toContain(reason(503));
    expect(bench.records).toMatchObject([{ endedBy: "jackfield", status: 503 }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is refused to the agent alike, and SIP Server never hears of it", async () => {
    const bench = fullBench();
    await bench.dial("1003");
    expect(bench.browser.user.told).toEqual(["failed 503"]);
    expect(bench.trunk.incoming).toBeUndefined();
    expect(refusal(bench, 503)).toContain("Retry-After: 10\r\n");
    expect(refusal(bench, 503)).toContain(reason(503));
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is refused with 486 and no Retry-After where that is configured", async () => {
    const bench = fullBench(486);
    await bench.callAgent();
    await bench.dial("1003");
    expect([bench.trunk.user.told, bench.browser.user.told]).toEqual([["failed 486"], ["failed 486"]]);
    expect(refusal(bench, 486)).toContain(reason(486));
    expect(bench.network.sent.some(({ text }) => text.includes("Retry-After"))).toBe(false);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("does not touch the one that runs, and is taken as soon as there is room", async () => {
    const bench = new B2buaBench();
    await bench.established();
    bench.media.exhausted = true;
    await bench.callAgent();
    expect(bench.media.last.told).toEqual([]);
    expect(bench.b2bua.size).toBe(1);
    bench.media.exhausted = false;
    await bench.callAgent();
    expect(bench.b2bua.size).toBe(2);
  });

  it("gets 503 where no worker is up, whatever is configured: nobody is busy", async () => {
    const bench = new B2buaBench({ whenFull: 486 });
    bench.media.exhausted = true;
    bench.media.why = "down";
    bench.media.words = "no media worker is up";
    await bench.callAgent();
    expect(bench.trunk.user.told).toEqual(["failed 503"]);
    expect(refusal(bench, 503)).toContain('Reason: SIP;cause=503;text="no media worker is up"');
    expect(refusal(bench, 503)).toContain("Retry-After: 10\r\n");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("gets 503 where the media is at fault and not its room, whatever is configured", async () => {
    const bench = new B2buaBench({ whenFull: 486 });
    bench.media.open = () => Promise.reject(new Error("EADDRNOTAVAIL"));
    await bench.callAgent();
    expect(bench.trunk.user.told).toEqual(["failed 503"]);
    expect(refusal(bench, 503)).not.toContain("EADDRNOTAVAIL");
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});
