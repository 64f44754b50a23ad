import { createHmac, timingSafeEqual } from "node:crypto";
import { randomId, type Random } from "../core/index.ts";

const keyBytes = 32;
const idBytes = 16;

/**
 * Marks browsers that somebody signed in with before, by a signed cookie of that name's: their wrong passwords count
 * by themselves, so that strangers who guess (at the name, or behind the same proxy) shut nobody out who was there
 * before. It opens nothing. The key dies with the process.
 */
export class KnownBrowsers {
  readonly #key: Buffer;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
    this.#key = random.bytes(keyBytes);
  }

  /** Cookie value for a browser that has just signed in with `name`. */
  mark(name: string): string {
    const id = randomId(this.#random, idBytes);
    return `${id}.${this.#sign(id, name).toString("hex")}`;
  }

  /** The browser's id when `mark` is ours and that name's. */
  idOf(mark: string, name: string): string | undefined {
    const [, id = "", signature = ""] = /^([\da-f]{32})\.([\da-f]{64})$/.exec(mark) ?? [];
    if (id === "") return undefined;
    return timingSafeEqual(this.#sign(id, name), Buffer.from(signature, "hex")) ? id : undefined;
  }

  #sign(id: string, name: string): Buffer {
    return createHmac("sha256", this.#key).update(`${id} ${name}`).digest();
  }
}
