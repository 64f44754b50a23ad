import { createHash } from "node:crypto";
import type { Clock } from "../../core/index.ts";

/** Why a secret that is good once opens nothing. */
export type OneTimeRefusal = "wrong" | "used" | "expired";

interface Issued<Value> {
  readonly value: Value;
  /** Monotonic ms. */
  readonly expires: number;
  used: boolean;
}

/** Remembered at a time; used and expired ones are told from wrong ones for as long again as they were good. */
const mostKept = 20_000;

/** Secrets that lie in memory by their SHA-256 and are good once, within `lifeMs`. */
export class OneTimeSecrets<Value> {
  readonly #clock: Clock;
  readonly #lifeMs: number;
  /** Oldest first. */
  readonly #issued = new Map<string, Issued<Value>>();

  constructor(clock: Clock, lifeMs: number) {
    this.#clock = clock;
    this.#lifeMs = lifeMs;
  }

  get size(): number {
    return this.#issued.size;
  }

  /** When it runs out, ms since 1970-01-01 UTC; undefined: too many wait. */
  add(secret: string, value: Value): number | undefined {
    const now = this.#clock.now();
    for (const [key, { expires }] of this.#issued) {
      if (now <= expires + this.#lifeMs) break;
      this.#issued.delete(key);
    }
    if (this.#issued.size >= mostKept) return undefined;
    this.#issued.set(keyOf(secret), { value, expires: now + this.#lifeMs, used: false });
    return this.#clock.wallClock() + this.#lifeMs;
  }

  redeem(secret: string): { readonly value: Value } | { readonly refusal: OneTimeRefusal } {
    const issued = this.#issued.get(keyOf(secret));
    if (!issued) return { refusal: "wrong" };
    if (issued.used) return { refusal: "used" };
    if (this.#clock.now() >= issued.expires) return { refusal: "expired" };
    issued.used = true;
    return { value: issued.value };
  }
}

function keyOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64");
}
