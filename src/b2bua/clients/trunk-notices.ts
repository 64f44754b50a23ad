import type { Registrar, KnownPresence, TrunkRegistrations, TrunkStatus } from "../../registrar/index.ts";
import { sendEvent, type SipAgentLegOptions } from "./client-event.ts";

/** Event package of our own: the DN's registration at SIP Server, JSON `{"state":"in-service","reason":""}`. */
const trunkEvent = "x-jackfield-trunk";

const replacedStatus: TrunkStatus = { state: "idle", reason: "another browser has signed in with this DN" };

/** Why a client is signed out whom an administrator wants gone; its page shows it. */
export const dismissedReason = "signed out by an administrator";

/** Tells pages that asked for it (Allow-Events of their REGISTER) where their DN's registration at SIP Server stands. */
export class TrunkNotices {
  readonly #options: SipAgentLegOptions;
  readonly #trunk: TrunkRegistrations;
  /** Everybody who is signed in: a DN may have several browsers. */
  readonly #present = new Map<string, Set<KnownPresence>>();
  readonly #unsubscribe: (() => void)[];

  constructor(options: SipAgentLegOptions, registrar: Registrar, trunk: TrunkRegistrations) {
    this.#options = options;
    this.#trunk = trunk;
    const tell = (presence: KnownPresence): void => this.#tell(presence);
    this.#unsubscribe = [
      registrar.events.on("signed-in", (presence) => {
        const others = this.#present.get(presence.dn) ?? new Set();
        this.#present.set(presence.dn, others.add(presence));
        tell(presence);
      }),
      registrar.events.on("flow-resumed", tell),
      registrar.events.on("signed-out", (presence, reason) => {
        const others = this.#present.get(presence.dn);
        others?.delete(presence);
        if (others?.size === 0) this.#present.delete(presence.dn);
        // The tab that had to give way would show itself signed in until its next refresh.
        if (reason === "replaced") this.#tell(presence, replacedStatus);
        else if (reason === dismissedReason) this.#tell(presence, { state: "idle", reason });
      }),
      trunk.events.on("status", (dn) => {
        for (const presence of this.#present.get(dn) ?? []) tell(presence);
      }),
    ];
  }

  #tell(presence: KnownPresence, status = this.#trunk.status(presence.dn)): void {
    if (presence.kind !== "sip") return;
    const { flow, allowEvents } = presence;
    if (!flow || !allowEvents.includes(trunkEvent)) return;
    const body = JSON.stringify(status);
    sendEvent(this.#options, presence, flow, trunkEvent, [["Content-Type", "application/json"]], body);
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe.length = 0;
  }
}
