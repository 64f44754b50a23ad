import { nobodyWaits, type Flow, type Session, type SessionContext } from "../../sip/index.ts";
import type { AgentLegUser } from "./agent-leg.ts";

/** Listens to a leg that another has taken the place of. */
export const nobody: AgentLegUser = {
  onRinging() {},
  onAnswered() {},
  onFailed() {},
  onOffer: (_sdp, reply) => reply.reject(481),
  onDigits() {},
  onInfo() {},
  statistics: () => Promise.resolve(undefined),
  onRefer: (refer) => refer.refuse(488, "Taken Over"),
  mediaFlows: () => false,
  onEnded() {},
  onLost() {},
  newResumeToken: () => "",
  onConfirmed() {},
};

/**
 * BYE to a page whose call another has taken over, by the connection on which it had it. It goes past the session,
 * which has its client by another connection by now, or has found it lost there.
 */
export function sayBye({ transactions }: SessionContext, session: Session, home: Flow): void {
  // Before the ACK no BYE may go out (RFC 3261 15); such a page has no call yet.
  if (!session.dialog || session.state === "accepted") return;
  const reason = 'SIP;cause=200;text="taken over by a newer page"';
  const bye = session.dialog.createRequest("BYE", [["Reason", reason]]);
  transactions.request(bye, home, nobodyWaits);
}
