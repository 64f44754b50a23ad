import type { Timer } from "../../core/index.ts";
import type { Registrar, KnownPresence } from "../../registrar/index.ts";
import { sendEvent, type SipAgentLegOptions } from "./client-event.ts";
import { noTurn, turnOffer, type TurnTerms } from "./turn-credentials.ts";

interface Client {
  /** Renews its credentials; none while there is no TURN server. */
  renewal: Timer | undefined;
  /** What it was told last names TURN servers. */
  offered: boolean;
}

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
  /** Those that asked. */
  readonly #clients = new Map<KnownPresence, Client>();
  readonly #unsubscribe: (() => void)[];

  /** @param terms those in force; undefined: there is no TURN server */
  constructor(options: SipAgentLegOptions, registrar: Registrar, terms: () => TurnTerms | undefined) {
    this.#options = options;
    this.#terms = terms;
    const tell = (presence: KnownPresence): void => this.#tell(presence);
    this.#unsubscribe = [
      registrar.events.on("signed-in", tell),
      registrar.events.on("flow-resumed", tell),
      registrar.events.on("signed-out", (presence) => {
        this.#clients.get(presence)?.renewal?.clear();
        this.#clients.delete(presence);
      }),
    ];
  }

  /** The terms have changed: everybody is told those in force. */
  renew(): void {
    for (const presence of Array.from(this.#clients.keys())) this.#tell(presence);
  }

  #tell(presence: KnownPresence): void {
    if (presence.kind !== "sip" || presence.gone || !presence.allowEvents.includes(turnEvent)) return;
    const { clock } = this.#options.context;
    const client = this.#clients.get(presence) ?? { renewal: undefined, offered: false };
    this.#clients.set(presence, client);
    client.renewal?.clear();
    const terms = this.#terms();
    client.renewal = terms && clock.setTimer(renewalMs(terms), () => this.#tell(presence));
    const { flow, dn } = presence;
    // Without a connection it is told when it comes back.
    if (!flow || (!terms && !client.offered)) return;
    client.offered = terms !== undefined;
    const body = JSON.stringify(terms ? turnOffer(terms, dn, clock.wallClock()) : noTurn);
    sendEvent(this.#options, presence, flow, turnEvent, [["Content-Type", "application/json"]], body);
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe.length = 0;
    for (const { renewal } of this.#clients.values()) renewal?.clear();
    this.#clients.clear();
  }
}

/** Half of the lifetime, and never so short that pages would be flooded. */
function renewalMs({ lifetimeSeconds }: TurnTerms): number {
  return Math.max(lifetimeSeconds * 500, 30_000);
}
