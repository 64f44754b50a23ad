import type { KnownPresence } from "../../registrar/index.ts";
import type { Flow, Replaces } from "../../sip/index.ts";
import type { TrunkLeg } from "../legs/trunk-leg.ts";
import type { Call } from "./call.ts";

/** The calls there are, those being set up included, each with the signed-in client it belongs to. */
export class RunningCalls {
  readonly #calls = new Map<Call, KnownPresence>();

  add(call: Call, presence: KnownPresence): void {
    this.#calls.set(call, presence);
  }

  delete(call: Call): void {
    this.#calls.delete(call);
  }

  /** Those included that have ended and wait for their last counters. */
  get size(): number {
    return this.#calls.size;
  }

  /** In the order in which they began; as `size`. */
  get all(): Iterable<Call> {
    return this.#calls.keys();
  }

  get running(): Call[] {
    return Array.from(this.#calls.keys()).filter((call) => !call.ended);
  }

  byId(id: string): Call | undefined {
    return this.running.find((call) => call.id === id);
  }

  /** Of one signed-in client. */
  of(presence: KnownPresence): Call[] {
    return Array.from(this.#calls.keys()).filter((call) => call.presence === presence);
  }

  /** How many a DN has. */
  countOf(dn: string): number {
    return this.running.filter(({ presence }) => presence.dn === dn).length;
  }

  /** That go by this SIP Server. By address alone: its INVITE may come from another port than the one it listens on. */
  at({ remoteAddress }: Flow): Call[] {
    return Array.from(this.#calls.keys()).filter(({ server }) => server?.remoteAddress === remoteAddress);
  }

  some(fits: (call: Call, presence: KnownPresence) => boolean): boolean {
    for (const [call, presence] of this.#calls) if (fits(call, presence)) return true;
    return false;
  }

  /** SIP Server's leg of the DN's call whose browser knows this dialog. */
  legOfDn(dn: string, replaces: Replaces): TrunkLeg | undefined {
    for (const call of this.#calls.keys()) {
      const leg = call.presence.dn === dn ? call.transfers.trunkBehind(replaces) : undefined;
      if (leg) return leg;
    }
    return undefined;
  }
}
