import { randomBytes } from "node:crypto";

/** Source of randomness; tests pass a counting one so that what is sent is known. */
export interface Random {
  /** `length` unpredictable bytes. */
  bytes(length: number): Buffer;
  /** Uniform number in [0, 1). */
  fraction(): number;
}

/** Cryptographic randomness; tags, branches, nonces and ICE passwords must not be guessable. */
export const systemRandom: Random = {
  bytes: (length) => randomBytes(length),
  fraction: () => randomBytes(4).readUInt32BE(0) / 2 ** 32,
};

/** Lower-case hexadecimal identifier carrying `bytes` bytes of randomness (two characters a byte). */
export function randomId(random: Random, bytes = 8): string {
  return random.bytes(bytes).toString("hex");
}
