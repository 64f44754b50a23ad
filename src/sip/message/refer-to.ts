import { checkedNameAddress } from "./grammar.ts";
import { parseReplaces, type Replaces } from "./replaces.ts";
import type { SipRequest, SipUri } from "./types.ts";
import { unescapeText } from "./uri.ts";

/** Where a REFER leads to. */
export interface ReferTarget {
  readonly uri: SipUri;
  /** What stands behind the URI's `?`, unescaped, in order; Replaces included. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The dialog that the call to the target is to take the place of. */
  readonly replaces: Replaces | undefined;
}

/** Why a Refer-To leads nowhere: status and reason for the REFER. */
export interface ReferToFault {
  readonly status: number;
  readonly reason: string;
}

/** More than any REFER needs; each becomes a header of an INVITE. */
const maximumHeaders = 32;

/** Reads the one Refer-To a REFER must have (RFC 3515 2.1): 400, and 416 where it leads to another scheme. */
export function readReferTo(request: SipRequest): ReferTarget | ReferToFault {
  const bad = (reason: string): ReferToFault => ({ status: 400, reason });
  const values = request.headers.values("Refer-To");
  const [value] = values;
  if (value === undefined) return bad("Missing Refer-To");
  if (values.length > 1) return bad("More Than One Refer-To");
  const address = checkedNameAddress(value);
  if (!address || address.uri.raw === "*") return bad("Bad Refer-To");
  const { uri } = address;
  if (uri.scheme !== "sip" && uri.scheme !== "sips") return { status: 416, reason: "Unsupported URI Scheme" };
  const method = uri.parameters.get("method");
  if (method !== undefined && method.toUpperCase() !== "INVITE")
    return { status: 501, reason: "Only INVITE Can Be Referred" };
  const headers = readUriHeaders(uri.headers ?? "");
  if (!headers) return bad("Bad Headers In Refer-To");
  const named = headers.filter(([name]) => name.toLowerCase() === "replaces");
  const replaces = named[0] && parseReplaces(named[0][1]);
  if (named.length > 1 || (named.length === 1 && !replaces)) return bad("Bad Replaces In Refer-To");
  return { uri, headers, replaces };
}

/** `a=b&c=d`, unescaped; undefined when it is not of that form, too long or hides a line end. */
function readUriHeaders(text: string): ReferTarget["headers"] | undefined {
  if (text === "") return [];
  const headers: (readonly [string, string])[] = [];
  for (const part of text.split("&")) {
    const equals = part.indexOf("=");
    const name = unescapeText(part.slice(0, Math.max(equals, 0)));
    const value = unescapeText(part.slice(equals + 1));
    if (!/^[\w.!%*+`'~-]+$/.test(name) || hasControls(value) || headers.length >= maximumHeaders)
      return undefined;
    headers.push([name, value]);
  }
  return headers;
}

function hasControls(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) < 32) return true;
  return false;
}
