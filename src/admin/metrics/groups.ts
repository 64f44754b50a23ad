import { gauge, counter, type MetricDefinition, type MetricDefinitions } from "./definition.ts";
import { agentMetrics, trunkMetrics } from "./groups/agents.ts";
import { callMetrics } from "./groups/calls.ts";
import { gatewayMetrics, socketMetrics } from "./groups/gateway.ts";
import { mediaMetrics, workerMetrics } from "./groups/media.ts";
import { banMetrics, directoryMetrics, recordMetrics, telemetryMetrics } from "./groups/onlookers.ts";
import { sipMetrics } from "./groups/sip.ts";
import { wrtcMetrics } from "./groups/wrtc.ts";

/** What a scrape costs. */
export const scrapeMetrics = {
  duration: gauge("scrape_duration_seconds", "How long the scrape before this one took to collect."),
  failures: counter("scrape_failures", "Parts of scrapes that failed or were not told in time."),
};

/** Every metric there is; docs/metrics.md is made from it. */
export const metricGroups: readonly { readonly title: string; readonly metrics: MetricDefinitions }[] = [
  { title: "Gateway", metrics: gatewayMetrics },
  { title: "Agents", metrics: agentMetrics },
  { title: "SIP Server and registrations", metrics: trunkMetrics },
  { title: "Calls", metrics: callMetrics },
  { title: "Sound", metrics: mediaMetrics },
  { title: "Media workers", metrics: workerMetrics },
  { title: "SIP", metrics: sipMetrics },
  { title: "Connections", metrics: socketMetrics },
  { title: "WRTC clients", metrics: wrtcMetrics },
  { title: "Call records", metrics: recordMetrics },
  { title: "Telemetry", metrics: telemetryMetrics },
  { title: "Bans", metrics: banMetrics },
  { title: "Agents' directory", metrics: directoryMetrics },
  { title: "Scrapes", metrics: scrapeMetrics },
];

export const allMetrics: readonly MetricDefinition[] = metricGroups.flatMap(({ metrics }) =>
  Object.values(metrics),
);
