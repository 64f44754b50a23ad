import { counter, gauge } from "../definition.ts";

/** Call records on their way to the file and the webhook. */
export const recordMetrics = {
  queued: gauge("records_queued", "Call records that wait: sink file or webhook.", ["sink"]),
  written: counter("records_written", "Call records handed on, by sink.", ["sink"]),
  dropped: counter("records_dropped", "Call records lost, by sink.", ["sink"]),
};

/** What is told to Homer (HEP) and to an OpenTelemetry collector. */
export const telemetryMetrics = {
  sent: counter("telemetry_sent", "Messages (hep) and spans (otel) handed on, by exporter.", ["exporter"]),
  dropped: counter("telemetry_dropped", "Messages and spans lost, by exporter.", ["exporter"]),
};

/** Addresses and DNs that are shut out for failed logins. */
export const banMetrics = {
  banned: gauge("banned", "Addresses and DNs shut out now.", ["kind"]),
  bans: counter("bans", "Times one was shut out.", ["kind"]),
};
