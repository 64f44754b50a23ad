import type { Clock } from "../core/index.ts";

/** How many wrong passwords are borne. */
export interface LoginLimits {
  /** Wrong passwords from one address for one DN before it is shut out. Default 10. */
  readonly perAccount: number;
  /** Wrong passwords from one address for all DNs together: a proxy may bring a whole site. Default 100. */
  readonly perAddress: number;
  /** One failure is forgiven after so many seconds. Default 30. */
  readonly forgiveSeconds: number;
}

/** What holds where nothing else is asked for. */
export const defaultLoginLimits: LoginLimits = { perAccount: 10, perAddress: 100, forgiveSeconds: 30 };

interface Failures {
  count: number;
  at: number;
}

/** Keys remembered at most; when full, those forgiven are dropped first, then the oldest. */
const maxKeys = 20_000;

/** Counts failed logins per address, and per address and DN; they leak away with time. */
export class LoginGuard {
  readonly #clock: Clock;
  readonly #limits: LoginLimits;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock, limits: LoginLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get size(): number {
    return this.#failures.size;
  }

  /** Seconds until `address` may try again for `dn`; 0 when it may now. */
  blockedSeconds(address: string, dn: string): number {
    const { perAccount, perAddress, forgiveSeconds } = this.#limits;
    const over = Math.max(this.#level(keyOf(address, dn)) - perAccount, this.#level(address) - perAddress);
    // A whole failure must be forgiven before the next try.
    return over <= -1 ? 0 : Math.max(1, Math.ceil((over + 1) * forgiveSeconds));
  }

  failed(address: string, dn: string): void {
    for (const key of [address, keyOf(address, dn)]) {
      const count = this.#level(key) + 1;
      this.#failures.delete(key);
      this.#failures.set(key, { count, at: this.#clock.now() });
    }
    if (this.#failures.size > maxKeys) this.#prune();
  }

  /** A right password makes good what went wrong for that DN, not for the whole address. */
  succeeded(address: string, dn: string): void {
    this.#failures.delete(keyOf(address, dn));
  }

  clear(): void {
    this.#failures.clear();
  }

  #level(key: string): number {
    const failures = this.#failures.get(key);
    if (!failures) return 0;
    const forgiven = (this.#clock.now() - failures.at) / (this.#limits.forgiveSeconds * 1000);
    const level = Math.max(0, failures.count - forgiven);
    if (level === 0) this.#failures.delete(key);
    return level;
  }

  /** Makes room for a quarter at once: pruning at each failure would let an attacker make us count for ever. */
  #prune(): void {
    for (const key of this.#failures.keys()) this.#level(key);
    for (const key of this.#failures.keys()) {
      if (this.#failures.size <= maxKeys * 0.75) return;
      this.#failures.delete(key);
    }
  }
}

/** Longest DN the configuration takes, characters; what is longer is made up, and must not fill the table. */
const maxDnLength = 64;

/** A space is in no address and in no DN. */
function keyOf(address: string, dn: string): string {
  return `${address} ${dn.slice(0, maxDnLength)}`;
}
