import type { WrtcFigures } from "../../../wrtc/index.ts";
import { counter, gauge, putEach, type Collect } from "../definition.ts";

/** Clients of the WRTC HTTP protocol (grtc.js). */
export const wrtcMetrics = {
  sessions: gauge("wrtc_sessions", "Clients signed in by HTTP (grtc.js and the like)."),
  polls: gauge("wrtc_polls", "Their requests that hang until there is something to tell."),
  foreign: counter("wrtc_origins_refused", "Requests of pages whose origin is not in wrtc.origins."),
  events: counter(
    "wrtc_session_events",
    "What befell their sessions: opened, rebuilt (by their id, as after a restart), signed_out, expired, dismissed (by an administrator, or moved).",
    ["event"],
  ),
  received: counter("wrtc_messages_received", "Messages they posted, by kind; repetitions too.", ["kind"]),
  repeated: counter("wrtc_messages_repeated", "Messages they posted again, which were taken once."),
  delivered: counter("wrtc_messages_delivered", "Messages they were told, by kind; repetitions too.", [
    "kind",
  ]),
  requeued: counter("wrtc_messages_requeued", "Messages told again, since the client gave its poll up."),
  lost: counter("wrtc_messages_lost", "Messages that no client could be told."),
};

export function wrtcCollector(figures: () => WrtcFigures): Collect {
  return (put) => {
    const { sessions, polls, foreign, session, message } = figures();
    put(wrtcMetrics.sessions, sessions);
    put(wrtcMetrics.polls, polls);
    put(wrtcMetrics.foreign, foreign);
    putEach(put, wrtcMetrics.events, { ...session }, "event");
    putEach(put, wrtcMetrics.received, message.received, "kind");
    put(wrtcMetrics.repeated, message.repeated);
    putEach(put, wrtcMetrics.delivered, message.delivered, "kind");
    put(wrtcMetrics.requeued, message.requeued);
    put(wrtcMetrics.lost, message.lost);
  };
}
