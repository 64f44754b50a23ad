import type { RTCSession } from "jssip/lib/RTCSession.js";
import { transferProblem } from "./words.ts";

/**
 * `offered`: SIP Server has been asked; `trying`: it calls the target; `done`: the target has the call, SIP Server hangs up
 * here; `refused`: the call goes on as it was.
 */
export type TransferState = "offered" | "trying" | "done" | "refused";

/** How the transfer of a call goes. */
export interface Transfer {
  /** Number, or who is at the other end of the consult call. */
  readonly to: string;
  readonly state: TransferState;
  /** Why it was refused, in words; else empty. */
  readonly reason: string;
}

export interface Target {
  /** What is shown. */
  readonly name: string;
  /** Address of the Refer-To. */
  readonly uri: string;
  /** The consult call, whose far party takes the call over (RFC 3891). */
  readonly replaces?: RTCSession | undefined;
}

/** Refers the far party of `session` to the target (RFC 3515), and tells how it goes until it is done or refused. */
export function refer(
  session: RTCSession,
  { name, uri, replaces }: Target,
  tell: (now: Transfer) => void,
): void {
  let over = false;
  const move = (state: TransferState, reason = ""): void => {
    if (over) return;
    over = state === "done" || state === "refused";
    tell({ to: name, state, reason });
  };
  const refused = (event: object): void => {
    const { status, phrase } = outcome(event);
    move("refused", transferProblem(status, phrase));
  };
  move("offered");
  session.refer(uri, {
    ...(replaces ? { replaces } : {}),
    eventHandlers: {
      trying: () => move("trying"),
      progress: () => move("trying"),
      accepted: () => move("done"),
      failed: refused,
      requestFailed: refused,
    },
  });
}

/** Status and phrase of JsSIP's event: of the NOTIFY's status line, or of the response to the REFER. */
function outcome(event: object): { status: number; phrase: string } {
  const from: unknown = Reflect.get(event, "status_line") ?? Reflect.get(event, "response");
  if (typeof from !== "object" || from === null) return { status: 0, phrase: "" };
  const phrase: unknown = Reflect.get(from, "reason_phrase");
  const status = Number(Reflect.get(from, "status_code"));
  return { status: Number.isFinite(status) ? status : 0, phrase: typeof phrase === "string" ? phrase : "" };
}
