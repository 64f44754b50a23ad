import type { TypedEvents } from "../core/index.ts";
import type { RegistrarEvents, WrtcPresence } from "./contract.ts";

/** Clients of the WRTC HTTP protocol, by DN, oldest first. Those of one DN stand beside each other, and beside its SIP client. */
export class WrtcClients {
  readonly #events: TypedEvents<RegistrarEvents>;
  readonly #dns = new Map<string, WrtcPresence[]>();

  constructor(events: TypedEvents<RegistrarEvents>) {
    this.#events = events;
  }

  get size(): number {
    return this.all().length;
  }

  all(): WrtcPresence[] {
    return Array.from(this.#dns.values()).flat();
  }

  of(dn: string): readonly WrtcPresence[] {
    return this.#dns.get(dn) ?? [];
  }

  add(presence: WrtcPresence): void {
    this.#dns.set(presence.dn, [...this.of(presence.dn), presence]);
    this.#events.emit("signed-in", presence);
  }

  /** Idempotent. */
  remove(presence: WrtcPresence, reason: string): boolean {
    const before = this.of(presence.dn);
    if (!before.includes(presence)) return false;
    const left = before.filter((one) => one !== presence);
    if (left.length === 0) this.#dns.delete(presence.dn);
    else this.#dns.set(presence.dn, left);
    this.#events.emit("signed-out", presence, reason);
    return true;
  }

  /** Forgets all without an event. */
  close(): void {
    const all = this.all();
    this.#dns.clear();
    for (const presence of all) presence.dismissed("gateway is shutting down");
  }
}
