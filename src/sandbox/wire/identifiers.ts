import type { Random } from "../../core/index.ts";

const base32 = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

/** Tags, branches, Call-IDs and call UUIDs in the forms SIP Server writes them. */
export class Identifiers {
  readonly #random: Random;
  #counter = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** `88170A6B-0F5C-4B0E-9D2A-3C1B5E7F9A11-256`: an upper-case GUID and a running number. */
  guid(): string {
    return `${guidForm(this.#random.bytes(16))}-${++this.#counter}`;
  }

  /** RFC 3261 magic cookie and a GUID. */
  branch(): string {
    return `z9hG4bK${this.guid()}`;
  }

  /** `UIVB8J6JE91C53UIM3VI59VHQ4000015`: 26 random characters and a running number, both in base 32. */
  callUuid(): string {
    const letters = Array.from(this.#random.bytes(26), (byte) => base32[byte & 31]).join("");
    return letters + (++this.#counter).toString(32).toUpperCase().padStart(6, "0");
  }
}

/** Sixteen bytes as an upper-case GUID. */
export function guidForm(bytes: Buffer): string {
  const hex = bytes.subarray(0, 16).toString("hex").toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
