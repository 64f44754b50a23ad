/** Numbers that look random and are the same in every run (mulberry32): integers from 0 to `below` - 1. */
export type Pick = (below: number) => number;

export function seeded(seed: number): Pick {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Fractions in [0, 1) of the same kind. */
export function seededFraction(seed: number): () => number {
  const pick = seeded(seed);
  return () => pick(2 ** 30) / 2 ** 30;
}
