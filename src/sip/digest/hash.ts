import { hash } from "node:crypto";

/** Algorithms our server challenges with. */
export type DigestAlgorithm = "MD5" | "SHA-256";
/** Algorithms our client answers; `-sess` ties the key to one nonce (RFC 7616 3.4.2). */
export type ClientAlgorithm = DigestAlgorithm | `${DigestAlgorithm}-sess`;
/** What the digest covers: the request line, or the body too (RFC 7616 3.3). */
export type QualityOfProtection = "auth" | "auth-int";

const nodeNames: Record<DigestAlgorithm, string> = { MD5: "md5", "SHA-256": "sha256" };

/** Lower-case hexadecimal hash of UTF-8 text. */
function digestHash(algorithm: DigestAlgorithm, data: string | Buffer): string {
  return hash(nodeNames[algorithm], data, "hex");
}

/** HA1 (RFC 7616 3.4.2): what may be stored in place of the password. */
export function digestHa1(
  algorithm: DigestAlgorithm,
  username: string,
  realm: string,
  password: string,
): string {
  return digestHash(algorithm, `${username}:${realm}:${password}`);
}

/** The hash function behind `algorithm`. */
export function baseAlgorithm(algorithm: ClientAlgorithm): DigestAlgorithm {
  return algorithm.startsWith("MD5") ? "MD5" : "SHA-256";
}

/** What the `response` value is made from. */
export interface DigestInput {
  readonly algorithm: ClientAlgorithm;
  /** HA1 without the `-sess` step. */
  readonly ha1: string;
  readonly nonce: string;
  readonly method: string;
  readonly uri: string;
  readonly cnonce: string;
  /** Absent: RFC 2069's form, which counts no nonces. */
  readonly protection?: { readonly qop: QualityOfProtection; readonly nc: string } | undefined;
  /** Counts for auth-int only. */
  readonly body?: Buffer | undefined;
}

/** The `response` value (RFC 7616 3.4.1), lower-case hexadecimal. */
export function digestResponse(input: DigestInput): string {
  const { nonce, method, uri, cnonce, protection } = input;
  const algorithm = baseAlgorithm(input.algorithm);
  const session = input.algorithm.endsWith("-sess");
  const ha1 = session ? digestHash(algorithm, `${input.ha1}:${nonce}:${cnonce}`) : input.ha1;
  const entity =
    protection?.qop === "auth-int" ? `:${digestHash(algorithm, input.body ?? Buffer.alloc(0))}` : "";
  const ha2 = digestHash(algorithm, `${method}:${uri}${entity}`);
  const middle = protection ? `${protection.nc}:${cnonce}:${protection.qop}:` : "";
  return digestHash(algorithm, `${ha1}:${nonce}:${middle}${ha2}`);
}
