import type { MediaStatistics, MediaTotals, Side, SideStatistics } from "../contract.ts";

const summed = [
  "packetsReceived",
  "packetsSent",
  "bytesReceived",
  "bytesSent",
  "packetsLost",
  "packetsReordered",
  "framesConcealed",
  "framesRecovered",
  "driftCorrections",
] as const;
type Summed = (typeof summed)[number];

interface SideTotals extends Record<Summed, number> {
  readonly dropped: Record<string, number>;
}

function nothing(): SideTotals {
  return {
    packetsReceived: 0,
    packetsSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    packetsLost: 0,
    packetsReordered: 0,
    framesConcealed: 0,
    framesRecovered: 0,
    driftCorrections: 0,
    dropped: {},
  };
}

/** What each session told last, so that only what came since is added. */
export type SessionTold = Readonly<Record<Side, SideTotals>>;

/** Counters of all sessions since the start, running ones as of their last interval. */
export class Totals {
  readonly all: MediaTotals & SessionTold = { browser: nothing(), trunk: nothing() };

  /** For a new session. */
  begin(): SessionTold {
    return { browser: nothing(), trunk: nothing() };
  }

  add(told: SessionTold, statistics: MediaStatistics): void {
    for (const side of ["browser", "trunk"] as const) addSide(this.all[side], told[side], statistics[side]);
  }
}

function addSide(all: SideTotals, told: SideTotals, now: SideStatistics): void {
  for (const name of summed) {
    // Loss goes back when a packet comes late after all; a total of all calls only grows.
    all[name] += Math.max(0, now[name] - told[name]);
    told[name] = Math.max(told[name], now[name]);
  }
  for (const [cause, count] of Object.entries(now.dropped)) {
    const before = told.dropped[cause] ?? 0;
    all.dropped[cause] = (all.dropped[cause] ?? 0) + Math.max(0, count - before);
    told.dropped[cause] = Math.max(before, count);
  }
}
