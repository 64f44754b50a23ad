import { describe, expect, it } from "vitest";
import type { SipMessage } from "../../../src/sip/message/index.ts";
import { createResponse, parseMessage, serializeMessage } from "../../../src/sip/message/index.ts";
import { semantics } from "../../vectors/rfc4475/semantics.ts";
import { syntaxInvalid } from "../../vectors/rfc4475/syntax-invalid.ts";
import { syntaxValid } from "../../vectors/rfc4475/syntax-valid.ts";
import { clientMessages } from "./clients.ts";
import { threadMilliseconds } from "./support.ts";

/** Deterministic 32-bit generator (mulberry32 shape), so that a failure can be run again by its number. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const seeds = [
  ...Object.values(clientMessages),
  ...[...syntaxValid, ...syntaxInvalid, ...semantics].map((vector) => vector.bytes),
];
const pieces = [
  ...'\r\n \t\0:;,=<>"\\@?%[]*/(){}&\u007f\u00ff'.split(""),
  "\r\n",
  "\r\n ",
  "\r\n\r\n",
  "Via: ",
  "\r\nv: SIP/2.0/UDP x;branch=",
  "\r\nContact: *",
  "\r\nFrom: ",
  "SIP/2.0",
  "sip:",
  "tel:",
  ";tag=",
  ";;",
  '"\\',
  "%00",
  "99999999999999999999",
  "\u00e9\u4f60",
].map((text) => Buffer.from(text));

type Pick = (below: number) => number;

function mutate(input: Buffer, pick: Pick): Buffer {
  let bytes = Buffer.from(input);
  for (let count = 1 + pick(2) * pick(4); count > 0; count--) {
    const at = pick(bytes.length + 1);
    const piece = pieces[pick(pieces.length)] ?? Buffer.alloc(0);
    switch (pick(12)) {
      case 0:
        if (at < bytes.length) bytes[at] = pick(256);
        break;
      case 1:
      case 6:
      case 7:
        bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + pick(6))]);
        break;
      case 3:
        bytes = Buffer.from(bytes.subarray(0, at));
        break;
      case 4: {
        const part = bytes.subarray(at, at + pick(60));
        bytes = Buffer.concat([bytes.subarray(0, at), part, part, bytes.subarray(at)]);
        break;
      }
      case 5: {
        const other = seeds[pick(seeds.length)] ?? bytes;
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(pick(other.length))]);
        break;
      }
      case 8: {
        // letters and digits for others of their kind keep most of the message well-formed
        const code = bytes[at] ?? 0;
        if (code >= 97 && code <= 122) bytes[at] = 97 + pick(26);
        if (code >= 48 && code <= 57) bytes[at] = 48 + pick(10);
        break;
      }
      default:
        piece.copy(bytes, at);
    }
  }
  return bytes;
}

/** Everything that a layer above may read of a message, and what it writes for it. */
function useAll(message: SipMessage): void {
  const read = [
    message.topVia.host,
    message.from.displayName,
    message.to.tag,
    message.callId,
    message.cseq.method,
    message.contentType,
    message.contacts.length,
    message.headers.values("Route").length,
  ];
  if (message.kind === "request") {
    read.push(message.uri.scheme);
    createResponse(message, 200, { toTag: "fuzz" });
  }
  if (read.length < 8) throw new Error("unreachable");
}

describe("100,000 mutated messages", () => {
  it(
    "never throw, never take 20 ms, and what is taken survives being written again",
    { timeout: 60_000 },
    () => {
      const pick = generator(20_261_120);
      const outcomes = { message: 0, "keep-alive": 0, invalid: 0, answered: 0 };
      const slow: string[] = [];
      for (let index = 0; index < 100_000; index++) {
        const bytes = mutate(seeds[index % seeds.length] ?? Buffer.alloc(0), pick);
        const framing = index % 3 === 0 ? "frame" : "datagram";
        // the first alarm may be the compiler or the garbage collector, so the same bytes get a second chance
        let took = run(bytes, framing, outcomes);
        if (took > 20) took = run(bytes, framing, { ...outcomes });
        if (took > 20) slow.push(`message ${index}: ${took.toFixed(1)} ms`);
        if (index % 5 === 0) roundTrip(bytes, framing);
      }
      expect(slow).toEqual([]);
      // both paths must really be walked
      expect(outcomes.message).toBeGreaterThan(10_000);
      expect(outcomes.invalid).toBeGreaterThan(10_000);
      expect(outcomes.answered).toBeGreaterThan(5000);
    },
  );
});

type Framing = "datagram" | "frame";

function run(bytes: Buffer, framing: Framing, outcomes: Record<string, number>): number {
  const start = threadMilliseconds();
  const result = parseMessage(bytes, framing);
  if (result.outcome === "message") useAll(result.message);
  else if (result.outcome === "invalid" && result.reply !== undefined) {
    serializeMessage(createResponse(result.reply, result.status, { reason: result.reason, toTag: "fuzz" }));
    outcomes["answered"] = (outcomes["answered"] ?? 0) + 1;
  }
  outcomes[result.outcome] = (outcomes[result.outcome] ?? 0) + 1;
  return threadMilliseconds() - start;
}

/** A message taken once must read the same after being written by us: else two elements would see two messages. */
function roundTrip(bytes: Buffer, framing: Framing): void {
  const first = parseMessage(bytes, framing);
  if (first.outcome !== "message") return;
  const second = parseMessage(serializeMessage(first.message), "datagram");
  if (second.outcome !== "message")
    expect.fail(`written again it is refused: ${JSON.stringify(bytes.toString("latin1"))}`);
  const summary = (message: SipMessage) => [
    message.vias,
    message.from,
    message.to,
    message.callId,
    message.cseq,
    message.contacts,
    message.body,
    Array.from(message.headers.entries()).filter(([name]) => name !== "Content-Length").length,
  ];
  expect(summary(second.message)).toEqual(summary(first.message));
}
