import { expect, it } from "vitest";
import {
  gatewayCollector,
  socketCollector,
  type GatewaySources,
  type MetricDefinition,
} from "../../../src/admin/index.ts";
import type { HistogramCounts } from "../../../src/core/index.ts";

const dayMs = 86_400_000;
const http = {
  certificate: { subject: "CN=gw", validTo: 10 * dayMs, fingerprint256: "", names: [] },
  connections: 3,
  counters: {
    requests: 7,
    clientErrors: 1,
    http2Timeouts: 0,
    tlsErrors: 2,
    certificateReloads: 4,
    certificateReloadFailures: 0,
  },
};

const sources: GatewaySources = {
  version: "1.2.3",
  ready: () => true,
  draining: () => false,
  drainSecondsLeft: () => undefined,
  logLinesLost: () => undefined,
  http,
  sipCertificate: () => 2 * dayMs,
  sipConnections: () => undefined,
  webSocket: () => undefined,
  traces: undefined,
  wallClock: () => 3 * dayMs,
};

/** `name{labels} value` of all that is put. */
async function told(collect: ReturnType<typeof gatewayCollector>): Promise<string[]> {
  const lines: string[] = [];
  await collect(({ name }: MetricDefinition, value: number | HistogramCounts | undefined, labels = {}) => {
    if (typeof value === "number")
      lines.push(`${name.replace("jackfield_", "")} ${Object.values(labels).join(" ")} ${value}`);
  });
  return lines;
}

it("certificates are told by when they run out and by the days until then, negative after it", async () => {
  const lines = await told(gatewayCollector(sources));
  expect(lines.filter((line) => line.startsWith("certificate"))).toEqual([
    "certificate_expiry_timestamp_seconds http 864000",
    "certificate_days_left http 7",
    "certificate_expiry_timestamp_seconds sip_server 172800",
    "certificate_days_left sip_server -1",
  ]);
  const plain = await told(
    gatewayCollector({
      ...sources,
      http: { ...http, certificate: undefined },
      sipCertificate: () => undefined,
    }),
  );
  expect(plain.filter((line) => line.startsWith("certificate"))).toEqual([]);
});

it("what is wrong at the HTTP port is told by its cause, connections by their kind", async () => {
  expect(await told(socketCollector(sources))).toEqual([
    "connections http 3",
    "http_requests_total  7",
    "certificate_reloads_total  4",
    "http_errors_total client_errors 1",
    "http_errors_total http2_timeouts 0",
    "http_errors_total tls_errors 2",
    "http_errors_total certificate_reload_failures 0",
  ]);
});

it("a drain with a deadline and lost log lines are told, and left out where there is none or nobody knows", async () => {
  const ofDrainAndLog = async (of: GatewaySources): Promise<string[]> =>
    (await told(gatewayCollector(of))).filter((line) => /^(?:drain|log)/.test(line));
  expect(await ofDrainAndLog(sources)).toEqual(["draining  0"]);
  const busy = { ...sources, draining: () => true, drainSecondsLeft: () => 41, logLinesLost: () => 7 };
  expect(await ofDrainAndLog(busy)).toEqual([
    "draining  1",
    "drain_left_seconds  41",
    "log_lines_lost_total  7",
  ]);
});
