import { parseCSeq, parseNameAddress, parseVia } from "./address.ts";
import type { HeaderFields } from "./headers.ts";
import type { Fault } from "./lines.ts";
import type { Derived } from "./message.ts";
import { splitElements } from "./parameters.ts";
import { parseDigits } from "./text.ts";
import type { NameAddress, Via } from "./types.ts";

/** Headers that stand once at most; two of them would be read differently by different elements (RFC 3261 7.3.1). */
const singletons = new Set([
  "From",
  "To",
  "Call-ID",
  "CSeq",
  "Max-Forwards",
  "Content-Length",
  "Content-Type",
  "Expires",
  "Event",
  "Subscription-State",
  "Refer-To",
  "Referred-By",
  "Replaces",
  "Session-Expires",
  "Min-SE",
  "RAck",
  "RSeq",
  "Date",
]);

/**
 * Checks what every message must have (RFC 3261 8.1.1, 20) and leaves what was taken apart in `derived`. `method`
 * is the request's, `undefined` for a response. No Max-Forwards and a From without tag are let pass: SIP Server
 * omits the former (genesys-sip-server 4), RFC 2543 clients the latter.
 */
export function checkHeaders(
  headers: HeaderFields,
  method: string | undefined,
  derived: Derived,
): Fault | undefined {
  return (
    checkSingletons(headers) ??
    checkVias(headers, derived) ??
    checkDialogHeaders(headers, derived) ??
    checkCSeq(headers, method, derived) ??
    (method === undefined ? undefined : checkRequestHeaders(headers))
  );
}

function bad(reason: string): Fault {
  return { status: 400, reason };
}

function checkSingletons(headers: HeaderFields): Fault | undefined {
  const seen = new Set<string>();
  for (const [name] of headers.entries()) {
    if (!singletons.has(name)) continue;
    if (seen.has(name)) return bad(`Repeated ${name}`);
    seen.add(name);
  }
  return undefined;
}

function checkVias(headers: HeaderFields, derived: Derived): Fault | undefined {
  const vias: Via[] = [];
  for (const line of headers.getAll("Via")) {
    for (const element of splitElements(line)) {
      const via = parseVia(element);
      if (via === undefined) return bad("Bad Via");
      vias.push(via);
    }
  }
  if (vias.length === 0) return bad("Missing Via");
  derived.vias = vias;
  return undefined;
}

function checkDialogHeaders(headers: HeaderFields, derived: Derived): Fault | undefined {
  const from = addressHeader(headers, "From");
  if ("status" in from) return from;
  const to = addressHeader(headers, "To");
  if ("status" in to) return to;
  derived.from = from;
  derived.to = to;
  const callId = headers.get("Call-ID");
  if (callId === undefined) return bad("Missing Call-ID");
  return callId === "" || /[ \t]/.test(callId) ? bad("Bad Call-ID") : undefined;
}

function addressHeader(headers: HeaderFields, name: string): NameAddress | Fault {
  const value = headers.get(name);
  if (value === undefined) return bad(`Missing ${name}`);
  const address = parseNameAddress(value);
  if (address === undefined || address.uri.scheme === "") return bad(`Bad ${name}`);
  // a tag without a value would read as no tag here and as an empty one elsewhere
  return address.tag === undefined && address.parameters.has("tag") ? bad(`Bad ${name}`) : address;
}

function checkCSeq(headers: HeaderFields, method: string | undefined, derived: Derived): Fault | undefined {
  const value = headers.get("CSeq");
  if (value === undefined) return bad("Missing CSeq");
  const cseq = parseCSeq(value);
  if (cseq === undefined) return bad("Bad CSeq");
  if (method !== undefined && cseq.method !== method) return bad("CSeq Method Mismatch");
  derived.cseq = cseq;
  return undefined;
}

/** A response is not dropped for these: its status is what counts. */
function checkRequestHeaders(headers: HeaderFields): Fault | undefined {
  const hops = headers.get("Max-Forwards");
  if (hops !== undefined && parseDigits(hops, 255) === undefined) return bad("Bad Max-Forwards");
  for (const line of headers.getAll("Contact")) {
    for (const element of splitElements(line)) {
      if (parseNameAddress(element) === undefined) return bad("Bad Contact");
    }
  }
  return undefined;
}
