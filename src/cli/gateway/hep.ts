import type { Config } from "../../config/index.ts";
import { HepExport, HepSender } from "../../telemetry/index.ts";
import type { GatewaySurroundings } from "./surroundings.ts";
import type { Watcher } from "./watchers.ts";

/** SIP copied to Homer. */
export interface HepCopy {
  readonly watcher: Watcher;
  readonly counters: HepSender["counters"];
  /** Idempotent; takes 2 s at most. */
  close(): Promise<void>;
}

/** Opened before the SIP socket, so that it sees messages from the first one on. Undefined: `hep.address` is not set. */
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
