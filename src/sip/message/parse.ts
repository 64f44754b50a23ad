import type { SipMessage } from "./types.ts";
import type { Answerable } from "./create.ts";
import { checkHeaders } from "./check.ts";
import type { HeaderFields } from "./headers.ts";
import { messageLimits } from "./limits.ts";
import { readSection, type Fault } from "./lines.ts";
import { RequestMessage, ResponseMessage, type Derived } from "./message.ts";
import { isToken, parseDigits } from "./text.ts";
import { parseUri } from "./uri.ts";
import { parseVia } from "./address.ts";

/** How a received message is bounded; see `FlowReceiver`. */
export type Framing = "datagram" | "frame";

/** What came out of the bytes received. */
export type ParseOutcome =
  | { readonly outcome: "message"; readonly message: SipMessage }
  /** Nothing but line ends (RFC 5626 3.5.1, 7118 6): to be counted or answered, no fault. */
  | { readonly outcome: "keep-alive" }
  | {
      readonly outcome: "invalid";
      /** Status to answer with: 400, 413, 414, 505 or 513. */
      readonly status: number;
      /** Reason phrase for the response, and for counting and logging; never text from the message. */
      readonly reason: string;
      /** Given to `createResponse` it makes the error response. Absent: nothing can or may be answered
       * (a response, an ACK, no Via to go back by), the message is dropped. */
      readonly reply?: Answerable;
    };

/**
 * Takes one received message apart and checks it (RFC 3261 7, 8.2, 16.3, 18.3). Never throws.
 *
 * Datagram: bytes beyond Content-Length are cut off; a Content-Length larger than what came is a 400. Frame: the
 * body is all the rest; Content-Length may be missing or too small (some clients count characters), never larger.
 */
export function parseMessage(bytes: Buffer, framing: Framing): ParseOutcome {
  let start = 0;
  while (start < bytes.length && (bytes[start] === 13 || bytes[start] === 10)) start++;
  if (start === bytes.length) return { outcome: "keep-alive" };
  const window = bytes.subarray(start, start + messageLimits.headerBytes + 4);
  const length = window.indexOf("\r\n\r\n", 0, "latin1");
  // without an end the last line may be half of one, so it does not count
  const end = length < 0 ? Math.max(window.lastIndexOf("\r\n", undefined, "latin1"), 0) : length;
  const section = readSection(bytes, start, start + end);
  const first = readStartLine(section.startLine);
  if (length < 0) {
    const tooLong = bytes.length - start > messageLimits.headerBytes;
    const fault = tooLong
      ? { status: 513, reason: "Header Section Too Long" }
      : { status: 400, reason: "No End Of Header Section" };
    return invalid(first, section.headers, fault);
  }
  const fault = first.fault ?? section.fault;
  if (fault !== undefined) return invalid(first, section.headers, fault);
  const rest = bytes.subarray(start + length + 4);
  const derived: Derived = {};
  const headerFault = checkHeaders(
    section.headers,
    first.kind === "request" ? first.method : undefined,
    derived,
  );
  if (headerFault !== undefined) return invalid(first, section.headers, headerFault);
  const body = takeBody(section.headers, rest, framing);
  if (!Buffer.isBuffer(body)) return invalid(first, section.headers, body);
  const message =
    first.kind === "request"
      ? new RequestMessage(first.method, first.uri, section.headers, body, derived)
      : new ResponseMessage(first.status, first.reason, section.headers, body, derived);
  return { outcome: "message", message };
}

interface RequestLine {
  readonly kind: "request";
  readonly method: string;
  readonly uri: string;
  readonly fault?: Fault;
}

interface StatusLine {
  readonly kind: "response";
  readonly status: number;
  readonly reason: string;
  readonly fault?: Fault;
}

function readStartLine(line: string): RequestLine | StatusLine {
  if (/^SIP\//i.test(line)) return readStatusLine(line);
  const space = line.indexOf(" ");
  const last = line.lastIndexOf(" ");
  const method = space < 0 ? line : line.slice(0, space);
  const uri = line.slice(space + 1, Math.max(last, space + 1));
  const version = line.slice(last + 1).toUpperCase();
  const request = { kind: "request", method, uri } as const;
  if (!isToken(method)) return { ...request, method: "", fault: { status: 400, reason: "Bad Request Line" } };
  if (space < 0 || !/^SIP\/\d{1,9}\.\d{1,9}$/.test(version)) {
    return { ...request, fault: { status: 400, reason: "Bad Request Line" } };
  }
  if (version !== "SIP/2.0") return { ...request, fault: { status: 505, reason: "Version Not Supported" } };
  if (uri.length > messageLimits.uriLength) {
    return { ...request, fault: { status: 414, reason: "Request-URI Too Long" } };
  }
  const parsed = parseUri(uri);
  // RFC 3261 19.1.1: no headers in a request URI
  if (parsed === undefined || parsed.headers !== undefined) {
    return { ...request, fault: { status: 400, reason: "Bad Request-URI" } };
  }
  return request;
}

function readStatusLine(line: string): StatusLine {
  const match = /^SIP\/2\.0 ([1-6]\d\d)(?: |$)/i.exec(line);
  if (match === null) {
    return { kind: "response", status: 0, reason: "", fault: { status: 400, reason: "Bad Status Line" } };
  }
  return { kind: "response", status: Number(match[1]), reason: line.slice(match[0].length) };
}

function takeBody(headers: HeaderFields, rest: Buffer, framing: Framing): Buffer | Fault {
  const text = headers.get("Content-Length");
  const stated = text === undefined ? undefined : parseDigits(text, Number.MAX_SAFE_INTEGER);
  if (text !== undefined && stated === undefined) return { status: 400, reason: "Bad Content-Length" };
  if (stated !== undefined && stated > rest.length) {
    return { status: 400, reason: "Content-Length Larger Than Message" };
  }
  const length = framing === "datagram" ? (stated ?? rest.length) : rest.length;
  if (length > messageLimits.bodyBytes) return { status: 413, reason: "Request Entity Too Large" };
  return length === rest.length ? rest : rest.subarray(0, length);
}

function invalid(first: RequestLine | StatusLine, headers: HeaderFields, fault: Fault): ParseOutcome {
  const outcome = { outcome: "invalid", ...fault } as const;
  if (first.kind === "response" || first.method === "" || first.method === "ACK") return outcome;
  const via = headers.values("Via")[0];
  if (via === undefined || parseVia(via, true) === undefined) return outcome;
  return { ...outcome, reply: { method: first.method, headers } };
}
