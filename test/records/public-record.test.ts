import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import type { CallRecord } from "../../src/b2bua/index.ts";
import { createLogger } from "../../src/core/index.ts";
import { publicRecord } from "../../src/records/index.ts";
import { B2buaBench } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import { sideStatistics } from "../support/side-statistics.ts";
import { callRecord } from "./support/record-data.ts";

const schema: unknown = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../docs/call-record.schema.json"), "utf8"),
);
const validate = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(
  schema as object,
);

/** The line of a record, checked. */
function lineOf(record: CallRecord, hideNumbers = false): { line: string; value: Record<string, unknown> } {
  const line = JSON.stringify(publicRecord(record, { hideNumbers }));
  const value: Record<string, unknown> = JSON.parse(line);
  validate(value);
  expect(validate.errors ?? []).toEqual([]);
  return { line, value };
}

const way = {
  mosMean: 4.2,
  mosWorst: 3.9,
  lossPercent: 0.5,
  burstLossPercent: 0,
  jitterMsMean: 3,
  jitterMsWorst: 9,
  roundTripMsMean: undefined,
  roundTripMsWorst: undefined,
};
const whole = callRecord(1, {
  transferredTo: "5002",
  callUuid: "U2",
  callUuids: ["U1", "U2"],
  answeredAt: "2026-01-01T00:00:05.500Z",
  talkSeconds: 3.5,
  status: 200,
  agentLeg: { callId: "a", client: "x", codec: "opus" },
  trunkLeg: { callId: "b", codec: "pcma", formerCallIds: ["c"] },
  quality: { fromBrowser: way, toTrunk: { ...way, mosMean: 3.1, roundTripMsMean: 20, roundTripMsWorst: 40 } },
  media: { browser: { ...sideStatistics, dropped: { replay: 2 } }, trunk: sideStatistics },
});

describe("a call record for others", () => {
  it("has every key of its schema, and no other, with and without what may be missing", () => {
    expect(lineOf(whole).value).toMatchObject({
      schema: 1,
      direction: "to_agent",
      set_up_ms: 5500,
      ringing_ms: 5300,
      talk_ms: 3500,
      duration_ms: 9000,
      ended_by: "sip_server",
      mos: 3.1,
      quality: { from_browser: { mos_mean: 4.2, round_trip_mean_ms: null }, to_browser: null },
    });
    const { value } = lineOf(callRecord());
    expect(value).toMatchObject({ set_up_ms: null, ringing_ms: 8800, talk_ms: 0, mos: null, media: null });
    expect(Object.keys(value)).toEqual(Object.keys(lineOf(whole).value));
  });

  it("is refused by its schema when a key is missing, too many or of another kind", () => {
    const { value } = lineOf(whole);
    const { reason: _reason, ...without } = value;
    for (const wrong of [
      without,
      { ...value, password: "x" },
      { ...value, status: "200" },
      { ...value, schema: 2 },
    ])
      expect(validate(wrong)).toBe(false);
  });

  it("shows the last three digits of others' numbers alone, when told so", () => {
    expect(lineOf(whole, true).value).toMatchObject({
      dn: "5001",
      other_number: "xxxxxxxxxx678",
      transferred_to: "x002",
    });
    expect(lineOf(whole, true).line).not.toContain("12345678");
    const reason = `SIP;cause=404;text="${whole.farNumber} and ${whole.transferredTo} are not there"`;
    expect(lineOf({ ...whole, reason }, true).value).toMatchObject({
      reason: 'SIP;cause=404;text="xxxxxxxxxx678 and x002 are not there"',
    });
  });

  it("stays one line of bounded length whatever the far side writes into its headers", () => {
    const evil = '\r\n{"schema":1,"id":"forged"}\u2028\u0000\u001b[2J\ud800"\\'.repeat(2000);
    const many = Array.from({ length: 500 }, () => evil);
    const { line, value } = lineOf({
      ...whole,
      farNumber: evil,
      reason: evil,
      callUuid: evil,
      callUuids: many,
      agentLeg: { callId: evil, client: evil, codec: undefined },
      trunkLeg: { callId: evil, codec: undefined, formerCallIds: many },
    });
    expect(line).not.toMatch(/[\r\n]/);
    expect(Buffer.byteLength(line)).toBeLessThan(100_000);
    expect(value["id"]).toBe(whole.id);
  });
});

describe("the record of a real call", () => {
  it.each([
    ["plain", "+4989123", "U1"],
    ["hostile", "x%0d%0a%22%7d", '"}\\{"schema":1,"id":"forged"}'],
  ])("fits the schema: %s headers", async (_kind, number, uuid) => {
    const lines: string[] = [];
    const log = createLogger("info", { write: (line) => void lines.push(line) });
    const bench = new B2buaBench({ allowEvents: ["talk"], log });
    await bench.callAgent(genesysSdp(), [
      ["X-Genesys-CallUUID", uuid],
      ["P-Asserted-Identity", `"a\\"b" <sip:${number}@192.0.2.10>`],
    ]);
    bench.browser.received.accept(browserSdp({ setup: "active", payloads: "111 110" }));
    await bench.pass();
    bench.media.last.events.emit("quality", { browser: sideStatistics, trunk: sideStatistics });
    bench.trunk.outgoing?.session.bye([["Reason", `SIP;cause=403;text="${uuid}"`]]);
    await bench.pass();
    const [record] = bench.records;
    if (!record) throw new Error("no record");
    expect(lineOf(record).value).toMatchObject({
      dn: "5001",
      call_uuid: uuid,
      status: 200,
      ended_by: "sip_server",
    });
    // The log has the figures an engineer looks for on one line.
    const over = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .find(({ msg }) => msg === "call over");
    expect(over).toMatchObject({
      room: "b2bua",
      call: record.id,
      dn: "5001",
      direction: "to-agent",
      farNumber: record.farNumber,
      status: 200,
      endedBy: "sip-server",
      setUpMs: expect.any(Number),
      talkMs: expect.any(Number),
    });
  });

  it("is not there for a call that nobody could take: the log says why it did not ring", async () => {
    const lines: string[] = [];
    const log = createLogger("info", { write: (line) => void lines.push(line) });
    const bench = new B2buaBench({ log });
    bench.signedIn = false;
    await bench.callAgent(genesysSdp());
    expect(bench.records).toEqual([]);
    const refused = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(refused.find(({ msg }) => msg === "call refused")).toMatchObject({
      to: "5001",
      status: 480,
      reason: "Agent Not Signed In",
    });
  });
});
