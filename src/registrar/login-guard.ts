import { addressList, TypedEvents, type Clock, type Logger } from "../core/index.ts";

/** How many wrong passwords are borne. */
export interface LoginLimits {
  /** Wrong passwords from one address for one DN before it is shut out. Default 10. */
  readonly perAccount: number;
  /** Wrong passwords from one address for all DNs together: a proxy may bring a whole site. Default 100. */
  readonly perAddress: number;
  /** Wrong passwords for one DN from all addresses together. Default 50. */
  readonly perDn: number;
  /** One failure is forgiven after so many seconds. Default 30. */
  readonly forgiveSeconds: number;
  /** IPv4 addresses and nets (`10.0.0.0/8`) that are not shut out as a whole. */
  readonly neverBan: readonly string[];
}

/** What holds where nothing else is asked for. */
export const defaultLoginLimits: LoginLimits = {
  perAccount: 10,
  perAddress: 100,
  perDn: 50,
  forgiveSeconds: 30,
  neverBan: [],
};

/** Who is shut out: an address, a DN (for addresses it never signed in from), or one address for one DN. */
export interface Ban {
  readonly address: string | undefined;
  readonly dn: string | undefined;
  /** Failures that still count. */
  readonly failures: number;
  /** ms since 1970-01-01 UTC. */
  readonly since: number;
  readonly until: number;
}

/** Which bans: all of an address, all of a DN, those of that pair, or (neither said) all. */
export interface BanFilter {
  readonly address?: string;
  readonly dn?: string;
}

/** What the guard tells. */
export type LoginGuardEvents = {
  /** Once for each ban; what is refused because of it is not told again. */
  banned: [ban: Ban];
};

export interface LoginGuardOptions {
  readonly clock: Clock;
  /** Asked at each judgement: a reload may change them. */
  readonly limits: () => LoginLimits;
  readonly log: Logger;
}

interface Failures {
  readonly address: string | undefined;
  readonly dn: string | undefined;
  count: number;
  /** Monotonic ms. */
  at: number;
  /** Wall clock, when it was shut out last. */
  since: number;
}

/** Keys remembered at most; when full, those forgiven are dropped first, then the oldest. */
const maxKeys = 20_000;
/** Pairs of address and DN that signed in, at most; the one that did so longest ago is forgotten. */
const maxGood = 20_000;

/**
 * Counts failed logins per address, per DN, and per both; they leak away with time. An address from which a DN has
 * signed in is judged, for that DN, by its own failures alone: strangers cannot shut it out.
 */
export class LoginGuard {
  readonly events: TypedEvents<LoginGuardEvents>;
  readonly #clock: Clock;
  readonly #limits: () => LoginLimits;
  readonly #log: Logger;
  readonly #failures = new Map<string, Failures>();
  readonly #good = new Set<string>();
  #nets: { readonly of: readonly string[]; readonly has: (address: string) => boolean } | undefined;

  constructor({ clock, limits, log }: LoginGuardOptions) {
    this.#clock = clock;
    this.#limits = limits;
    this.#log = log;
    this.events = new TypedEvents(log);
  }

  get size(): number {
    return this.#failures.size;
  }

  /** Seconds until `address` may try again for `dn`, or (no DN said) at all; 0 when it may now. */
  blockedSeconds(address: string, dn?: string): number {
    const pair = dn === undefined ? undefined : keyOf(address, dn);
    const keys = [pair];
    if (pair === undefined || !this.#good.has(pair))
      keys.push(keyOf(address, undefined), keyOf(undefined, dn));
    return Math.max(...keys.map((key) => this.#waitSeconds(this.#find(key))));
  }

  /** A wrong password for `dn`, or a forged token, which names none that could be believed. */
  failed(address: string, dn?: string): void {
    const pair = dn !== undefined && keyOf(address, dn);
    if (pair !== false) this.#count(address, dn);
    this.#count(address, undefined);
    if (pair !== false && !this.#good.has(pair)) this.#count(undefined, dn);
    if (this.#failures.size > maxKeys) this.#prune();
  }

  /** A right password or token makes good what went wrong for that DN, not for the whole address. */
  succeeded(address: string, dn: string): void {
    const pair = keyOf(address, dn);
    this.#failures.delete(pair);
    this.#good.delete(pair);
    this.#good.add(pair);
    const [oldest] = this.#good;
    if (this.#good.size > maxGood && oldest !== undefined) this.#good.delete(oldest);
  }

  /** Who is shut out now, newest first. */
  list(): Ban[] {
    const bans = Array.from(this.#failures.values(), (failures) => this.#banOf(failures));
    return bans.filter((ban) => ban !== undefined).toSorted((one, other) => other.since - one.since);
  }

  /** Forgives; returns how many bans were lifted by it. */
  forgive({ address, dn }: BanFilter): number {
    let lifted = 0;
    for (const [key, failures] of this.#failures) {
      if (address !== undefined && failures.address !== address) continue;
      if (dn !== undefined && failures.dn !== dn) continue;
      if (this.#banOf(failures)) lifted++;
      this.#failures.delete(key);
    }
    return lifted;
  }

  /** Forgets all. */
  clear(): void {
    this.#failures.clear();
    this.#good.clear();
  }

  /** Those wholly forgiven are forgotten. */
  #find(key: string | undefined): Failures | undefined {
    const failures = key === undefined ? undefined : this.#failures.get(key);
    if (key === undefined || !failures || this.#level(failures) > 0) return failures;
    this.#failures.delete(key);
    return undefined;
  }

  #count(address: string | undefined, dn: string | undefined): void {
    const key = keyOf(address, dn);
    const known = this.#failures.get(key);
    const wasOut = this.#waitSeconds(known) > 0;
    const count = (known ? this.#level(known) : 0) + 1;
    const next = {
      address,
      dn: dn?.slice(0, maxDnLength),
      count,
      at: this.#clock.now(),
      since: known?.since ?? 0,
    };
    if (!wasOut) next.since = this.#clock.wallClock();
    this.#failures.delete(key);
    this.#failures.set(key, next);
    const ban = wasOut ? undefined : this.#banOf(next);
    if (!ban) return;
    this.#log.warn(
      { address, dn: next.dn, seconds: Math.ceil((ban.until - ban.since) / 1000) },
      "too many failed logins: shut out for a while",
    );
    this.events.emit("banned", ban);
  }

  #banOf(failures: Failures): Ban | undefined {
    const seconds = this.#waitSeconds(failures);
    if (seconds === 0) return undefined;
    const { address, dn, since } = failures;
    const until = this.#clock.wallClock() + seconds * 1000;
    return { address, dn, failures: Math.ceil(this.#level(failures)), since, until };
  }

  #waitSeconds(failures: Failures | undefined): number {
    if (!failures) return 0;
    const { address, dn } = failures;
    const { perAccount, perAddress, perDn, forgiveSeconds } = this.#limits();
    if (dn === undefined && address !== undefined && this.#isNeverBanned(address)) return 0;
    const oneSided = dn === undefined ? perAddress : perDn;
    const over = this.#level(failures) - (address !== undefined && dn !== undefined ? perAccount : oneSided);
    // A whole failure must be forgiven before the next try.
    return over <= -1 ? 0 : Math.max(1, Math.ceil((over + 1) * forgiveSeconds));
  }

  #level({ count, at }: Failures): number {
    const forgiven = (this.#clock.now() - at) / (this.#limits().forgiveSeconds * 1000);
    return Math.max(0, count - forgiven);
  }

  #isNeverBanned(address: string): boolean {
    const { neverBan } = this.#limits();
    if (this.#nets?.of !== neverBan) this.#nets = { of: neverBan, has: addressList(neverBan) };
    return this.#nets.has(address);
  }

  /** Makes room for a quarter at once: pruning at each failure would let an attacker make us count for ever. */
  #prune(): void {
    for (const [key, failures] of this.#failures) if (this.#level(failures) === 0) this.#failures.delete(key);
    for (const key of this.#failures.keys()) {
      if (this.#failures.size <= maxKeys * 0.75) return;
      this.#failures.delete(key);
    }
  }
}

/** Longest DN the configuration takes, characters; what is longer is made up, and must not fill the table. */
const maxDnLength = 64;

/** A space is in no address and in no DN. */
function keyOf(address: string | undefined, dn: string | undefined): string {
  return `${address ?? ""} ${dn?.slice(0, maxDnLength) ?? ""}`;
}
