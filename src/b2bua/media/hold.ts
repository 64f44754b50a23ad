import type { Transitions } from "../../core/index.ts";

/**
 * Who keeps a call on hold from our end. The far side's hold is no state of ours: its SDP says it, each time anew
 * (RFC 3264 8.4). `by-sip-server`: NOTIFY hold, or the agent's other call is the one that is heard.
 */
export type HoldState = "not-held" | "by-agent" | "by-sip-server" | "by-both";
/** `agent-...`: the client's own re-INVITE; `notify-...`: SIP Server's remote control (genesys-sip-server.md 6). */
export type HoldInput = "agent-holds" | "agent-retrieves" | "notify-hold" | "notify-talk";

/**
 * While any state but `not-held` lasts our SDP says `sendonly` and the relay sends nothing to SIP Server. The agent's own
 * retrieve ends every hold. NOTIFY talk cannot end the agent's: the client holds by its own SDP and is asked to retrieve.
 */
export const holdTransitions: Transitions<HoldState, HoldInput> = {
  "not-held": { "agent-holds": "by-agent", "notify-hold": "by-sip-server" },
  "by-agent": { "agent-retrieves": "not-held", "notify-hold": "by-both" },
  "by-sip-server": { "agent-holds": "by-both", "notify-talk": "not-held" },
  "by-both": { "agent-retrieves": "not-held", "notify-talk": "by-agent" },
};
