import { createHash, timingSafeEqual } from "node:crypto";
import type { AdminUserConfig } from "../config/index.ts";
import type { Identity } from "./identity.ts";
import { isPassword } from "./password-hash.ts";

/** Hashes worked out at a time; each takes a core for a moment, and calls run on the same machine. */
const atOnce = 2;

/** Judges names and passwords. A name that does not exist costs the time of one that does. */
export class PasswordCheck {
  readonly #users: ReadonlyMap<string, AdminUserConfig>;
  /** Reckoned with where the name has no hash of its own. */
  readonly #anyHash: string | undefined;
  #running = 0;

  constructor(users: readonly AdminUserConfig[]) {
    this.#users = new Map(users.map((user) => [user.name, user]));
    this.#anyHash = users.find(({ passwordHash }) => passwordHash !== undefined)?.passwordHash;
  }

  /** No more tries are taken at the moment. */
  get busy(): boolean {
    return this.#running >= atOnce;
  }

  /** Whose name and password that are. */
  async identify(name: string, password: string): Promise<Identity | undefined> {
    const user = this.#users.get(name);
    const hash = user?.passwordHash ?? this.#anyHash;
    this.#running++;
    try {
      const hashFits = hash !== undefined && (await isPassword(password, hash));
      const plainFits = timingSafeEqual(digestOf(user?.password ?? ""), digestOf(password));
      const right = user?.passwordHash === undefined ? user?.password !== undefined && plainFits : hashFits;
      return user && right ? { who: user.name, role: user.role } : undefined;
    } finally {
      this.#running--;
    }
  }
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
