import type { Clock } from "../../core/index.ts";
import { parseReplaces, type Replaces, type SessionState, type SipRequest } from "../../sip/index.ts";

/** What is asked of a call to find the one that an INVITE with Replaces means. */
export interface ReplaceableCall {
  readonly presence: { readonly dn: string };
  readonly transfers: {
    /** Where SIP Server's dialog stands; undefined when the call has no such dialog. */
    standingOf(replaces: Replaces): SessionState | undefined;
  };
}

/** Why a call cannot be replaced: status and reason of the INVITE's answer. */
export interface ReplacesFault {
  readonly status: number;
  readonly reason?: string;
}

/** How long a dialog that is over is told from one that never was, ms: 64 * T1, as long as anything of it is under way. */
const rememberedMs = 32_000;
/** More than end in that time; the oldest are forgotten first. */
const maximumRemembered = 4096;

/** Dialogs that have ended lately: an INVITE that replaces one gets 603 instead of 481 (RFC 3891 3). */
export class EndedDialogs {
  readonly #clock: Clock;
  /** Call-ID and when it ended. SIP Server's Call-IDs are its own and ours are random: tags add nothing. */
  readonly #ended = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(callId: string): void {
    this.#ended.delete(callId);
    this.#ended.set(callId, this.#clock.now());
    for (const [oldest, at] of this.#ended) {
      if (this.#ended.size <= maximumRemembered && !this.#isOld(at)) break;
      this.#ended.delete(oldest);
    }
  }

  has(callId: string): boolean {
    const at = this.#ended.get(callId);
    return at !== undefined && !this.#isOld(at);
  }

  #isOld(at: number): boolean {
    return this.#clock.now() - at > rememberedMs;
  }
}

/**
 * The call whose dialog an INVITE of SIP Server's takes over, or the status that RFC 3891 3 has for it. That it came
 * from SIP Server is what authorises it: all these dialogs are SIP Server's own.
 */
export function findReplaced<C extends ReplaceableCall>(
  request: SipRequest,
  calls: Iterable<C>,
  ended: EndedDialogs,
): C | ReplacesFault {
  const lines = request.headers.getAll("Replaces");
  const [line = ""] = lines;
  const replaces = lines.length === 1 ? parseReplaces(line) : undefined;
  if (!replaces || request.headers.has("Join")) return { status: 400, reason: "Bad Replaces" };
  const found: { call: C; state: SessionState }[] = [];
  for (const call of calls) {
    const state = call.transfers.standingOf(replaces);
    if (state) found.push({ call, state });
  }
  const [match] = found;
  if (!match) return { status: ended.has(replaces.callId) ? 603 : 481 };
  // Two matches are none; so is one that lies behind another DN than the INVITE asks for.
  const { user } = request.uri;
  if (found.length > 1 || (user !== undefined && user !== match.call.presence.dn)) return { status: 481 };
  if (match.state === "terminated") return { status: 603 };
  // An early dialog may be replaced only at the side that began it.
  if (match.state === "invited") return { status: 481 };
  if (replaces.earlyOnly && match.state !== "inviting") return { status: 486 };
  return match.call;
}
