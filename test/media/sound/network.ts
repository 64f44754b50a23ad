import { seeded, seededFraction } from "../../support/seeded.ts";

/** A packet's way through the network: which one, and when it comes out, ms. */
export interface Arrival {
  readonly index: number;
  readonly at: number;
}

/** Packets sent every `ms`, all of which arrive at once. */
export function inTime(count: number, ms = 20): Arrival[] {
  return Array.from({ length: count }, (_, index) => ({ index, at: index * ms }));
}

/** The first packets always come through, so that a scenario begins alike everywhere. */
const spared = 5;

/** Each packet lost by itself with a probability. */
export function randomLoss(count: number, percent: number, seed: number): Arrival[] {
  const fraction = seededFraction(seed);
  return inTime(count).filter(({ index }) => {
    const lost = fraction() * 100 < percent;
    return index < spared || !lost;
  });
}

/** Two to five packets in a row lost, some `percent` of all. */
export function burstLoss(count: number, percent: number, seed: number): Arrival[] {
  const fraction = seededFraction(seed);
  const pick = seeded(seed + 1);
  let left = 0;
  return inTime(count).filter(({ index }) => {
    if (left > 0) {
      left--;
      return false;
    }
    if (index < spared || fraction() * 100 >= percent / 3.5) return true;
    left = 1 + pick(4);
    return false;
  });
}

/** `percent` of the packets come right behind the one `places` after them. */
export function reordered(count: number, percent: number, places: number, seed: number): Arrival[] {
  const fraction = seededFraction(seed);
  let free = spared;
  return byTime(
    inTime(count).map(({ index, at }) => {
      if (index < free || index + places >= count || fraction() * 100 >= percent) return { index, at };
      free = index + places + 1;
      return { index, at: at + places * 20 + 1 };
    }),
  );
}

/** Each packet late by 0 to `mostMs`, none before its forerunner. */
export function jitter(count: number, mostMs: number, seed: number): Arrival[] {
  const fraction = seededFraction(seed);
  let last = 0;
  return inTime(count).map(({ index, at }) => {
    last = Math.max(last, at + fraction() * mostMs);
    return { index, at: last };
  });
}

/** The same without order: what is less late overtakes. */
export function disorder(count: number, mostMs: number, seed: number): Arrival[] {
  const fraction = seededFraction(seed);
  return byTime(inTime(count).map(({ index, at }) => ({ index, at: at + fraction() * mostMs })));
}

/** Packets whose number is lower than one that came before: a receiver that does nothing drops them. */
export function withoutLate(arrivals: readonly Arrival[]): Arrival[] {
  let highest = -1;
  return arrivals.filter(({ index }) => {
    const late = index < highest;
    highest = Math.max(highest, index);
    return !late;
  });
}

/** Packets that did not come. */
export function missing(arrivals: readonly Arrival[], count: number): number[] {
  const came = new Set(arrivals.map(({ index }) => index));
  return inTime(count)
    .map(({ index }) => index)
    .filter((index) => !came.has(index));
}

function byTime(arrivals: Arrival[]): Arrival[] {
  return arrivals.sort((one, other) => one.at - other.at || one.index - other.index);
}
