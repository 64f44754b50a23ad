import type { AgentLeg, AgentLegs, AgentLegUser, Invitation } from "../../b2bua/index.ts";
import type { WrtcPresence } from "../../registrar/index.ts";

/** Who rings one session's client. */
export interface RungClient {
  /** Undefined: it has a call. */
  ring(invitation: Invitation, user: AgentLegUser): AgentLeg | undefined;
}

/** Legs toward clients of the WRTC HTTP protocol (`B2bua.useWrtcLegs`); each session stands here while it lasts. */
export class WrtcLegs implements AgentLegs<WrtcPresence> {
  readonly #clients = new Map<WrtcPresence, RungClient>();

  get size(): number {
    return this.#clients.size;
  }

  add(presence: WrtcPresence, client: RungClient): void {
    this.#clients.set(presence, client);
  }

  remove(presence: WrtcPresence): void {
    this.#clients.delete(presence);
  }

  /** A client without a poll is rung too: the OFFER waits for its next one, see `WrtcLegOptions.reachPatienceMs`. */
  invite(presence: WrtcPresence, invitation: Invitation, user: AgentLegUser): Promise<AgentLeg | undefined> {
    return Promise.resolve(presence.gone ? undefined : this.#clients.get(presence)?.ring(invitation, user));
  }
}
