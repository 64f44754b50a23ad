import type { EndEvent } from "jssip/lib/RTCSession.js";
import { headerOf } from "./caller-data.ts";
import { byeProblem, callProblem, isCompletedElsewhere } from "./words.ts";

/** How a call ended. */
export interface CallEnd {
  /** In words, when it did not end as calls do. */
  readonly problem: string | undefined;
  /** Of the response that ended it, 0 without one. */
  readonly status: number;
  readonly by: "local" | "remote";
  /** Whether it had been answered. */
  readonly answered: boolean;
  /** Another phone took the call that rang here. */
  readonly elsewhere: boolean;
}

/** What JsSIP's `ended` or `failed` says. `message`: the BYE, the CANCEL or the response. */
export function callEnd({ cause, message, originator }: EndEvent, answered: boolean): CallEnd {
  const last = typeof message === "object" && message !== null ? message : undefined;
  const response = last && "status_code" in last ? last : undefined;
  const by = String(originator) === "local" ? "local" : "remote";
  const status = response?.status_code ?? 0;
  const reason = (of: string): string =>
    (by === "remote" && cause === of && last && headerOf(last, "Reason")) || "";
  // A rejection of our own is no news to the person who did it.
  const own = by === "local" && cause === "Rejected";
  const problem = own
    ? undefined
    : (callProblem(cause, status, response?.reason_phrase) ?? byeProblem(reason("Terminated")));
  return { problem, status, by, answered, elsewhere: isCompletedElsewhere(reason("Canceled")) };
}
