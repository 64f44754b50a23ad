import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { Clock, Logger } from "../../core/index.ts";
import { fetchJson } from "../fetch-json.ts";

export interface KeySetOptions {
  readonly url: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The identity provider could not be asked for its keys, and none are known. */
export class KeysUnavailable extends Error {}

const maxBytes = 256 * 1024;
/** How long keys hold before they are asked for anew, ms; while that fails, the known ones do. */
const freshMs = 600_000;
/** After so long without an answer the known ones do no more: they may have been withdrawn, ms. */
const staleMs = 24 * 3_600_000;
/** Keys are asked for at most this often, whatever tokens name, ms; the second where none are known. */
const cooldownMs = { known: 30_000, none: 5_000 };

/** The public keys behind a `jwks_uri`: fetched when first needed, when they get old, and when a token names an unknown one. */
export class KeySet {
  readonly #options: KeySetOptions;
  readonly #closed = new AbortController();
  #keys: JWTVerifyGetKey | undefined;
  #fetchedAt = -Infinity;
  #askedAt = -Infinity;
  #asking: Promise<void> | undefined;
  #failing = false;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /** For jose: the key of a token's header. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (this.#age >= freshMs) await this.#refresh();
    if (this.#age >= staleMs) this.#keys = undefined;
    if (!this.#keys) throw new KeysUnavailable();
    try {
      return await this.#keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.#refresh())) throw error;
      return await this.#keys(header, token);
    }
  };

  close(): void {
    this.#closed.abort();
  }

  /** Asks once for all who wait; false when that was tried a moment ago. */
  async #refresh(): Promise<boolean> {
    const patience = this.#keys ? cooldownMs.known : cooldownMs.none;
    if (!this.#asking && this.#now() - this.#askedAt < patience) return false;
    this.#asking ??= this.#fetch().finally(() => (this.#asking = undefined));
    await this.#asking;
    return true;
  }

  async #fetch(): Promise<void> {
    const { url, timeoutMs, clock, log } = this.#options;
    this.#askedAt = this.#now();
    const answer = await fetchJson(clock, { url, timeoutMs, maxBytes, signal: this.#closed.signal });
    const keys = "json" in answer ? keysOf(answer.json) : undefined;
    if (keys) {
      this.#keys = keys;
      this.#fetchedAt = this.#now();
      this.#failing = false;
      return;
    }
    const failure = "failure" in answer ? answer.failure : `answered ${answer.status} without keys`;
    if (!this.#failing && !this.#closed.signal.aborted)
      log.warn({ failure, keysKnown: this.#keys !== undefined }, "no keys from agents.jwt.jwksUrl");
    this.#failing = true;
  }

  get #age(): number {
    return this.#now() - this.#fetchedAt;
  }

  #now(): number {
    return this.#options.clock.now();
  }
}

function keysOf(json: unknown): JWTVerifyGetKey | undefined {
  try {
    // jose checks its form, and of its keys takes public ones for signatures alone.
    return createLocalJWKSet(json as JSONWebKeySet);
  } catch {
    return undefined;
  }
}
