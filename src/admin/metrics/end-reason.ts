import { endedByOperator, type CallRecord } from "../../b2bua/index.ts";

/** Why a call is over, in one of a few classes. */
export type EndReason =
  | "hung_up"
  | "operator"
  | "shutdown"
  | "agent_lost"
  | "far_end_lost"
  | "media_failed"
  | "cancelled"
  | "busy"
  | "declined"
  | "no_answer"
  | "not_found"
  | "forbidden"
  | "not_acceptable"
  | "unavailable"
  | "error";

/** By SIP status, of calls that were never answered. */
const unanswered: Readonly<Record<number, EndReason>> = {
  200: "hung_up",
  401: "forbidden",
  403: "forbidden",
  404: "not_found",
  407: "forbidden",
  408: "no_answer",
  410: "not_found",
  415: "not_acceptable",
  480: "no_answer",
  484: "not_found",
  486: "busy",
  487: "cancelled",
  488: "not_acceptable",
  503: "unavailable",
  600: "busy",
  603: "declined",
  604: "not_found",
  606: "not_acceptable",
};

/** By SIP status, of answered calls that the gateway ended. */
const answered: Readonly<Record<number, EndReason>> = {
  200: "hung_up",
  408: "far_end_lost",
  480: "agent_lost",
  500: "media_failed",
  503: "shutdown",
};

export function endReason({
  status,
  reason,
  endedBy,
  answeredAt,
}: Pick<CallRecord, "status" | "reason" | "endedBy" | "answeredAt">): EndReason {
  if (reason === endedByOperator) return "operator";
  if (answeredAt === undefined) return unanswered[status] ?? "error";
  if (endedBy === "jackfield") return answered[status] ?? "error";
  // A BYE is a BYE, whatever its Reason says.
  return "hung_up";
}
