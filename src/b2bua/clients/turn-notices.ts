import type { Timer } from "../../core/index.ts";
import type { Registrar, SipPresence } from "../../registrar/index.ts";
import { sendEvent, type SipAgentLegOptions } from "./client-event.ts";
import { noTurn, turnOffer, type TurnTerms } from "./turn-credentials.ts";

/** Event package of our own: credentials for TURN servers, JSON `TurnOffer`. */
const turnEvent = "x-jackfield-turn";

/**
 * Hands signed-in clients that asked for it (Allow-Events of their REGISTER) credentials for the TURN servers: before
 * the 200 to their REGISTER, when they come back by another connection, and anew after half of the credentials' lifetime.
 * Nobody else is told any; where there is no TURN server nobody is told anything, unless there was one before.
 */
export class TurnNotices {
  readonly #options: SipAgentLegOptions;
  readonly #terms: () => TurnTerms | undefined;
  /** Clients that asked, each with the timer that renews its credentials; none while there is no TURN server. */
  readonly #renewals = new Map<SipPresence, Timer | undefined>();
  readonly #unsubscribe: (() => void)[];

  /** @param terms those in force; undefined: there is no TURN server */
  constructor(options: SipAgentLegOptions, registrar: Registrar, terms: () => TurnTerms | undefined) {
    this.#options = options;
    this.#terms = terms;
    const tell = (presence: SipPresence): void => this.#tell(presence);
    this.#unsubscribe = [
      registrar.events.on("signed-in", tell),
      registrar.events.on("flow-resumed", tell),
      registrar.events.on("signed-out", (presence) => {
        this.#renewals.get(presence)?.clear();
        this.#renewals.delete(presence);
      }),
    ];
  }

  /** Clients that are told. */
  get size(): number {
    return this.#renewals.size;
  }

  /** The terms have changed: everybody is told those in force. */
  renew(): void {
    for (const presence of Array.from(this.#renewals.keys())) this.#tell(presence);
  }

  #tell(presence: SipPresence): void {
    if (presence.gone || !presence.allowEvents.includes(turnEvent)) return;
    const { clock } = this.#options.context;
    const former = this.#renewals.get(presence);
    former?.clear();
    const terms = this.#terms();
    const renewal = terms && clock.setTimer(renewalMs(terms), () => this.#tell(presence));
    this.#renewals.set(presence, renewal);
    const { flow, dn } = presence;
    // Without a connection it is told when it comes back.
    if (!flow || (!terms && !former)) return;
    const body = JSON.stringify(terms ? turnOffer(terms, dn, clock.wallClock()) : noTurn);
    sendEvent(this.#options, presence, flow, turnEvent, [["Content-Type", "application/json"]], body);
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe.length = 0;
    for (const timer of this.#renewals.values()) timer?.clear();
    this.#renewals.clear();
  }
}

/** Half of the lifetime, and never so short that pages would be flooded. */
function renewalMs({ lifetimeSeconds }: TurnTerms): number {
  return Math.max(lifetimeSeconds * 500, 30_000);
}
