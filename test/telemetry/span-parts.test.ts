import { expect, it } from "vitest";
import { callSpan } from "../../src/telemetry/index.ts";
import { legSpans } from "../../src/telemetry/spans/leg-spans.ts";
import type { MessageEntry } from "../../src/trace/index.ts";
import { callRecord } from "../records/support/record-data.ts";

const message = (
  at: number,
  direction: "in" | "out",
  line: string,
  cseq: string,
  toTag = "",
): MessageEntry => ({
  kind: "sip",
  at,
  side: "sip-server",
  direction,
  cutOff: 0,
  repeats: 0,
  lastAt: at,
  text: `${line}\r\nTo: <sip:5001@gw.test>${toTag}\r\nCall-ID: c1\r\nCSeq: ${cseq}\r\n\r\n`,
});

const options = { wall: (at: number) => at, end: 9500, words: (text: string) => text };

it("a leg that is answered lasts to the ACK, one that is refused to the refusal, one without an answer to the call's end", () => {
  const invite = message(1000, "in", "INVITE sip:5001@gw.test SIP/2.0", "1 INVITE");
  const ringing = message(1500, "out", "SIP/2.0 180 Ringing", "1 INVITE", ";tag=a");
  const answer = message(4000, "out", "SIP/2.0 200 OK", "1 INVITE", ";tag=a");
  const ack = message(4700, "in", "ACK sip:5001@gw.test SIP/2.0", "1 ACK", ";tag=a");
  const bye = message(9000, "in", "BYE sip:5001@gw.test SIP/2.0", "2 BYE", ";tag=a");
  const refusal = message(4000, "out", "SIP/2.0 486 Busy Here", "1 INVITE", ";tag=a");
  const lengthOf = (...entries: MessageEntry[]): number[] =>
    legSpans({ entries }, options).map(({ start, end }) => end - start);
  expect(lengthOf(invite, ringing, answer, ack, bye)).toEqual([3700]);
  expect(lengthOf(invite, ringing, refusal, { ...ack, at: 4100 })).toEqual([3000]);
  expect(lengthOf(invite, ringing)).toEqual([8500]);
  const repeated = [{ ...invite, repeats: 2 }, { ...ringing, repeats: 1 }, answer, { ...ack, repeats: 5 }];
  const [span] = legSpans({ entries: repeated }, options);
  expect(span?.attributes).toMatchObject({ "jackfield.sip.retransmissions": 3 });
});

it("the words of a failure hold no number unless numbers are asked for", () => {
  const reason = "Busy Here; text=1003 is not to be had by 5001, asks 1004";
  const record = {
    ...callRecord(1),
    status: 486,
    reason,
    dn: "5001",
    farNumber: "1003",
    transferredTo: "1004",
  };
  const errorWith = (showNumbers: boolean) =>
    callSpan(record, undefined, { wall: (at) => at, showNumbers }).error;
  expect(errorWith(false)).toBe("Busy Here; text=[cut] is not to be had by [cut], asks [cut]");
  expect(errorWith(true)).toBe(reason);
});
