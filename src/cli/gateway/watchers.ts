import type { MessageObserver } from "../../sip/index.ts";
import type { CallTrace, CallTracer } from "../../trace/index.ts";

/** Sees messages and calls. */
export type Watcher = MessageObserver & CallTracer;

/** All as one; the first one's `digits` count. Undefined: there is none, and nothing is to be told. */
export function joinWatchers(watchers: readonly Watcher[]): Watcher | undefined {
  const [first, second] = watchers;
  if (!first || !second) return first;
  return {
    received: (message, bytes, flow) => {
      for (const one of watchers) one.received(message, bytes, flow);
    },
    sent: (callId, bytes, flow) => {
      for (const one of watchers) one.sent(callId, bytes, flow);
    },
    givenUp: (callId, method, reason) => {
      for (const one of watchers) one.givenUp(callId, method, reason);
    },
    begin: (id, facts) => joinTraces(watchers.map((one) => one.begin(id, facts))),
  };
}

function joinTraces(traces: readonly CallTrace[]): CallTrace {
  const each = (tell: (trace: CallTrace) => void): void => {
    for (const trace of traces) tell(trace);
  };
  return {
    dialog: (side, callId) => each((trace) => trace.dialog(side, callId)),
    note: (kind, text, side) => each((trace) => trace.note(kind, text, side)),
    quality: (ways) => each((trace) => trace.quality(ways)),
    counters: (counters) => each((trace) => trace.counters(counters)),
    digits: (digits) => traces[0]?.digits(digits) ?? "",
    ended: () => each((trace) => trace.ended()),
  };
}
