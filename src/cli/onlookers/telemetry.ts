import { telemetryCollector } from "../../admin/index.ts";
import { callSpan, SpanExport } from "../../telemetry/index.ts";
import type { GatewayRooms, Onlooker } from "../gateway/rooms.ts";
import { version } from "../version.ts";

/** A span for each call that is over. Undefined: `openTelemetry.endpoint` is not set. */
export function openSpans({
  live,
  surroundings,
  b2bua,
  traces,
  metrics,
}: GatewayRooms): Onlooker | undefined {
  const { endpoint, headers, serviceName, sampleRatio, showNumbers } = live.current.openTelemetry;
  if (endpoint === undefined) return undefined;
  const { clock, random } = surroundings;
  const log = surroundings.log.child({ room: "telemetry" });
  const spans = new SpanExport({ endpoint, headers, serviceName, sampleRatio, version, clock, random, log });
  const stop = b2bua.events.on("ended", (record) => {
    if (!spans.sample()) return;
    const offset = clock.wallClock() - clock.now();
    const wall = (at: number): number => at + offset;
    spans.add(callSpan(record, traces?.find(record.id), { wall, showNumbers }));
  });
  const { counters } = spans;
  const counted = (): { sent: number; dropped: number } => ({
    sent: counters.sentSpans,
    dropped: counters.droppedSpans,
  });
  metrics.add(telemetryCollector("otel", counted));
  return {
    close: () => {
      stop();
      return spans.close();
    },
  };
}
