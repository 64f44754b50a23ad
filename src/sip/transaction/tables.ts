import type { Transitions } from "../../core/index.ts";

export type InviteClientState = "calling" | "proceeding" | "accepted" | "completed" | "terminated";
export type InviteClientInput =
  "provisional" | "success" | "failure" | "timeout" | "transportError" | "timerD" | "timerM" | "abandon";

/** INVITE client transaction: RFC 3261 figure 5 with the Accepted state of RFC 6026 figure 7. */
export const inviteClientTable: Transitions<InviteClientState, InviteClientInput> = {
  calling: {
    provisional: "proceeding",
    success: "accepted",
    failure: "completed",
    timeout: "terminated",
    transportError: "terminated",
    abandon: "terminated",
  },
  proceeding: {
    provisional: "proceeding",
    success: "accepted",
    failure: "completed",
    timeout: "terminated",
    transportError: "terminated",
    abandon: "terminated",
  },
  accepted: { success: "accepted", timerM: "terminated", abandon: "terminated" },
  completed: { failure: "completed", timerD: "terminated", abandon: "terminated" },
  terminated: {},
};

export type NonInviteClientState = "trying" | "proceeding" | "completed" | "terminated";
export type NonInviteClientInput =
  "provisional" | "final" | "timeout" | "transportError" | "timerK" | "abandon";

/** Non-INVITE client transaction: RFC 3261 figure 6. */
export const nonInviteClientTable: Transitions<NonInviteClientState, NonInviteClientInput> = {
  trying: {
    provisional: "proceeding",
    final: "completed",
    timeout: "terminated",
    transportError: "terminated",
    abandon: "terminated",
  },
  proceeding: {
    provisional: "proceeding",
    final: "completed",
    timeout: "terminated",
    transportError: "terminated",
    abandon: "terminated",
  },
  completed: { timerK: "terminated", abandon: "terminated" },
  terminated: {},
};

export type InviteServerState = "proceeding" | "accepted" | "completed" | "confirmed" | "terminated";
export type InviteServerInput =
  "provisional" | "success" | "failure" | "ack" | "timerH" | "timerI" | "timerL" | "abandon";

/** INVITE server transaction: RFC 3261 figure 7 with the Accepted state of RFC 6026 figure 5. */
export const inviteServerTable: Transitions<InviteServerState, InviteServerInput> = {
  proceeding: {
    provisional: "proceeding",
    success: "accepted",
    failure: "completed",
    abandon: "terminated",
  },
  accepted: { success: "accepted", timerL: "terminated", abandon: "terminated" },
  completed: { ack: "confirmed", timerH: "terminated", abandon: "terminated" },
  confirmed: { timerI: "terminated", abandon: "terminated" },
  terminated: {},
};

export type NonInviteServerState = "trying" | "proceeding" | "completed" | "terminated";
export type NonInviteServerInput = "provisional" | "final" | "unanswered" | "timerJ" | "abandon";

/** Non-INVITE server transaction: RFC 3261 figure 8; `unanswered` is ours, for a user that never responds. */
export const nonInviteServerTable: Transitions<NonInviteServerState, NonInviteServerInput> = {
  trying: {
    provisional: "proceeding",
    final: "completed",
    unanswered: "terminated",
    abandon: "terminated",
  },
  proceeding: {
    provisional: "proceeding",
    final: "completed",
    unanswered: "terminated",
    abandon: "terminated",
  },
  completed: { timerJ: "terminated", abandon: "terminated" },
  terminated: {},
};

/** What a response to an INVITE is to either of its transactions. */
export function inviteInput(status: number): "provisional" | "success" | "failure" {
  if (status < 200) return "provisional";
  return status < 300 ? "success" : "failure";
}
