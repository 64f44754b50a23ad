import type { RTCSession } from "jssip/lib/RTCSession.js";

/** What JsSIP does when a request of the session found no connection, or no answer in time: it ends the session. */
const ENDINGS = ["onTransportError", "onRequestTimeout"] as const;

/**
 * Lets a call go on whose hold, ICE restart or refresh was under way when the socket was lost: the gateway keeps it, and what was
 * offered is offered anew when the connection is back.
 * @param goesOn whether it shall; told of each such request
 */
export function outliveLostRequests(session: RTCSession, goesOn: () => boolean): void {
  for (const name of ENDINGS) {
    // JsSIP's types leave them out.
    const ending: unknown = Reflect.get(session, name);
    if (typeof ending !== "function") continue;
    Reflect.set(session, name, () => {
      if (!goesOn()) Reflect.apply(ending, session, []);
    });
  }
}
