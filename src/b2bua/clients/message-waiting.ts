import type { Registrar, KnownPresence, TrunkRegistrations } from "../../registrar/index.ts";
import type { SipRequest } from "../../sip/index.ts";
import { sendEvent, type SipAgentLegOptions } from "./client-event.ts";

/** Event package of message summaries (RFC 3842). */
const summaryEvent = "message-summary";
const summaryType = "application/simple-message-summary";
/** Longest summary handed on, bytes; one of every message class with all counts has a tenth of it. */
const maximumSummary = 2048;

/** The Event header's package, lower case; undefined without one. */
export function eventOf(request: SipRequest): string | undefined {
  return request.headers.get("Event")?.split(";")[0]?.trim().toLowerCase();
}

/**
 * Message waiting: SIP Server's last summary for each DN, told to its page when it comes and whenever a page of the DN signs
 * in or comes back, as long as the DN is registered there.
 */
export class MessageWaiting {
  readonly #options: SipAgentLegOptions;
  readonly #registrar: Registrar;
  readonly #summaries = new Map<string, string>();
  readonly #unsubscribe: (() => void)[];

  constructor(options: SipAgentLegOptions, registrar: Registrar, trunk: TrunkRegistrations) {
    this.#options = options;
    this.#registrar = registrar;
    const tell = (presence: KnownPresence): void => this.#tell(presence);
    this.#unsubscribe = [
      registrar.events.on("signed-in", tell),
      registrar.events.on("flow-resumed", tell),
      trunk.events.on("status", (dn, { state }) => {
        if (state === "idle") this.#summaries.delete(dn);
      }),
    ];
  }

  /** DNs of which a summary is kept. */
  get size(): number {
    return this.#summaries.size;
  }

  /** Takes a NOTIFY message-summary for `dn`; one for nobody, or with a body of another kind, changes nothing. */
  note(dn: string, request: SipRequest): void {
    const presence = this.#registrar.find(dn);
    const { body } = request;
    if (!presence || request.contentType !== summaryType || body.length > maximumSummary) return;
    this.#summaries.set(dn, body.toString("utf8"));
    this.#tell(presence);
  }

  #tell(presence: KnownPresence): void {
    const summary = this.#summaries.get(presence.dn);
    if (presence.kind !== "sip") return;
    const { flow, allowEvents } = presence;
    if (summary === undefined || !flow || !allowEvents.includes(summaryEvent)) return;
    sendEvent(this.#options, presence, flow, summaryEvent, [["Content-Type", summaryType]], summary);
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe.length = 0;
  }
}
