import { createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { errors, jwtVerify, type JWTPayload } from "jose";
import { dnPattern, type Clock, type Logger } from "../../core/index.ts";
import { KeySet, KeysUnavailable } from "./key-set.ts";

export interface JwtLoginOptions {
  /** Algorithms taken. HS256 alone with a secret, never with a public key. */
  readonly algorithms: readonly string[];
  /** Exactly one of these three. */
  readonly secret?: string | undefined;
  /** PEM, SPKI. */
  readonly publicKey?: string | undefined;
  readonly jwksUrl?: string | undefined;
  readonly issuer: string;
  readonly audience: string;
  /** Claim with the DN. */
  readonly dnClaim: string;
  readonly clockSkewSeconds: number;
  /** From `iat` on; left out, `exp` alone counts. */
  readonly maxAgeSeconds?: number | undefined;
  /** For the keys. */
  readonly timeoutSeconds: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Why a token opens nothing: it is forged or not for us, its time is over, or the keys cannot be had just now. */
export type JwtRefusal = "wrong" | "expired" | "unavailable";

/** Longest token looked at, characters; identity providers that list groups make some thousand. */
export const longestJwt = 8192;

/** Judges JSON Web Tokens (RFC 7519, 8725) of one issuer. */
export class JwtLogin {
  readonly #options: JwtLoginOptions;
  #key: KeyObject | KeySet;

  constructor(options: JwtLoginOptions) {
    this.#options = options;
    const { jwksUrl, timeoutSeconds, clock, log } = options;
    const keySet =
      jwksUrl === undefined
        ? undefined
        : new KeySet({ url: jwksUrl, timeoutMs: timeoutSeconds * 1000, clock, log });
    const key = keyOf(options) ?? keySet;
    if (!key) throw new Error("no key to check tokens by");
    this.#key = key;
  }

  /** Takes another secret, or public key, in place of the one before; tokens by that one open nothing any more. */
  useKey(key: Pick<JwtLoginOptions, "secret" | "publicKey">): void {
    this.#key = keyOf(key) ?? this.#key;
  }

  /** Whose DN the token proves. The log says what is wrong with one, and nothing of what is in it. */
  async verify(token: string): Promise<{ readonly dn: string } | { readonly refusal: JwtRefusal }> {
    const { log, dnClaim } = this.#options;
    if (token.length > longestJwt) return { refusal: "wrong" };
    try {
      const dn = (await this.#payload(token))[dnClaim];
      if (typeof dn === "string" && dnPattern.test(dn)) return { dn };
      log.warn({ claim: dnClaim, type: typeof dn }, "a token of the right issuer has no DN in its claim");
      return { refusal: "wrong" };
    } catch (error) {
      if (error instanceof KeysUnavailable) return { refusal: "unavailable" };
      if (error instanceof errors.JWTExpired) return { refusal: "expired" };
      log.info({ reason: reasonOf(error) }, "token refused");
      return { refusal: "wrong" };
    }
  }

  close(): void {
    if (this.#key instanceof KeySet) this.#key.close();
  }

  async #payload(token: string): Promise<JWTPayload> {
    const { issuer, audience, clockSkewSeconds, maxAgeSeconds, clock } = this.#options;
    const options = {
      algorithms: Array.from(this.#options.algorithms),
      issuer,
      audience,
      requiredClaims: ["exp"],
      clockTolerance: clockSkewSeconds,
      currentDate: new Date(clock.wallClock()),
      ...(maxAgeSeconds === undefined ? {} : { maxTokenAge: maxAgeSeconds }),
    };
    const verified =
      this.#key instanceof KeySet
        ? await jwtVerify(token, this.#key.find, options)
        : await jwtVerify(token, this.#key, options);
    return verified.payload;
  }
}

function keyOf({ secret, publicKey }: Pick<JwtLoginOptions, "secret" | "publicKey">): KeyObject | undefined {
  if (secret !== undefined) return createSecretKey(Buffer.from(secret));
  return publicKey === undefined ? undefined : createPublicKey(publicKey);
}

/** Three parts with dots between them; sign-in tokens of our own have none. */
export function looksLikeJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
}

/** jose's codes: ERR_JWS_SIGNATURE_VERIFICATION_FAILED and the like, with the claim that failed. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed) return `${error.code} ${error.claim}`;
  return error instanceof errors.JOSEError ? error.code : "ERR_JWT_INVALID";
}
