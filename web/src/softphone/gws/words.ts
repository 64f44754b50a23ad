import { GwsError, type GwsErrorKind } from "./http.ts";

const PROBLEMS: Readonly<Record<Exclude<GwsErrorKind, "refused">, string>> = {
  unreachable:
    "GWS cannot be reached. Check the network; if others can reach it, GWS does not allow this page's address (CORS).",
  silent: "GWS does not answer. Try again.",
  denied: "GWS does not accept the sign-in. Check user name and password.",
  csrf: "GWS asks for a CSRF token it never gave to this page. Tell the administrator (docs/gws.md).",
  malformed: "GWS answered with something this page cannot read. Tell the administrator.",
};

/** What went wrong with GWS and what to do, for a person. */
export function gwsProblem(error: unknown): string {
  if (!(error instanceof GwsError)) return PROBLEMS.malformed;
  const { kind, status, detail } = error;
  if (kind !== "refused") return PROBLEMS[kind];
  if (status < 500) return `GWS refused: ${detail === "" ? `status ${status}` : detail}`;
  return `GWS has an error of its own (${status}${detail === "" ? "" : `: ${detail}`}). Try again later.`;
}

/** Text of an `ErrorMessage` event. */
export function operationProblem(text: string): string {
  return `GWS says that it did not work: ${text}`;
}

/** `StartContactCenterSession` that did not work. @param again whether it is tried again by itself */
export function sessionProblem(error: unknown, dn: string, again: boolean): string {
  if (!(error instanceof GwsError && isNotRegistered(error)))
    return `The contact centre session did not start. ${gwsProblem(error)}`;
  const what = `GWS does not see ${dn} registered at SIP Server`;
  return again
    ? `${what} yet. Trying again.`
    : `${what}. Is ${dn} the number of your place in Genesys? ${error.detail}`;
}

/** StatusCode 4, alone or as the reason of a 7: SIP Server has told GWS nothing of the DN yet. */
export function isNotRegistered(error: GwsError): boolean {
  return (error.code === 4 || error.code === 7) && /not registered/i.test(error.detail);
}
