import { percentDecoded, valueOf } from "../protocol/query.ts";

/** What a client said of itself when it signed in. */
export interface SignInFields {
  readonly id: string;
  readonly dn: string;
  /** Undefined: none was given. */
  readonly password: string | undefined;
}

/** Why a sign-in is none, in words. */
export interface Fault {
  readonly fault: string;
}

/**
 * The client makes its id itself and shows nothing else later, so it must be one that nobody guesses
 * (docs/decisions/0024-wrtc-simple.md).
 */
const idForm = /^[\w.~-]{16,128}$/;

/** The value of `name` in a raw query, percent-decoded once where it can be. */
export function queryValue(query: string, name: string): string | undefined {
  const value = valueOf(query, name);
  return value === undefined ? undefined : (percentDecoded(value) ?? value);
}

/** Undefined: it is no sign-in of the simple variant, which names both `id` and `dn` (wrtc-http-protocol.md 5). */
export function readSignInQuery(query: string, passwordInQuery: boolean): SignInFields | Fault | undefined {
  const id = queryValue(query, "id");
  const dn = queryValue(query, "dn");
  if (id === undefined || dn === undefined) return undefined;
  const password = queryValue(query, "password");
  if (password !== undefined && !passwordInQuery)
    return {
      fault: 'a password is not taken in the query: POST {"id":"...","dn":"...","password":"..."} as JSON',
    };
  return judged({ id, dn, password });
}

/** Undefined: it is none of the simple variant, whose body is a JSON object; `DN:password` is the other one's. */
export function readSignInBody(body: string): SignInFields | Fault | undefined {
  if (!body.trimStart().startsWith("{")) return undefined;
  let read: unknown;
  try {
    read = JSON.parse(body);
  } catch {
    return { fault: "the body is not JSON" };
  }
  const { id, dn, password } = read as { readonly [name: string]: unknown };
  if (typeof id !== "string" || typeof dn !== "string") return { fault: "id and dn must be strings" };
  if (password !== undefined && typeof password !== "string") return { fault: "password must be a string" };
  return judged({ id, dn, password });
}

function judged(fields: SignInFields): SignInFields | Fault {
  if (!idForm.test(fields.id))
    return { fault: "id must be 16 to 128 of the characters A-Z a-z 0-9 _ . ~ -, and hard to guess" };
  return fields.dn === "" ? { fault: "dn is empty" } : fields;
}

/** What a client posted; undefined: nothing that this variant has. The type it claims says nothing. */
export function readSimpleBody(body: string): { readonly sdp: string } | "bye" | undefined {
  if (body.startsWith("v=0")) return { sdp: body };
  return body.startsWith("BYE") ? "bye" : undefined;
}

/** An answer says who begins DTLS; only an offer leaves that open (RFC 8842 5.1). */
export function isOffer(sdp: string): boolean {
  return /^a=setup:actpass\s*$/im.test(sdp);
}
