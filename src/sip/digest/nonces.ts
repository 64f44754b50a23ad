import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock, Random } from "../../core/index.ts";

export interface NonceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly lifetimeMs: number;
  /** How many used nonces are remembered. */
  readonly limit: number;
}

const timeBytes = 6;
const saltBytes = 6;
const signatureBytes = 12;
/** nc values that may come late and out of order (UDP), counted from the highest seen. */
const window = 32;

interface NonceUse {
  readonly issued: number;
  highest: number;
  /** Bit n: nc `highest - n` was used. */
  used: number;
}

/**
 * Nonces that carry their own proof: time of issue, salt and a signature. Nothing is kept for one that is only
 * handed out; from its first use on its counts (nc) are remembered. When the memory is full the oldest use is
 * dropped, and every nonce issued up to then and not remembered counts as stale: full memory costs a client one
 * more round trip, never admits a replay.
 */
export class Nonces {
  readonly #options: NonceOptions;
  readonly #key: Buffer;
  readonly #uses = new Map<string, NonceUse>();
  #forgottenUpTo = -1;

  constructor(options: NonceOptions) {
    this.#options = options;
    this.#key = options.random.bytes(32);
  }

  /** Used nonces remembered at present. */
  get remembered(): number {
    return this.#uses.size;
  }

  issue(): string {
    const payload = Buffer.alloc(timeBytes + saltBytes);
    payload.writeUIntBE(this.#now(), 0, timeBytes);
    this.#options.random.bytes(saltBytes).copy(payload, timeBytes);
    return Buffer.concat([payload, this.#sign(payload)]).toString("base64url");
  }

  /** Whether `nonce` is ours and young enough; says nothing of its counts. */
  isValid(nonce: string): boolean {
    const issued = this.#issued(nonce);
    return issued !== undefined && this.#isYoung(issued);
  }

  /** Marks count `nc` of a valid nonce as used; false when it was used before or cannot be told. */
  use(nonce: string, nc: number): boolean {
    const issued = this.#issued(nonce);
    if (issued === undefined || nc < 1) return false;
    const known = this.#uses.get(nonce);
    if (known) return advance(known, nc);
    if (issued <= this.#forgottenUpTo) return false;
    this.#makeRoom();
    this.#uses.set(nonce, { issued, highest: nc, used: 1 });
    return true;
  }

  /** Time of issue, or undefined when the signature is not ours. */
  #issued(nonce: string): number | undefined {
    const bytes = Buffer.from(nonce, "base64url");
    if (bytes.length !== timeBytes + saltBytes + signatureBytes) return undefined;
    // Another spelling of the same bytes would have counts of its own.
    if (bytes.toString("base64url") !== nonce) return undefined;
    const payload = bytes.subarray(0, timeBytes + saltBytes);
    if (!timingSafeEqual(this.#sign(payload), bytes.subarray(timeBytes + saltBytes))) return undefined;
    return payload.readUIntBE(0, timeBytes);
  }

  #isYoung(issued: number): boolean {
    const age = this.#now() - issued;
    return age >= 0 && age < this.#options.lifetimeMs;
  }

  #makeRoom(): void {
    for (const [nonce, use] of this.#uses) {
      const full = this.#uses.size >= this.#options.limit;
      if (this.#isYoung(use.issued) && !full) return;
      if (this.#isYoung(use.issued)) this.#forgottenUpTo = Math.max(this.#forgottenUpTo, use.issued);
      this.#uses.delete(nonce);
    }
  }

  #sign(payload: Buffer): Buffer {
    return createHmac("sha256", this.#key).update(payload).digest().subarray(0, signatureBytes);
  }

  /** Monotonic: the key dies with the process, and a wall clock set back must not revive a nonce. */
  #now(): number {
    return Math.floor(this.#options.clock.now());
  }
}

function advance(use: NonceUse, nc: number): boolean {
  const ahead = nc - use.highest;
  if (ahead > 0) {
    use.used = ahead >= window ? 1 : ((use.used << ahead) | 1) >>> 0;
    use.highest = nc;
    return true;
  }
  if (-ahead >= window) return false;
  const bit = (1 << -ahead) >>> 0;
  if ((use.used & bit) !== 0) return false;
  use.used = (use.used | bit) >>> 0;
  return true;
}
