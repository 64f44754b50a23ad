import type { ExhaustedCause, LoadState } from "../contract.ts";

/** What one call is taken to cost before there is a measure, and the most that few calls are believed to, percent. */
export const usualCallPercent = 0.5;
const mostCallPercent = 2;
/** What the handshake of a call just answered takes of the interval it falls into: some 10 ms of 1 s, percent. */
const setUpPercent = 1;
/** From this share of the limit on a call's measured cost is near its true one: the thread's own is a small part. */
const projectFrom = 0.5;

/** What the worker has on its hands. */
export interface Burden {
  readonly state: LoadState;
  /** CPU time of the thread in the last interval, percent of one core. */
  readonly cpuPercent: number;
  /** Sessions open and being opened. */
  readonly sessions: number;
  /** Those of them that do not show in `cpuPercent` yet: they ring, or were answered in this interval. */
  readonly promised: number;
  /** Those of `promised` that were answered in the last interval: `cpuPercent` holds their handshakes. */
  readonly setUps: number;
}

/** Both 0 = no limit. */
export interface AdmissionLimits {
  readonly maxCalls: number;
  /** Percent of one core. */
  readonly maxLoadPercent: number;
}

/** What one call costs by what those that sound do, percent of one core. */
export function callPercent(burden: Burden): number {
  const sounding = burden.sessions - burden.promised;
  return sounding < 1 ? usualCallPercent : Math.min(mostCallPercent, lastingPercent(burden) / sounding);
}

/** The load once all that was promised sounds, never below that of now; percent of one core. */
export function expectedPercent(burden: Burden): number {
  const expected = lastingPercent(burden) + burden.promised * callPercent(burden);
  return Math.max(burden.cpuPercent, expected);
}

/** The load less what was there only once. */
function lastingPercent({ cpuPercent, setUps }: Burden): number {
  return Math.max(0, cpuPercent - setUps * setUpPercent);
}

/** Why no further call is taken, undefined when it is. */
export function refusal(
  burden: Burden,
  { maxCalls, maxLoadPercent }: AdmissionLimits,
): { readonly cause: ExhaustedCause; readonly reason: string } | undefined {
  if (maxCalls > 0 && burden.sessions >= maxCalls)
    return { cause: "calls", reason: `media worker has its ${maxCalls} calls` };
  if (maxLoadPercent === 0) return undefined;
  const expected = expectedPercent(burden);
  const tooMuch = burden.cpuPercent >= maxLoadPercent * projectFrom && expected >= maxLoadPercent;
  if (burden.state === "full")
    return {
      cause: "load",
      reason: `media worker is overloaded: ${Math.round(burden.cpuPercent)} % of a core`,
    };
  if (!tooMuch) return undefined;
  return { cause: "load", reason: `media worker is at its limit: ${Math.round(expected)} % of a core` };
}
