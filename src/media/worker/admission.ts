import type { ExhaustedCause, LoadState } from "../contract.ts";
import { lastingPercent } from "./call-price.ts";

/** What the worker has on its hands. */
export interface Burden {
  readonly state: LoadState;
  /** CPU time of the thread in the last interval, percent of one core; less that of calls that are over since. */
  readonly cpuPercent: number;
  /** Sessions open and being opened. */
  readonly sessions: number;
  /**
   * As many of them as their sound is in `cpuPercent`, a call of which one side sounds being half a one. The rest may
   * begin at any time: they ring, were just answered, are held, muted or silent.
   */
  readonly sounding: number;
  /** Those that were answered in the last interval: `cpuPercent` holds their handshakes. */
  readonly setUps: number;
  /** What one call costs once it sounds, percent of one core. */
  readonly callPercent: number;
}

/** Both 0 = no limit. */
export interface AdmissionLimits {
  readonly maxCalls: number;
  /** Percent of one core. */
  readonly maxLoadPercent: number;
}

/** The load once all sessions sound, never below that of now; percent of one core. */
export function expectedPercent(burden: Burden): number {
  const { sessions, sounding, callPercent, cpuPercent } = burden;
  return Math.max(cpuPercent, lastingPercent(burden) + (sessions - sounding) * callPercent);
}

/** Why no further call is taken, undefined when it is. */
export function refusal(
  burden: Burden,
  { maxCalls, maxLoadPercent }: AdmissionLimits,
): { readonly cause: ExhaustedCause; readonly reason: string } | undefined {
  if (maxCalls > 0 && burden.sessions >= maxCalls)
    return { cause: "calls", reason: `media worker has its ${maxCalls} calls` };
  if (maxLoadPercent === 0) return undefined;
  if (burden.state === "full")
    return {
      cause: "load",
      reason: `media worker is overloaded: ${Math.round(burden.cpuPercent)} % of a core`,
    };
  const expected = expectedPercent(burden);
  if (expected < maxLoadPercent) return undefined;
  return { cause: "load", reason: `media worker is at its limit: ${Math.round(expected)} % of a core` };
}
