import { createHash } from "node:crypto";
import type { Random } from "../../src/core/index.ts";

/** Repeatable randomness: a hash of a counter, so that ids differ and every run sees the same ones. */
export class CountingRandom implements Random {
  #counter = 0;
  readonly #seed: string;

  constructor(seed = "jackfield") {
    this.#seed = seed;
  }

  bytes(length: number): Buffer {
    const parts: Buffer[] = [];
    for (let have = 0; have < length; have += 32)
      parts.push(createHash("sha256").update(`${this.#seed}:${this.#counter++}`).digest());
    return Buffer.concat(parts).subarray(0, length);
  }

  fraction(): number {
    return this.bytes(4).readUInt32BE(0) / 2 ** 32;
  }
}
