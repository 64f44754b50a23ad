import { describe, expect, it } from "vitest";
import { callSpan, type PlannedSpan } from "../../src/telemetry/index.ts";
import { B2buaBench } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import { newPlace, send, TransferBench } from "../support/transfer-bench.ts";

type Options = NonNullable<ConstructorParameters<typeof B2buaBench>[0]>;
const open = (options: Options = {}) => new B2buaBench({ trace: {}, ...options });

/** The span of the bench's only call, times as ms of the bench's clock. */
function spanOf({ records, traces, clock }: B2buaBench, showNumbers = false): PlannedSpan {
  const [record] = records;
  if (!record) throw new Error("no record");
  const offset = clock.wallClock() - clock.now();
  return callSpan(record, traces?.find(record.id), { wall: (at) => at + offset, showNumbers });
}

const child = (span: PlannedSpan, name: string) => span.children.find((one) => one.name === name);
const length = (span: PlannedSpan | undefined) => (span ? Math.round(span.end - span.start) : undefined);
const names = (span: PlannedSpan | undefined) => span?.events.map(({ name }) => name);

/** SIP Server hangs up. */
async function hangUp(bench: B2buaBench) {
  bench.trunk.outgoing?.session.bye();
  await bench.pass();
}

describe("the span of a call", () => {
  it("that is answered has its legs from INVITE to ACK, with 180, and its media set-up with ICE and DTLS", async () => {
    const bench = open();
    await bench.callAgent();
    bench.browser.received.progress(180);
    await bench.pass(3000);
    bench.browser.received.accept(browserSdp({ setup: "active", payloads: "111 110" }));
    await bench.pass();
    const { events } = bench.media.last;
    events.emit("step", { step: "ice", address: "192.0.2.77", port: 1 });
    events.emit("step", { step: "dtls-begun" });
    await bench.pass(30);
    events.emit("step", { step: "dtls", profile: "SRTP_AES128_CM_HMAC_SHA1_80" });
    events.emit("connected");
    await bench.pass(60_000);
    await hangUp(bench);
    const span = spanOf(bench);
    expect(span).toMatchObject({ name: "call to agent", error: undefined });
    expect(span.attributes).toMatchObject({
      "jackfield.call.ended_by": "sip-server",
      "jackfield.call.status_code": 200,
      "jackfield.call.answered": true,
      "jackfield.browser.codec": "opus",
    });
    const serverLeg = child(span, "SIP Server leg set-up");
    const browserLeg = child(span, "browser leg set-up");
    expect(serverLeg).toMatchObject({ kind: "server", error: undefined });
    expect(browserLeg).toMatchObject({ kind: "client", error: undefined });
    expect(names(browserLeg)).toEqual(["180 Ringing", "200 OK"]);
    expect(names(serverLeg)).toEqual(["180 Ringing", "200 OK"]);
    for (const leg of [serverLeg, browserLeg]) {
      expect(length(leg)).toBeGreaterThanOrEqual(3000);
      expect(length(leg)).toBeLessThan(3100);
    }
    const media = child(span, "media set-up");
    expect(media?.children.map((part) => [part.name, part.error])).toEqual([
      ["ICE", undefined],
      ["DTLS", undefined],
    ]);
    expect(length(media?.children[1])).toBe(30);
    expect(length(span)).toBeGreaterThan(63_000);
    for (const part of span.children) {
      expect(part.start).toBeGreaterThanOrEqual(span.start);
      expect(part.end).toBeLessThanOrEqual(span.end);
    }
  });

  it("that is refused is an error with its reason, and so is the leg that refused", async () => {
    const bench = open();
    await bench.callAgent();
    bench.browser.received.reject(486);
    await bench.pass();
    const span = spanOf(bench);
    expect(span.error).toMatch(/\S/);
    expect(span.attributes).toMatchObject({ "error.type": "486", "jackfield.call.answered": false });
    expect(child(span, "browser leg set-up")).toMatchObject({
      error: "486 Busy Here",
      attributes: { "jackfield.sip.response.status_code": 486, "error.type": "486" },
    });
  });

  it("whose caller gives up is no error", async () => {
    const bench = open();
    await bench.callAgent();
    bench.trunk.outgoing?.cancel();
    await bench.pass();
    const span = spanOf(bench);
    expect(span).toMatchObject({ error: undefined, attributes: { "jackfield.call.status_code": 487 } });
    expect(names(child(span, "SIP Server leg set-up"))).toContain("CANCEL");
  });

  it("that SIP Server holds has the time of each hold and who held", async () => {
    const bench = open();
    await bench.established();
    for (const ms of [5000, 7000]) {
      bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "hold"]]);
      await bench.pass(ms);
      bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "talk"]]);
      await bench.pass(1000);
    }
    await hangUp(bench);
    const span = spanOf(bench);
    const holds = span.children.filter(({ name }) => name === "hold");
    expect(holds.map(length)).toEqual([5000, 7000]);
    expect(holds[0]?.attributes).toEqual({ "jackfield.hold.by": "by-sip-server" });
    expect(names(span)?.filter((name) => name.startsWith("NOTIFY"))).toEqual([
      "NOTIFY hold",
      "NOTIFY talk",
      "NOTIFY hold",
      "NOTIFY talk",
    ]);
  });

  it("that is still held when it ends has a hold until then", async () => {
    const bench = open();
    await bench.established();
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "hold"]]);
    await bench.pass(5000);
    await hangUp(bench);
    const span = spanOf(bench);
    expect(child(span, "hold")?.end).toBe(span.end);
  });

  it.each([
    [200, undefined],
    [486, "transfer failed"],
  ])("that is transferred (%s) has the transfer and the new leg's set-up", async (status, error) => {
    const bench = new TransferBench({ trace: {} });
    const { session } = await bench.running();
    send(session, "REFER", [["Refer-To", "<sip:1004@192.0.2.10:5060>"]]);
    await bench.pass(4000);
    if (status === 200) bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    else bench.trunk.received.reject(status);
    await bench.pass();
    await bench.hangUp();
    const span = spanOf(bench);
    const transfer = child(span, "transfer");
    expect(transfer).toMatchObject({ error, attributes: { "jackfield.transfer.by": "SIP Server" } });
    expect(length(transfer)).toBeGreaterThanOrEqual(3900);
    expect(span.children.filter(({ name }) => name === "SIP Server leg set-up")).toHaveLength(2);
    expect(JSON.stringify(span)).not.toContain("1004");
  });

  it("tells of a lost socket and of keys pressed, of these the count alone", async () => {
    const bench = open({ trace: { showDigits: true } });
    await bench.established();
    bench.media.last.events.emit("dtmf", "trunk", "7");
    const { flow } = bench.presence;
    bench.presence.flow = undefined;
    bench.registrarEvents.emit("flow-lost", bench.presence);
    bench.presence.flow = flow;
    bench.registrarEvents.emit("flow-resumed", bench.presence);
    await bench.pass();
    await hangUp(bench);
    const span = spanOf(bench);
    expect(span.events).toMatchObject([
      { name: "DTMF heard", attributes: { "jackfield.dtmf.count": 1, "jackfield.leg": "sip-server" } },
      { name: "socket lost" },
      { name: "socket back" },
    ]);
    expect(JSON.stringify(span.events)).not.toContain('"7"');
  });

  it("names DN and numbers only where that is asked for", async () => {
    const bench = open();
    await bench.established();
    await hangUp(bench);
    // The identities of the leg's user are in no attribute; Call-IDs are of this bench and hold none.
    expect(JSON.stringify(spanOf(bench))).not.toMatch(/5001|1003/);
    expect(spanOf(bench, true).attributes).toMatchObject({
      "jackfield.dn": "5001",
      "jackfield.far_number": "1003",
    });
  });

  it("has no number by the words that a far side puts behind a status", async () => {
    const bench = open();
    await bench.established();
    await hangUp(bench);
    const [record] = bench.records;
    const trace = record && bench.traces?.find(record.id);
    if (!trace) throw new Error("no trace");
    const entries = trace.entries.map((entry) =>
      entry.kind === "sip"
        ? { ...entry, text: entry.text.replace(/^(SIP\/2.0 [12]\d\d) .*/, "$1 To 5001 from 1003") }
        : entry,
    );
    const told = (showNumbers: boolean): string =>
      JSON.stringify(callSpan(record, { ...trace, entries }, { wall: (at) => at, showNumbers }));
    expect(told(true)).toContain("200 To 5001 from 1003");
    expect(told(false)).toContain("200 To [cut] from [cut]");
    expect(told(false)).not.toMatch(/5001|1003/);
  });

  it("is there without its ladder, which more calls than trace.calls have pushed out", async () => {
    const bench = open();
    await bench.established();
    await hangUp(bench);
    const [record] = bench.records;
    if (!record) throw new Error("no record");
    const span = callSpan(record, undefined, { wall: (at) => at, showNumbers: false });
    expect(span).toMatchObject({ name: "call to agent", children: [], events: [] });
    expect(span.end).toBe(Date.parse(record.endedAt));
  });
});
