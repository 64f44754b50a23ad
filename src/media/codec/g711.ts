import type { CodecName } from "../contract.ts";

/** The two companding laws of G.711. */
export type Law = "pcmu" | "pcma";

export function isLaw(codec: CodecName): codec is Law {
  return codec === "pcmu" || codec === "pcma";
}

/** 16-bit sample of a mu-law code (G.711 table 2): 14-bit values, scaled by 4. */
function expandMu(code: number): number {
  const inverted = ~code & 0xff;
  const segment = (inverted >>> 4) & 7;
  const magnitude = (((((inverted & 0x0f) << 1) | 0x21) << segment) - 0x21) << 2;
  return inverted & 0x80 ? -magnitude : magnitude;
}

/** 16-bit sample of an A-law code (G.711 table 1): 13-bit values, scaled by 8; even bits are inverted on the wire. */
function expandA(code: number): number {
  const plain = code ^ 0x55;
  const segment = (plain >>> 4) & 7;
  const step = ((plain & 0x0f) << 1) | 1;
  const magnitude = (segment === 0 ? step : (step | 0x20) << (segment - 1)) << 3;
  return plain & 0x80 ? magnitude : -magnitude;
}

function expansionTable(expand: (code: number) => number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, code) => expand(code));
}

/**
 * The table from sample to nearest code, indexed by the sample's upper bits. Built from the expansion table
 * itself, so that coding what was decoded gives the same code again; where two codes stand for one value
 * (mu-law's two zeros) the positive one is taken.
 */
function compressionTable(expanded: Int16Array, shift: number): Uint8Array {
  const byLevel = Array.from(expanded, (level, code) => ({ level, code })).sort(
    (one, other) => one.level - other.level || one.code - other.code,
  );
  const table = new Uint8Array(0x10000 >>> shift);
  const half = 1 << (shift - 1);
  let place = 0;
  for (let sample = -0x8000; sample < 0x8000; sample += 1 << shift) {
    // The middle of the interval of samples that share this entry decides.
    const centre = sample + half;
    for (;;) {
      const here = byLevel[place];
      const next = byLevel[place + 1];
      if (!here || !next) break;
      const nearer = Math.abs(next.level - centre) < Math.abs(here.level - centre);
      if (!nearer && next.level !== here.level) break;
      place++;
    }
    table[(sample & 0xffff) >>> shift] = byLevel[place]?.code ?? 0;
  }
  return table;
}

const muExpanded = expansionTable(expandMu);
const aExpanded = expansionTable(expandA);
const muShift = 2;
const aShift = 3;
const muCompressed = compressionTable(muExpanded, muShift);
const aCompressed = compressionTable(aExpanded, aShift);

/** Sample (16 bit) of each code of a law. */
export const expansion: Readonly<Record<Law, Int16Array>> = { pcmu: muExpanded, pcma: aExpanded };

/** One law's sample-to-code table and how far a 16-bit sample is shifted right to index it. */
export interface Compression {
  readonly table: Uint8Array;
  readonly shift: number;
}

export const compression: Readonly<Record<Law, Compression>> = {
  pcmu: { table: muCompressed, shift: muShift },
  pcma: { table: aCompressed, shift: aShift },
};

/** The code of silence: positive zero, and A-law's smallest value. */
export const silenceCode: Readonly<Record<Law, number>> = { pcmu: 0xff, pcma: 0xd5 };

function conversion(from: Law, to: Law): Uint8Array {
  return Uint8Array.from(expansion[from], (sample) => compress(sample, to));
}

/** Code of one 16-bit sample. */
export function compress(sample: number, law: Law): number {
  const { table, shift } = compression[law];
  return table[(sample & 0xffff) >>> shift] ?? 0;
}

const same = Uint8Array.from({ length: 256 }, (_, code) => code);

/** Code of one law to code of another; between equal laws each code stays as it is. */
export const transcoding: Readonly<Record<Law, Readonly<Record<Law, Uint8Array>>>> = {
  pcmu: { pcmu: same, pcma: conversion("pcmu", "pcma") },
  pcma: { pcmu: conversion("pcma", "pcmu"), pcma: same },
};
