import type { B2bua, CallRecord } from "../../../b2bua/index.ts";
import { endReason } from "../end-reason.ts";
import { counter, divided, gauge, histogram, type Collect } from "../definition.ts";

export const callMetrics = {
  running: gauge("calls", "Calls that run, by state and direction.", ["state", "direction"]),
  held: gauge("calls_held", "Calls that run and are held by either side."),
  echoes: gauge("echo_calls", "Echo calls that run (`to=self` of WRTC clients), which are no others' calls."),
  begun: counter("calls_begun", "Calls begun, those that were never answered included."),
  ended: counter("calls_ended", "Calls that are over, by direction, who ended them, and class of reason.", [
    "direction",
    "ended_by",
    "reason",
  ]),
  refused: counter(
    "calls_refused",
    "Calls asked for that never began: not_signed_in (480), too_many_calls of the DN (486), draining (503), faulty.",
    ["reason"],
  ),
  talk: counter("call_talk_seconds", "Seconds from answer to end of all calls that are over."),
  setUp: histogram(
    "call_setup_seconds",
    "From INVITE to the established call; it holds the time people let it ring.",
    ["direction"],
  ),
};

/** By the status that SIP Server or the page got. */
const refusals: ReadonlyMap<number, string> = new Map([
  [480, "not_signed_in"],
  [486, "too_many_calls"],
  [503, "draining"],
]);
/** Told also while there is no call in them. */
const states = ["setting_up", "ringing", "parked", "answering", "established"];

type Direction = CallRecord["direction"];

/** `stop` ends the count of calls that end. */
export function callCollector(calls: B2bua): { readonly collect: Collect; readonly stop: () => void } {
  const ended = new Map<string, { readonly labels: Readonly<Record<string, string>>; count: number }>();
  let talkSeconds = 0;
  const stop = calls.events.on("ended", (record) => {
    talkSeconds += record.talkSeconds;
    const labels = {
      direction: labelOf(record.direction),
      ended_by: record.endedBy.replace("-", "_"),
      reason: endReason(record),
    };
    const name = Object.values(labels).join(" ");
    const entry = ended.get(name);
    if (entry) entry.count++;
    else ended.set(name, { labels, count: 1 });
  });
  const collect: Collect = (put) => {
    const running = calls.calls();
    put(callMetrics.held, running.filter(({ held }) => held).length);
    for (const direction of ["to-agent", "from-agent"] as const) {
      const label = { direction: labelOf(direction) };
      for (const state of states) put(callMetrics.running, 0, { ...label, state });
      put(callMetrics.setUp, divided(calls.quality.setUps(direction), 1000), label);
    }
    for (const { state, direction } of running)
      put(callMetrics.running, 1, { state: state.replace("-", "_"), direction: labelOf(direction) });
    put(callMetrics.echoes, calls.echoes);
    put(callMetrics.begun, calls.setUps);
    for (const reason of [...refusals.values(), "faulty"]) put(callMetrics.refused, 0, { reason });
    for (const [status, count] of calls.refusals)
      put(callMetrics.refused, count, { reason: refusals.get(status) ?? "faulty" });
    put(callMetrics.talk, talkSeconds);
    for (const { labels, count } of ended.values()) put(callMetrics.ended, count, labels);
  };
  return { collect, stop };
}

function labelOf(direction: Direction): string {
  return direction.replace("-", "_");
}
