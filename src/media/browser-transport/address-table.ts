/** Checks come every few seconds on a path in use; after this without one another owner may have the address, ms. */
const ownedForMs = 10_000;
/** Addresses one owner may have: a browser tries a few paths at once. */
const maxPerOwner = 8;

/** A remote address an authenticated check came from. */
export interface ValidatedAddress<Owner> {
  readonly address: string;
  readonly port: number;
  owner: Owner;
  /** `clock.now()` of the last authenticated check from it. */
  lastCheckAt: number;
}

/** Which owner the packets of a remote address belong to. Entries come only by authenticated checks. */
export class AddressTable<Owner extends object> {
  /** By port first: so a packet is matched without making a key string. */
  readonly #byPort = new Map<number, ValidatedAddress<Owner>[]>();
  readonly #byOwner = new Map<Owner, ValidatedAddress<Owner>[]>();

  /** Number of addresses known. */
  get size(): number {
    let count = 0;
    for (const entries of this.#byPort.values()) count += entries.length;
    return count;
  }

  find(address: string, port: number): ValidatedAddress<Owner> | undefined {
    const entries = this.#byPort.get(port);
    if (entries === undefined) return undefined;
    for (const entry of entries) if (entry.address === address) return entry;
    return undefined;
  }

  /**
   * Notes an authenticated check of `owner` from the address. Undefined when another owner's checks come from there:
   * one who forges a source address must not draw a neighbour's packets to itself. `keep` is never forgotten for it.
   */
  validate(
    owner: Owner,
    address: string,
    port: number,
    now: number,
    keep: ValidatedAddress<Owner> | undefined,
  ): ValidatedAddress<Owner> | undefined {
    const known = this.find(address, port);
    if (known !== undefined) {
      if (known.owner !== owner) {
        if (now - known.lastCheckAt < ownedForMs) return undefined;
        this.#remove(known);
      } else {
        known.lastCheckAt = now;
        return known;
      }
    }
    const entry: ValidatedAddress<Owner> = { address, port, owner, lastCheckAt: now };
    this.#makeRoom(owner, keep);
    this.#push(this.#byPort, port, entry);
    this.#push(this.#byOwner, owner, entry);
    return entry;
  }

  /** Whether `entry` is still its owner's. */
  has(entry: ValidatedAddress<Owner>): boolean {
    return this.#byPort.get(entry.port)?.includes(entry) ?? false;
  }

  /** Forgets all addresses of `owner`. */
  release(owner: Owner): void {
    for (const entry of this.#byOwner.get(owner) ?? []) this.#remove(entry);
  }

  #makeRoom(owner: Owner, keep: ValidatedAddress<Owner> | undefined): void {
    const entries = this.#byOwner.get(owner);
    if (entries === undefined || entries.length < maxPerOwner) return;
    let oldest: ValidatedAddress<Owner> | undefined;
    for (const entry of entries)
      if (entry !== keep && (oldest === undefined || entry.lastCheckAt < oldest.lastCheckAt)) oldest = entry;
    if (oldest !== undefined) this.#remove(oldest);
  }

  #push<Key>(map: Map<Key, ValidatedAddress<Owner>[]>, key: Key, entry: ValidatedAddress<Owner>): void {
    const entries = map.get(key);
    if (entries === undefined) map.set(key, [entry]);
    else entries.push(entry);
  }

  #remove(entry: ValidatedAddress<Owner>): void {
    this.#drop(this.#byPort, entry.port, entry);
    this.#drop(this.#byOwner, entry.owner, entry);
  }

  #drop<Key>(map: Map<Key, ValidatedAddress<Owner>[]>, key: Key, entry: ValidatedAddress<Owner>): void {
    const rest = (map.get(key) ?? []).filter((other) => other !== entry);
    if (rest.length === 0) map.delete(key);
    else map.set(key, rest);
  }
}
