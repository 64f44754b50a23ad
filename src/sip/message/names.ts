/** Compact forms registered with IANA (RFC 3261 7.3.3, 3515, 3841, 3892, 4028, 6665, 8224 and 4474). */
const compactForms: Readonly<Record<string, string>> = {
  a: "Accept-Contact",
  b: "Referred-By",
  c: "Content-Type",
  d: "Request-Disposition",
  e: "Content-Encoding",
  f: "From",
  i: "Call-ID",
  j: "Reject-Contact",
  k: "Supported",
  l: "Content-Length",
  m: "Contact",
  n: "Identity-Info",
  o: "Event",
  r: "Refer-To",
  s: "Subject",
  t: "To",
  u: "Allow-Events",
  v: "Via",
  x: "Session-Expires",
  y: "Identity",
};

const longNames =
  "Accept Accept-Encoding Accept-Language Alert-Info Allow Authentication-Info Authorization Call-Info " +
  "Content-Disposition Content-Language CSeq Date Diversion Error-Info Expires Flow-Timer History-Info In-Reply-To " +
  "Max-Forwards Min-Expires Min-SE MIME-Version Organization P-Asserted-Identity P-Preferred-Identity Path Priority " +
  "Privacy Proxy-Authenticate Proxy-Authorization Proxy-Require RAck Reason Record-Route Remote-Party-ID Replaces " +
  "Reply-To Require Retry-After Route RSeq Server Service-Route SIP-ETag SIP-If-Match Subscription-State " +
  "Target-Dialog Timestamp Unsupported User-Agent User-to-User Warning WWW-Authenticate X-Genesys-CallUUID";

/** A header's name in both of its uses. */
export interface HeaderName {
  /** Lower case, long form; what names are compared by. */
  readonly key: string;
  /** As written to the wire: the RFC's spelling where known, else as given. */
  readonly spelling: string;
}

const known = new Map<string, HeaderName>();
for (const [compact, spelling] of Object.entries(compactForms)) {
  const name = { key: spelling.toLowerCase(), spelling };
  for (const form of [compact, compact.toUpperCase(), spelling, name.key]) known.set(form, name);
}
for (const spelling of longNames.split(" ")) {
  const name = { key: spelling.toLowerCase(), spelling };
  for (const form of [spelling, name.key]) known.set(form, name);
}

/** Finds the comparable name and the spelling of a header name in any case, long or compact. */
export function headerName(name: string): HeaderName {
  const hit = known.get(name);
  if (hit !== undefined) return hit;
  const key = name.toLowerCase();
  return known.get(key) ?? { key, spelling: name };
}
