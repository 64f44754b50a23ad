/** A header as it stood on the wire: name (long form, original case otherwise) and unfolded value. */
export type Header = readonly [name: string, value: string];

/** A received SIP message, taken apart just far enough for the sandbox. */
export interface SipMessage {
  /** Request method, or for a response the method of its CSeq. */
  readonly method: string;
  /** Request-URI; empty in a response. */
  readonly uri: string;
  /** Status code; 0 in a request. */
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Header[];
  readonly body: string;
}

/** Compact header forms (RFC 3261 20, RFC 4028, RFC 6665) and their long names. */
const longNames: Readonly<Record<string, string>> = {
  c: "Content-Type",
  f: "From",
  i: "Call-ID",
  k: "Supported",
  l: "Content-Length",
  m: "Contact",
  o: "Event",
  r: "Refer-To",
  t: "To",
  u: "Allow-Events",
  v: "Via",
  x: "Session-Expires",
};

/** Reads one datagram; undefined when it is no SIP message (keep-alives, garbage, mandatory headers missing). */
export function parseMessage(datagram: Buffer): SipMessage | undefined {
  const split = datagram.indexOf("\r\n\r\n");
  const head = datagram.subarray(0, split < 0 ? datagram.length : split).toString("utf8");
  const lines = head.replace(/\r\n[ \t]+/g, " ").split("\r\n");
  const headers = parseHeaders(lines.slice(1));
  const cseqMethod = headerIn(headers, "CSeq")?.split(/\s+/)[1];
  if (!cseqMethod || !complete(headers)) return undefined;
  const body = readBody(datagram, split, headerIn(headers, "Content-Length"));
  const first = lines[0] ?? "";
  const status = /^SIP\/2\.0 ([1-6]\d\d) ?(.*)$/.exec(first);
  if (status) {
    return { method: cseqMethod, uri: "", status: Number(status[1]), reason: status[2] ?? "", headers, body };
  }
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(first);
  if (!request?.[1] || !request[2] || request[1] !== cseqMethod) return undefined;
  return { method: request[1], uri: request[2], status: 0, reason: "", headers, body };
}

function parseHeaders(lines: readonly string[]): Header[] {
  const headers: Header[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim();
    headers.push([longNames[name.toLowerCase()] ?? name, line.slice(colon + 1).trim()]);
  }
  return headers;
}

function complete(headers: readonly Header[]): boolean {
  return ["From", "To", "Call-ID", "Via"].every((name) => headerIn(headers, name));
}

function readBody(datagram: Buffer, split: number, length: string | undefined): string {
  if (split < 0) return "";
  const rest = datagram.subarray(split + 4);
  const wanted = length === undefined ? rest.length : Number(length);
  return rest.subarray(0, Number.isInteger(wanted) && wanted >= 0 ? wanted : 0).toString("utf8");
}

function headerIn(headers: readonly Header[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  return headers.find(([have]) => have.toLowerCase() === wanted)?.[1];
}

/** First value of a header, names compared without regard to case. */
export function headerOf(message: SipMessage, name: string): string | undefined {
  return headerIn(message.headers, name);
}

/** A header that `parseMessage` has made sure of (From, To, Call-ID, Via, CSeq). */
export function mandatory(message: SipMessage, name: "From" | "To" | "Call-ID" | "Via" | "CSeq"): string {
  return headerIn(message.headers, name) ?? "";
}

/** Number of the CSeq, NaN when it is none. */
export function cseqNumber(message: SipMessage): number {
  return Number.parseInt(mandatory(message, "CSeq"), 10);
}

/**
 * The text of a message in the order of the traces: From, To, Call-ID, CSeq, Content-Length, Content-Type,
 * only then Via and the rest (genesys-sip-server 4).
 */
export function writeMessage(parts: {
  readonly startLine: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: string;
  readonly vias: readonly string[];
  readonly extra?: readonly Header[];
  readonly contentType?: string | undefined;
  readonly body?: string | undefined;
}): string {
  const body = parts.body ?? "";
  const lines = [
    parts.startLine,
    `From: ${parts.from}`,
    `To: ${parts.to}`,
    `Call-ID: ${parts.callId}`,
    `CSeq: ${parts.cseq}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  if (body !== "") lines.push(`Content-Type: ${parts.contentType ?? "application/sdp"}`);
  for (const via of parts.vias) lines.push(`Via: ${via}`);
  for (const [name, value] of parts.extra ?? []) lines.push(`${name}: ${value}`);
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}
