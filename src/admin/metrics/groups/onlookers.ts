import type { AgentDirectory, Ban, LoginGuard } from "../../../registrar/index.ts";
import { counter, gauge, putEach, type Collect } from "../definition.ts";

/** Call records on their way to the file and the webhook. */
export const recordMetrics = {
  queued: gauge("records_queued", "Call records that wait: sink file or webhook.", ["sink"]),
  written: counter("records_written", "Call records handed on, by sink.", ["sink"]),
  dropped: counter("records_dropped", "Call records lost, by sink.", ["sink"]),
  failures: counter(
    "records_failures",
    "Attempts to hand records on that failed and are made again, by sink.",
    ["sink"],
  ),
  refused: counter(
    "records_refused",
    "Call records that the webhook's receiver refused for good: they stand in dead-letter.jsonl.",
  ),
};

/** What is told to Homer (HEP) and to an OpenTelemetry collector. */
export const telemetryMetrics = {
  sent: counter("telemetry_sent", "Messages (hep) and spans (otel) handed on, by exporter.", ["exporter"]),
  dropped: counter("telemetry_dropped", "Messages and spans lost, by exporter.", ["exporter"]),
  errors: counter("telemetry_errors", "Errors of the socket to the receiver: exporter hep.", ["exporter"]),
};

/** Addresses and DNs that are shut out for failed logins. */
export const banMetrics = {
  banned: gauge("banned", "Shut out now: kind address, dn, or pair (a DN from one address).", ["kind"]),
  bans: counter("bans", "Times one was shut out, by kind.", ["kind"]),
};

/** The agents' HTTP directory. */
export const directoryMetrics = {
  waiting: gauge("directory_waiting", "Sign-ins that wait for the directory's answer."),
  events: counter(
    "directory_events",
    "lookups (asked), failures (no answer that can be used), stale (an old answer was taken), busy (sign-ins refused: too many waited).",
    ["event"],
  ),
};

interface SinkCounts {
  readonly queued: number;
  readonly written: number;
  readonly dropped: number;
  readonly failed: number;
  /** Of the webhook alone. */
  readonly refused?: number;
}

/** Of the sinks that are configured. */
export function recordCollector(
  counts: () => Readonly<Partial<Record<"file" | "webhook", SinkCounts>>>,
): Collect {
  return (put) => {
    for (const [sink, { queued, written, dropped, failed, refused }] of Object.entries(counts())) {
      put(recordMetrics.queued, queued, { sink });
      put(recordMetrics.written, written, { sink });
      put(recordMetrics.dropped, dropped, { sink });
      put(recordMetrics.failures, failed, { sink });
      put(recordMetrics.refused, refused);
    }
  };
}

/** Of one exporter; `counts` are asked for at each scrape. */
export function telemetryCollector(
  exporter: "hep" | "otel",
  counts: () => { readonly sent: number; readonly dropped: number; readonly errors?: number },
): Collect {
  return (put) => {
    const { sent, dropped, errors } = counts();
    put(telemetryMetrics.sent, sent, { exporter });
    put(telemetryMetrics.dropped, dropped, { exporter });
    put(telemetryMetrics.errors, errors, { exporter });
  };
}

/** Counts bans from now on, until `stop`. */
export function banCollector(guard: Pick<LoginGuard, "list" | "events">): {
  readonly collect: Collect;
  readonly stop: () => void;
} {
  const bans = { address: 0, dn: 0, pair: 0 };
  const stop = guard.events.on("banned", (ban) => void bans[kindOf(ban)]++);
  const collect: Collect = (put) => {
    const banned = { address: 0, dn: 0, pair: 0 };
    for (const ban of guard.list()) banned[kindOf(ban)]++;
    putEach(put, banMetrics.banned, banned, "kind");
    putEach(put, banMetrics.bans, bans, "kind");
  };
  return { collect, stop };
}

function kindOf({ address, dn }: Ban): "address" | "dn" | "pair" {
  if (address === undefined) return "dn";
  return dn === undefined ? "address" : "pair";
}

export function directoryCollector(directory: Pick<AgentDirectory, "waiting" | "counters">): Collect {
  return (put) => {
    put(directoryMetrics.waiting, directory.waiting);
    putEach(put, directoryMetrics.events, { ...directory.counters }, "event");
  };
}
