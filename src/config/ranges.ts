/** DNs from ... to, both included. */
export interface DnRange {
  /** Digits; a leading zero gives all DNs of the range that many digits. */
  readonly from: string;
  readonly to: string;
}

/** Most DNs of one range: SIP Server switches have fewer. */
export const maxRangeSize = 100_000;

/** Why a range is none, or undefined. */
export function rangeFault({ from, to }: DnRange): string | undefined {
  if (from.length !== to.length && isPadded(from))
    return "has ends of different lengths, the first with a leading zero";
  const size = Number(to) - Number(from) + 1;
  if (size < 1) return "ends before it begins";
  return size > maxRangeSize ? `has more than ${maxRangeSize} DNs` : undefined;
}

/** Whether `dn` is one of the range, written as the range writes its DNs. */
export function rangeContains(range: DnRange, dn: string): boolean {
  if (!/^\d{1,15}$/.test(dn)) return false;
  const number = Number(dn);
  return number >= Number(range.from) && number <= Number(range.to) && nameOf(range, number) === dn;
}

/** Whether two ranges have a DN in common. */
export function rangesOverlap(one: DnRange, other: DnRange): boolean {
  const first = Math.max(Number(one.from), Number(other.from));
  const last = Math.min(Number(one.to), Number(other.to));
  // Where both reach, their DNs look the same or not at all: the first common number decides.
  return first <= last && nameOf(one, first) === nameOf(other, first);
}

/** How many DNs it has. */
export function rangeSize({ from, to }: DnRange): number {
  return Number(to) - Number(from) + 1;
}

/** All DNs of the range, in order. */
export function dnsOfRange(range: DnRange): string[] {
  return Array.from({ length: rangeSize(range) }, (_none, index) =>
    nameOf(range, Number(range.from) + index),
  );
}

function nameOf({ from }: DnRange, number: number): string {
  return String(number).padStart(isPadded(from) ? from.length : 0, "0");
}

function isPadded(from: string): boolean {
  return from.length > 1 && from.startsWith("0");
}
