import { createHash, createHmac } from "node:crypto";
import { randomId, type Clock, type Random } from "../core/index.ts";
import { digestHa1 } from "../sip/index.ts";

export interface AgentTokensOptions {
  /** What only this gateway knows; sessions outlive a restart as long as it stays. */
  readonly secret: string;
  /** Of the digest. */
  readonly realm: string;
  /** How long what a token was exchanged for signs in, ms. */
  readonly sessionMs: number;
  /** The DNs that may sign in here. */
  readonly accounts: { has(dn: string): boolean };
  readonly clock: Clock;
  readonly random: Random;
}

/** What signs a browser in by digest for one DN until it expires. */
export interface SessionCredentials {
  readonly dn: string;
  /** User name of the digest. */
  readonly user: string;
  readonly realm: string;
  /** MD5 of user, realm and secret (RFC 7616 3.4.2). */
  readonly ha1: string;
  /** ms since 1970-01-01 UTC. */
  readonly expiresAt: number;
}

/** Whose session a digest's user name tells of, if its password is right. */
export interface AgentSession {
  readonly dn: string;
  readonly expired: boolean;
}

/** Why a token opens nothing. */
export type TokenRefusal = "wrong" | "expired" | "used" | "unknown-dn";

interface Issued {
  readonly dn: string;
  /** Monotonic ms. */
  readonly expires: number;
  used: boolean;
}

/** How long a token may be good for, seconds. */
export const tokenSeconds = { standard: 60, least: 5, most: 600 } as const;

/** Tokens remembered at a time, used and expired ones among them: those are told from wrong ones for as long again. */
const tokensKept = 20_000;
const tokenBytes = 24;
const sessionIdBytes = 8;
/** No DN has a semicolon. */
const sessionUser = /^([^;]{1,64});exp=(\d{1,12});id=[\da-f]{16}$/;

/**
 * Sign-in by token: a token is exchanged once, within a minute or so, for credentials that sign in by digest all day. Tokens
 * lie in memory; of the credentials nothing is kept: user name and secret prove themselves by an HMAC.
 */
export class AgentTokens {
  readonly #options: AgentTokensOptions;
  #key: Buffer;
  /** By SHA-256 of the token, oldest first. */
  readonly #issued = new Map<string, Issued>();

  constructor(options: AgentTokensOptions) {
    this.#options = options;
    this.#key = keyFrom(options.secret);
  }

  /** Another secret: sessions made of the former are over with their next REGISTER. */
  set secret(secret: string) {
    this.#key = keyFrom(secret);
  }

  get size(): number {
    return this.#issued.size;
  }

  /** A token for a DN, good once within `seconds`; refused for a DN nobody may sign in with, or when too many wait. */
  issue(
    dn: string,
    seconds: number,
  ):
    { readonly token: string; readonly expiresAt: number } | { readonly refusal: "unknown-dn" | "too-many" } {
    const { accounts, clock, random } = this.#options;
    if (!accounts.has(dn)) return { refusal: "unknown-dn" };
    this.#forget();
    if (this.#issued.size >= tokensKept) return { refusal: "too-many" };
    const token = random.bytes(tokenBytes).toString("base64url");
    this.#issued.set(keyOf(token), { dn, expires: clock.now() + seconds * 1000, used: false });
    return { token, expiresAt: clock.wallClock() + seconds * 1000 };
  }

  /** Whose token it is, whether or not it opens something still. */
  dnOf(token: string): string | undefined {
    return this.#issued.get(keyOf(token))?.dn;
  }

  /** For who has proven by other means that the DN is his. */
  sessionFor(dn: string): SessionCredentials | { readonly refusal: "unknown-dn" } {
    return this.#options.accounts.has(dn) ? this.#session(dn) : { refusal: "unknown-dn" };
  }

  /** Exchanges a token, once. */
  redeem(token: string): SessionCredentials | { readonly refusal: TokenRefusal } {
    const { clock } = this.#options;
    const issued = this.#issued.get(keyOf(token));
    if (!issued) return { refusal: "wrong" };
    if (issued.used) return { refusal: "used" };
    if (clock.now() >= issued.expires) return { refusal: "expired" };
    issued.used = true;
    return this.sessionFor(issued.dn);
  }

  /** The password behind a session's user name; undefined for any other name. */
  secretOf(user: string): string | undefined {
    return sessionUser.test(user) ? createHmac("sha256", this.#key).update(user).digest("hex") : undefined;
  }

  /** What a user name says; true once its digest was right. Undefined for one that is no session's. */
  sessionOf(user: string): AgentSession | undefined {
    const [, dn, expires] = sessionUser.exec(user) ?? [];
    if (dn === undefined) return undefined;
    return { dn, expired: this.#options.clock.wallClock() >= Number(expires) * 1000 };
  }

  #session(dn: string): SessionCredentials {
    const { clock, random, realm, sessionMs } = this.#options;
    const expires = Math.floor((clock.wallClock() + sessionMs) / 1000);
    const user = `${dn};exp=${expires};id=${randomId(random, sessionIdBytes)}`;
    const ha1 = digestHa1("MD5", user, realm, this.secretOf(user) ?? "");
    return { dn, user, realm, ha1, expiresAt: expires * 1000 };
  }

  /** What has been over for as long as any token lives is told from a wrong one no more. */
  #forget(): void {
    const now = this.#options.clock.now();
    for (const [key, { expires }] of this.#issued) {
      // Those behind it were issued later; one that is over sooner all the same waits until then.
      if (now <= expires + tokenSeconds.most * 1000) return;
      this.#issued.delete(key);
    }
  }
}

function keyFrom(secret: string): Buffer {
  return createHmac("sha256", secret).update("jackfield agent sessions 1").digest();
}

function keyOf(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
