import type { Logger } from "../../core/index.ts";
import { MediaExhaustedError } from "../../media/index.ts";
import type { LegEnd } from "../legs/agent-leg.ts";

/** When a call may be tried again that found no room, seconds: by then some others have ended. */
const retryAfterSeconds = 10;

/**
 * How a call is refused for which no media could be opened. No room is what the gateway's owner planned for, so it is
 * told without an alarm; a fault is told with one.
 */
export function mediaRefusal(error: unknown, whenFull: 503 | 486, log: Logger): LegEnd {
  if (!(error instanceof MediaExhaustedError)) {
    const reason = "media worker unavailable";
    log.error({ err: error }, reason);
    return { status: 503, reason, retryAfterSeconds };
  }
  const full = error.reason !== "down";
  const reason = full ? `gateway is full: ${error.message}` : error.message;
  log.warn({ cause: error.reason }, reason);
  // A worker that starts anew is a fault of ours, not an agent that is busy.
  return full && whenFull === 486 ? { status: 486, reason } : { status: 503, reason, retryAfterSeconds };
}
