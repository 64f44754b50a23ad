import type { AgentPresence, KnownPresence, Registrar } from "../../registrar/index.ts";
import type { SipRequest } from "../../sip/index.ts";
import type { EchoCalls } from "../call/echo-calls.ts";
import type { RunningCalls } from "../call/running-calls.ts";
import type { Refusal } from "./admission.ts";

export interface DnLinesOptions {
  readonly calls: RunningCalls;
  readonly echoes: EchoCalls;
  readonly registrar: Registrar;
  /** Calls one DN may have at a time; a phone of SIP Server's has three lines (genesys-sip-server.md 5.2). */
  readonly callsPerDn: number;
}

/** Which client may have another call: a DN has several lines, a client of the WRTC HTTP protocol one. */
export class DnLines {
  readonly #options: DnLinesOptions;

  constructor(options: DnLinesOptions) {
    this.#options = options;
  }

  /** Whether this client has a call, one that is being set up included. */
  busy(presence: AgentPresence): boolean {
    const { calls, echoes } = this.#options;
    return echoes.has(presence) || calls.running.some((call) => call.presence === presence);
  }

  /** Whether all lines of the DN are in use. */
  full(dn: string): boolean {
    return this.#options.calls.countOf(dn) >= this.#options.callsPerDn;
  }

  /**
   * Who takes a call that SIP Server has for a DN, which it leaves out of the request URI when the registered contact had
   * no user (genesys-sip-server.md 4).
   */
  called({ uri, to }: SipRequest): KnownPresence | Refusal {
    const free = (presence: KnownPresence): boolean => presence.kind === "sip" || !this.busy(presence);
    const presence = this.#options.registrar.find(uri.user ?? to.uri.user ?? "", free);
    if (!presence) return { status: 480, reason: "Agent Not Signed In" };
    return this.full(presence.dn) || !free(presence) ? { status: 486 } : presence;
  }
}
