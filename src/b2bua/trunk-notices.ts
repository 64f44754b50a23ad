import type { Registrar, SipPresence, TrunkRegistrations } from "../registrar/index.ts";
import { sendEvent, type SipAgentLegOptions } from "./client-event.ts";

/** Event package of our own: the DN's registration at SIP Server, JSON `{"state":"in-service","reason":""}`. */
export const trunkEvent = "x-jackfield-trunk";

/** Tells pages that asked for it (Allow-Events of their REGISTER) where their DN's registration at SIP Server stands. */
export class TrunkNotices {
  readonly #options: SipAgentLegOptions;
  readonly #trunk: TrunkRegistrations;
  readonly #unsubscribe: (() => void)[];

  constructor(options: SipAgentLegOptions, registrar: Registrar, trunk: TrunkRegistrations) {
    this.#options = options;
    this.#trunk = trunk;
    const tell = (presence: SipPresence): void => this.#tell(presence);
    this.#unsubscribe = [
      registrar.events.on("signed-in", tell),
      registrar.events.on("flow-resumed", tell),
      trunk.events.on("status", (dn) => {
        const presence = registrar.find(dn);
        if (presence) tell(presence);
      }),
    ];
  }

  #tell(presence: SipPresence): void {
    const { flow, allowEvents, dn } = presence;
    if (!flow || !allowEvents.includes(trunkEvent)) return;
    const body = JSON.stringify(this.#trunk.status(dn));
    sendEvent(this.#options, presence, flow, trunkEvent, [["Content-Type", "application/json"]], body);
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe.length = 0;
  }
}
