import { adminIsOn, type Config } from "../../config/index.ts";
import { TraceStore } from "../../trace/index.ts";
import type { GatewaySurroundings } from "./surroundings.ts";

/** The ladders of the last calls. Undefined: off, or nobody could read them. */
export function createTraces(config: Config, { clock }: GatewaySurroundings): TraceStore | undefined {
  const { calls, megabytes, showDigits } = config.trace;
  const read = adminIsOn(config) || config.openTelemetry.endpoint !== undefined;
  if (!read || calls === 0) return undefined;
  return new TraceStore(clock, { calls, bytes: megabytes * 1_000_000, showDigits });
}
