import { numberOf, record, textOf } from "../../shared/json.ts";

/** What the browser counts of a call's sound since it began. `at`: ms. */
export interface BrowserCounts {
  readonly at: number;
  readonly received: number;
  readonly lost: number;
  readonly sent: number;
  readonly jitterMs: number;
  /** Of what is sent, by the gateway's last receiver report. */
  readonly farLossPercent: number | undefined;
  readonly farJitterMs: number | undefined;
  readonly roundTripMs: number | undefined;
  /** DTLS is up, so that sound can run. */
  readonly connected: boolean;
}

/** What came of it between two looks. */
export interface BrowserInterval {
  readonly received: number;
  readonly sent: number;
  readonly lossPercent: number;
  readonly jitterMs: number;
  readonly farLossPercent: number | undefined;
  readonly farJitterMs: number | undefined;
  readonly roundTripMs: number | undefined;
  readonly connected: boolean;
}

/** One row of `RTCPeerConnection.getStats`, of which browsers have what they like. */
export type StatsRow = Readonly<Record<string, unknown>>;
type Row = StatsRow | undefined;

/** The rows of a report, whatever it holds. */
export function rowsOf(report: { forEach(visit: (row: unknown) => void): void }): StatsRow[] {
  const rows: StatsRow[] = [];
  report.forEach((row) => rows.push(record(row)));
  return rows;
}

export function countsOf(rows: readonly StatsRow[], at: number): BrowserCounts {
  const find = (type: string): Row =>
    rows.find((row) => row["type"] === type && (row["kind"] === undefined || row["kind"] === "audio"));
  const [inbound, outbound, far, transport] = [
    find("inbound-rtp"),
    find("outbound-rtp"),
    find("remote-inbound-rtp"),
    find("transport"),
  ];
  const pair = chosenPair(rows);
  return {
    at,
    received: numberOf(inbound, "packetsReceived") ?? 0,
    lost: numberOf(inbound, "packetsLost") ?? 0,
    sent: numberOf(outbound, "packetsSent") ?? 0,
    jitterMs: times(numberOf(inbound, "jitter"), 1000) ?? 0,
    farLossPercent: times(numberOf(far, "fractionLost"), 100),
    farJitterMs: times(numberOf(far, "jitter"), 1000),
    roundTripMs: times(numberOf(pair, "currentRoundTripTime") ?? numberOf(far, "roundTripTime"), 1000),
    connected: transport?.["dtlsState"] === "connected",
  };
}

export function intervalOf(before: BrowserCounts, now: BrowserCounts): BrowserInterval {
  const received = Math.max(0, now.received - before.received);
  // What was counted as lost may come late: that is no negative loss.
  const lost = Math.max(0, now.lost - before.lost);
  const { jitterMs, farLossPercent, farJitterMs, roundTripMs, connected } = now;
  return {
    received,
    sent: Math.max(0, now.sent - before.sent),
    lossPercent: received + lost === 0 ? 0 : (100 * lost) / (received + lost),
    jitterMs,
    farLossPercent,
    farJitterMs,
    roundTripMs,
    connected,
  };
}

/** The pair of addresses that carries the sound. */
export function chosenPair(rows: readonly StatsRow[]): Row {
  const id = rows.find((row) => row["type"] === "transport")?.["selectedCandidatePairId"];
  return rows.find(
    (row) =>
      row["type"] === "candidate-pair" &&
      (id === undefined ? row["nominated"] === true && row["state"] === "succeeded" : row["id"] === id),
  );
}

/** Which way the sound goes: `directly by UDP`, `through a TURN server, reached by TLS`. Undefined while there is no pair. */
export function routeOf(rows: readonly StatsRow[]): string | undefined {
  const pair = chosenPair(rows);
  const local = pair && rows.find(({ id }) => id === pair["localCandidateId"]);
  if (local === undefined) return undefined;
  const protocol = textOf(local, "protocol").toUpperCase();
  if (local["candidateType"] !== "relay") return `directly by ${protocol}`;
  // Firefox keeps to itself how it reaches the server.
  const by = textOf(local, "relayProtocol").toUpperCase();
  return `through a TURN server${by === "" ? "" : `, reached by ${by}`}`;
}

function times(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}
