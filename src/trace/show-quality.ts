import type { Trace, TracedCounters, TracedSideCounters } from "./contract.ts";
import { tracedWays, type QualityPoint, type TracedWay, type TracedWayQuality } from "./quality-series.ts";

const jsonNames: Readonly<Record<TracedWay, string>> = {
  fromBrowser: "from_browser",
  toBrowser: "to_browser",
  fromSipServer: "from_sip_server",
  toSipServer: "to_sip_server",
};
/** Lines of the text: enough to see when it was bad. */
const textLines = 24;

/** A point of the curve as JSON: `at_ms` from the trace's first entry, then the ways of which something is known. */
export function qualityJson({ at, ways }: QualityPoint, start: number) {
  const known = tracedWays.flatMap((way) =>
    ways[way] ? [[jsonNames[way], wayJson(ways[way])] as const] : [],
  );
  return { at_ms: Math.round(at - start), ...Object.fromEntries(known) };
}

function wayJson({ mos, lossPercent, jitterMs, roundTripMs }: TracedWayQuality) {
  return {
    mos: hundredths(mos),
    loss_percent: hundredths(lossPercent),
    jitter_ms: hundredths(jitterMs),
    ...(roundTripMs === undefined ? {} : { round_trip_ms: hundredths(roundTripMs) }),
  };
}

export function countersJson({ browser, sipServer }: TracedCounters) {
  return { browser: sideJson(browser), sip_server: sideJson(sipServer) };
}

function sideJson(side: TracedSideCounters) {
  return {
    codec: side.codec ?? null,
    packets_received: side.packetsReceived,
    packets_sent: side.packetsSent,
    bytes_received: side.bytesReceived,
    bytes_sent: side.bytesSent,
    packets_lost: side.packetsLost,
    packets_reordered: side.packetsReordered,
    jitter_ms: hundredths(side.jitterMs),
    jitter_buffer_ms: side.jitterBufferMs ?? null,
    drift_ppm: side.driftPpm === undefined ? null : hundredths(side.driftPpm),
    drift_corrections: side.driftCorrections,
    frames_concealed: side.framesConcealed,
    frames_recovered: side.framesRecovered,
    dropped: { ...side.dropped },
  };
}

/** How it sounded, and the counters, for people; no line where nothing is known. */
export function qualityLines({ quality, counters }: Trace, start: number): string[] {
  const every = Math.max(1, Math.ceil(quality.length / textLines));
  const shown = Array.from({ length: Math.ceil(quality.length / every) }, (_, group) =>
    quality.slice(group * every, (group + 1) * every).sort((one, other) => worstMos(one) - worstMos(other)),
  ).flatMap(([worst]) => worst ?? []);
  const skipped = every > 1 ? `, the worst of ${every} points each` : "";
  const curve = [
    `How it sounded: MOS / loss % / jitter ms / round trip ms${skipped}`,
    `${"ms".padStart(10)}${tracedWays.map((way) => jsonNames[way].replaceAll("_", " ").padStart(24)).join("")}`,
    ...shown.map(
      ({ at, ways }) =>
        `${String(Math.round(at - start)).padStart(10)}${tracedWays.map((way) => wayWords(ways[way]).padStart(24)).join("")}`,
    ),
    "",
  ];
  const counts = counters
    ? [sideWords("browser", counters.browser), sideWords("SIP Server", counters.sipServer), ""]
    : [];
  return [...(quality.length > 0 ? curve : []), ...counts];
}

function worstMos({ ways }: QualityPoint): number {
  return Math.min(...tracedWays.map((way) => ways[way]?.mos ?? Infinity));
}

function wayWords(way: TracedWayQuality | undefined): string {
  if (!way) return "-";
  const trip = way.roundTripMs === undefined ? "-" : String(Math.round(way.roundTripMs));
  return `${way.mos.toFixed(1)} / ${way.lossPercent.toFixed(1)} / ${Math.round(way.jitterMs)} / ${trip}`;
}

function sideWords(name: string, side: TracedSideCounters): string {
  const dropped = Object.entries(side.dropped).flatMap(([cause, count]) =>
    count > 0 ? [`${cause} ${count}`] : [],
  );
  const words = [
    `${side.packetsReceived} packets received, ${side.packetsLost} lost, ${side.packetsReordered} out of order`,
    `${side.packetsSent} sent`,
    `${side.framesConcealed} frames concealed, ${side.framesRecovered} recovered`,
    ...(dropped.length > 0 ? [`dropped: ${dropped.join(", ")}`] : []),
  ];
  return `Counters of ${name} (${side.codec ?? "no codec"}): ${words.join("; ")}`;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
