import type { SipMessage } from "./types.ts";
import { HeaderFields } from "./headers.ts";
import { RequestMessage } from "./message.ts";

/** Names that lead, in this order: what proxies and people read first (RFC 3261 7.3.1). */
const leading = [
  "Via",
  "Route",
  "Record-Route",
  "Max-Forwards",
  "From",
  "To",
  "Call-ID",
  "CSeq",
  "Contact",
] as const;
const rank = new Map<string, number>(leading.map((name, index) => [name, index]));
const otherRank = leading.length;
const typeRank = otherRank + 1;
rank.set("Content-Type", typeRank);

/**
 * Writes a message: start line, Via and routing headers, the rest in its order, Content-Type and the true
 * Content-Length in octets last.
 */
export function serializeMessage(message: SipMessage): Buffer {
  const sections: string[] = [];
  for (const [name, value] of message.headers.entries()) {
    if (name === "Content-Length") continue;
    const place = rank.get(name) ?? otherRank;
    sections[place] = `${sections[place] ?? ""}${name}: ${value}\r\n`;
  }
  let text = startLine(message);
  for (let place = 0; place <= typeRank; place++) text += sections[place] ?? "";
  text += `Content-Length: ${message.body.length}\r\n\r\n`;
  const head = encode(text, message);
  return message.body.length === 0 ? head : Buffer.concat([head, message.body]);
}

function startLine(message: SipMessage): string {
  if (message.kind === "response") return `SIP/2.0 ${message.status} ${message.reason}\r\n`;
  // the text itself, so that the URI need not be taken apart for sending
  const uri = message instanceof RequestMessage ? message.uriText : message.uri.raw;
  return `${message.method} ${uri} SIP/2.0\r\n`;
}

/**
 * Text received as single bytes goes out as the same bytes. What was added to it beyond them goes out as UTF-8:
 * cut to its low byte, U+010A would become a line end.
 */
function encode(text: string, message: SipMessage): Buffer {
  if (!(message.headers instanceof HeaderFields) || message.headers.encoding === "utf8")
    return Buffer.from(text);
  return Buffer.from(
    text.replaceAll(/[\u0100-\u{10ffff}]+/gu, (wide) => Buffer.from(wide).toString("latin1")),
    "latin1",
  );
}
