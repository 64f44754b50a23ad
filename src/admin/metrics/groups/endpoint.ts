import type { EndpointCounters, EndpointSessions } from "../../../endpoint/index.ts";
import { counter, gauge, putEach, type Collect } from "../definition.ts";

/** WWE's SIP endpoint API. */
export const endpointMetrics = {
  sessions: gauge(
    "endpoint_sessions",
    "DNs of which WWE or their page was heard: state idle, wanted (RegisterDn came) or active (in service).",
    ["state"],
  ),
  pages: gauge("endpoint_pages", "Pages that are connected for their sound."),
  pings: counter("endpoint_pings", "Pings of WWE's that were answered."),
  refused: counter(
    "endpoint_refused",
    "What was refused, by reason: host, origin, type, token, code, blocked, order (of WWE's, not carried out), unknown (path).",
    ["reason"],
  ),
};

export function endpointCollector(
  sessions: Pick<EndpointSessions, "all">,
  counters: Readonly<EndpointCounters>,
): Collect {
  return (put) => {
    const states = { idle: 0, wanted: 0, active: 0 };
    const all = sessions.all();
    for (const { state } of all) states[state]++;
    putEach(put, endpointMetrics.sessions, states, "state");
    put(endpointMetrics.pages, all.filter(({ page }) => page.connected).length);
    put(endpointMetrics.pings, counters.pings);
    putEach(put, endpointMetrics.refused, counters.refused, "reason");
  };
}
