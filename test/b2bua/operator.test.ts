import { describe, expect, it } from "vitest";
import { browserSdp } from "../support/descriptions.ts";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";

describe("a call that an administrator hangs up", () => {
  it("ends with BYE and the reason on both sides", async () => {
    const bench = new B2buaBench();
    await bench.established();
    const [call] = bench.b2bua.calls();
    expect(bench.b2bua.hangUp("nobody")).toBe(false);
    expect(bench.b2bua.hangUp(call?.id ?? "")).toBe(true);
    await bench.pass();
    for (const end of [bench.trunk, bench.browser])
      expect(end.user.told.join()).toContain('SIP;cause=480;text="ended by operator"');
    expect(bench.records).toMatchObject([{ endedBy: "jackfield", status: 480, reason: "ended by operator" }]);
    expect(bench.b2bua.hangUp(call?.id ?? "")).toBe(false);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("while it rings is refused to SIP Server and cancelled at the browser", async () => {
    const bench = new B2buaBench();
    await bench.callAgent();
    bench.b2bua.hangUp(bench.b2bua.calls()[0]?.id ?? "");
    await bench.pass();
    expect(bench.trunk.user.told.join()).toContain("480");
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("a draining B2BUA", () => {
  it("refuses new calls of both sides with 503 and when to come again, and goes on with those that run", async () => {
    const bench = new B2buaBench();
    await bench.established();
    bench.b2bua.draining = true;
    const running = bench.browser.received;
    bench.trunk.call("sip:5001@192.0.2.20:5070", "<sip:1004@192.0.2.10:5060>", undefined);
    await bench.pass();
    expect(bench.trunk.user.told.join()).toContain("503");
    await bench.dial("1005");
    expect(bench.browser.user.told.join()).toContain("503");
    expect(bench.network.startLines("gateway.invalid:0")).toContain("SIP/2.0 503 Being Drained");
    const referred = bench.trunk.send("REFER", "sip:5001@192.0.2.20:5070", [["Refer-To", "<sip:1006@x>"]]);
    await bench.pass();
    expect(referred).toEqual([503]);
    expect(bench.trunk.send("OPTIONS", "sip:5001@192.0.2.20:5070")).toEqual([]);
    expect(bench.b2bua.calls()).toMatchObject([{ state: "established" }]);
    expect(bench.b2bua.setUps).toBe(1);
    expect(bench.b2bua.refusals.get(503)).toBe(3);
    running.session.bye();
    await bench.pass();
    expect(bench.b2bua.calls()).toEqual([]);
    bench.b2bua.draining = false;
    bench.browser.incoming = undefined;
    await bench.callAgent();
    expect(bench.b2bua.calls()).toHaveLength(1);
  });
});

describe("the B2BUA's list of calls", () => {
  it("tells hold, codecs, server, time of the answer and how it sounds now", async () => {
    const bench = new B2buaBench();
    await bench.callAgent();
    expect(bench.b2bua.calls()).toMatchObject([
      { instance: "urn:uuid:1", answeredAt: undefined, held: false, quality: {} },
    ]);
    bench.browser.received.accept(browserSdp({ setup: "active", payloads: "111 110" }));
    await bench.pass();
    expect(bench.b2bua.calls()).toMatchObject([
      {
        answeredAt: expect.stringMatching(/^2026-01-01T00:00:00/),
        codecs: { browser: "opus", trunk: "pcmu" },
        server: { remoteAddress: "192.0.2.10" },
      },
    ]);
  });
});
