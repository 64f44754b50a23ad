import type { SipPresence } from "../../registrar/index.ts";
import type { ServerTransaction } from "../../sip/index.ts";
import type { SipAgentLegOptions } from "../clients/client-event.ts";
import type { AgentLeg, AgentLegs, AgentLegUser, CallingLeg, Invitation } from "./agent-leg.ts";
import { SipAgentLeg } from "./sip-agent-leg.ts";

/** Legs of browsers that speak SIP over WebSocket. */
export class SipAgentLegs implements AgentLegs<SipPresence> {
  readonly #options: SipAgentLegOptions;

  constructor(options: SipAgentLegOptions) {
    this.#options = options;
  }

  async invite(
    presence: SipPresence,
    invitation: Invitation,
    user: AgentLegUser,
  ): Promise<AgentLeg | undefined> {
    const flow = await presence.waitForFlow(this.#options.newCallGraceMs);
    if (!flow) return undefined;
    const leg = new SipAgentLeg(presence, this.#options, user);
    leg.sendInvite(flow, invitation);
    return leg;
  }

  /** The leg of an INVITE that came from the browser; `user` is told of nothing before this returns. */
  take(presence: SipPresence, transaction: ServerTransaction, user: AgentLegUser): CallingLeg {
    const leg = new SipAgentLeg(presence, this.#options, user);
    const invite = leg.takeInvite(transaction);
    return {
      leg,
      offer: invite.offer,
      get pending() {
        return invite.pending;
      },
    };
  }
}
