import type { ErrorType } from "../contract.ts";

/** By SIP status (RFC 3261 21); what is not named is FAILED. */
const byStatus: Readonly<Record<number, ErrorType>> = {
  // Nobody has that address.
  404: "NOMATCH",
  410: "NOMATCH",
  416: "NOMATCH",
  484: "NOMATCH",
  485: "NOMATCH",
  604: "NOMATCH",
  // Nobody answered.
  408: "TIMEOUT",
  480: "TIMEOUT",
  487: "TIMEOUT",
  504: "TIMEOUT",
  // Somebody, or a rule, did not want it so.
  403: "REFUSED",
  415: "REFUSED",
  486: "REFUSED",
  488: "REFUSED",
  600: "REFUSED",
  603: "REFUSED",
  606: "REFUSED",
  491: "CONFLICT",
};

/** ROAP's word for a call that failed with this SIP status (draft-jennings-rtcweb-signaling 5.5). */
export function errorTypeOf(status: number): ErrorType {
  return byStatus[status] ?? "FAILED";
}
