import { expect } from "vitest";
import type { SipMessage, SipRequest, SipResponse } from "../../../src/sip/message/index.ts";
import { parseMessage, type Framing, type ParseOutcome } from "../../../src/sip/message/index.ts";

/** The lines of a request in order; `undefined` takes a line out, an array puts several in its place. */
export type Changes = Readonly<Record<string, string | readonly string[] | undefined>>;

const defaults: Readonly<Record<string, string>> = {
  start: "OPTIONS sip:5001@192.0.2.20:5070 SIP/2.0",
  Via: "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-1",
  From: "From: <sip:1003@192.0.2.10>;tag=from-1",
  To: "To: <sip:5001@192.0.2.10>",
  "Call-ID": "Call-ID: call-1@192.0.2.10",
  CSeq: "CSeq: 1 OPTIONS",
};

/** Bytes of a well-formed OPTIONS with lines changed or added, and a body. */
export function bytes(changes: Changes = {}, body: string | Buffer = ""): Buffer {
  const text = Object.entries({ ...defaults, ...changes })
    .flatMap(([, line]) => line ?? [])
    .map((line) => `${line}\r\n`)
    .join("");
  return Buffer.concat([Buffer.from(`${text}\r\n`), Buffer.from(body)]);
}

export function parse(input: Buffer | string, framing: Framing = "datagram"): ParseOutcome {
  return parseMessage(Buffer.from(input), framing);
}

/** The message; the test fails when there is none. */
export function accepted(input: Buffer | string, framing: Framing = "datagram"): SipMessage {
  const outcome = parse(input, framing);
  if (outcome.outcome !== "message") expect.fail(`refused: ${JSON.stringify(outcome)}`);
  return outcome.message;
}

export function request(input: Buffer | string, framing: Framing = "datagram"): SipRequest {
  const message = accepted(input, framing);
  if (message.kind !== "request") expect.fail("not a request");
  return message;
}

export function response(input: Buffer | string, framing: Framing = "datagram"): SipResponse {
  const message = accepted(input, framing);
  if (message.kind !== "response") expect.fail("not a response");
  return message;
}

/** The refusal; the test fails when the bytes were taken. */
export function refused(
  input: Buffer | string,
  framing: Framing = "datagram",
): Extract<ParseOutcome, { outcome: "invalid" }> {
  const outcome = parse(input, framing);
  if (outcome.outcome !== "invalid") expect.fail(`not refused: ${outcome.outcome}`);
  return outcome;
}

/** Processor time of this thread in ms: what a message costs, whoever else has the machine's cores meanwhile. */
export function threadMilliseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
