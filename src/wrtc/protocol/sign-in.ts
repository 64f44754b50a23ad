import { percentDecoded } from "./query.ts";

/** Who wants to sign in, as the client said. */
export type SignInWish =
  | { readonly kind: "dn"; readonly dn: string; readonly password: string | undefined }
  /** `connect()` of grtc.js: an ID it has made up, nobody's DN. */
  | { readonly kind: "anonymous"; readonly id: string };

/** A form of `crypto.randomUUID` without dashes, behind `anon` (1.1). */
const anonymousId = /^anon[\da-f]{12}4[\da-f]{3}[89ab][\da-f]{15}$/;

/** Longest name or password taken, characters. */
const longest = 1024;

/** `GET /sign_in?ID`: the whole query is the ID, decoded once. Undefined: there is none, or it cannot be read. */
export function readSignInQuery(query: string): SignInWish | undefined {
  const id = percentDecoded(query);
  if (id === undefined || id === "" || id.length > longest) return undefined;
  return anonymousId.test(id) ? { kind: "anonymous", id } : { kind: "dn", dn: dnOf(id), password: undefined };
}

/**
 * `POST /sign_in` with `DN:password`, nothing of it encoded: split at the first colon, the one of `sip:` or `sips:` before
 * the DN left out. Undefined: there is no colon.
 */
export function readSignInBody(body: string): SignInWish | undefined {
  const scheme = /^sips?:/i.exec(body)?.[0] ?? "";
  const at = body.indexOf(":", scheme.length);
  if (at === -1) return undefined;
  const dn = dnOf(body.slice(0, at));
  const password = body.slice(at + 1);
  if (dn === "" || dn.length > longest || password.length > longest) return undefined;
  return { kind: "dn", dn, password };
}

/** `sip:1020@host` names DN 1020. */
function dnOf(text: string): string {
  const [, user = text] = /^sips?:([^@;]*)/i.exec(text) ?? [];
  return user;
}
