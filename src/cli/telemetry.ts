import type { Config } from "../config/index.ts";
import { callSpan, HepExport, HepSender, SpanExport } from "../telemetry/index.ts";
import type { GatewayRooms, Onlooker } from "./rooms.ts";
import type { GatewaySurroundings } from "./surroundings.ts";
import { version } from "./version.ts";
import type { Watcher } from "./watchers.ts";

/** SIP copied to Homer. It sees messages from the first one on, so it is opened before the SIP socket. */
export interface HepCopy extends Onlooker {
  readonly watcher: Watcher;
  readonly counters: HepSender["counters"];
}

/** Undefined: `hep.address` is not set. */
export function openHep(config: Config, { clock, log }: GatewaySurroundings): HepCopy | undefined {
  const { receiver, transport, captureId, password } = config.hep;
  if (!receiver) return undefined;
  const sender = new HepSender({ ...receiver, transport, clock, log: log.child({ room: "telemetry" }) });
  const { showDigits } = config.trace;
  return {
    watcher: new HepExport({ clock, sender, captureId, password, showDigits }),
    counters: sender.counters,
    close: () => sender.close(),
  };
}

/** A span for each call that is over. Undefined: `openTelemetry.endpoint` is not set. */
export function openSpans({ live, surroundings, b2bua, traces }: GatewayRooms): SpansOnlooker | undefined {
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
  return {
    counters: spans.counters,
    close: () => {
      stop();
      return spans.close();
    },
  };
}

export interface SpansOnlooker extends Onlooker {
  readonly counters: SpanExport["counters"];
}
