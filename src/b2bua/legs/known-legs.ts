import type { KnownPresence, WrtcPresence } from "../../registrar/index.ts";
import type { AgentLeg, AgentLegs, AgentLegUser, Invitation } from "./agent-leg.ts";
import type { SipAgentLegs } from "./sip-agent-legs.ts";

/** Legs toward every client the registrar knows, each in its own protocol. */
export class KnownLegs implements AgentLegs<KnownPresence> {
  readonly sip: SipAgentLegs;
  /** Undefined: clients of that protocol cannot be reached. */
  wrtc: AgentLegs<WrtcPresence> | undefined;

  constructor(sip: SipAgentLegs) {
    this.sip = sip;
  }

  invite(presence: KnownPresence, invitation: Invitation, user: AgentLegUser): Promise<AgentLeg | undefined> {
    if (presence.kind === "sip") return this.sip.invite(presence, invitation, user);
    return this.wrtc?.invite(presence, invitation, user) ?? Promise.resolve(undefined);
  }
}
