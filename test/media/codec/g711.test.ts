import { describe, expect, it } from "vitest";
import { compress, expansion, silenceCode, transcoding, type Law } from "../../../src/media/codec/g711.ts";

/** Largest magnitudes of the segments' first steps as G.711 tables 1a and 2a print them, worked out by hand. */
const muPoints: readonly (readonly [code: number, value14: number])[] = [
  [0xff, 0],
  [0xfe, 2],
  [0xf0, 30],
  [0xef, 33],
  [0xe0, 93],
  [0xdf, 99],
  [0xcf, 231],
  [0xbf, 495],
  [0xaf, 1023],
  [0x9f, 2079],
  [0x8f, 4191],
  [0x80, 8031],
];
const aPoints: readonly (readonly [code: number, value13: number])[] = [
  [0xd5, 1],
  [0xd4, 3],
  [0xda, 31],
  [0xc5, 33],
  [0xca, 63],
  [0xf5, 66],
  [0xe5, 132],
  [0x95, 264],
  [0x85, 528],
  [0xb5, 1056],
  [0xa5, 2112],
  [0xaa, 4032],
];

describe("G.711", () => {
  it("expands mu-law to the values of G.711 table 2a, negative ones mirrored", () => {
    for (const [code, value] of muPoints) {
      expect(expansion.pcmu[code]).toBe(value * 4);
      expect(expansion.pcmu[code ^ 0x80]).toBe(value === 0 ? -0 + 0 : -value * 4);
    }
  });

  it("expands A-law to the values of G.711 table 1a, negative ones mirrored", () => {
    for (const [code, value] of aPoints) {
      expect(expansion.pcma[code]).toBe(value * 8);
      expect(expansion.pcma[code ^ 0x80]).toBe(-value * 8);
    }
  });

  it.each(["pcmu", "pcma"] as const)("gives every code of %s back after expanding it", (law) => {
    for (let code = 0; code < 256; code++) {
      const back = compress(expansion[law][code] ?? 0, law);
      // mu-law has two zeros; the negative one becomes the positive.
      expect(back).toBe(law === "pcmu" && code === 0x7f ? 0xff : code);
    }
  });

  it.each(["pcmu", "pcma"] as const)("takes for any sample the nearest value %s has", (law) => {
    const levels = Array.from(expansion[law]);
    for (let sample = -32768; sample < 32768; sample += 37) {
      const error = Math.abs((expansion[law][compress(sample, law)] ?? 0) - sample);
      const least = Math.min(...levels.map((level) => Math.abs(level - sample)));
      // Half a step of the table's resolution may decide the other way.
      expect(error - least).toBeLessThanOrEqual(law === "pcmu" ? 4 : 8);
    }
  });

  it.each([
    ["pcmu", "pcma"],
    ["pcma", "pcmu"],
  ] as const)("converts every code of %s to the nearest of %s", (from: Law, to: Law) => {
    for (let code = 0; code < 256; code++) {
      const wanted = expansion[from][code] ?? 0;
      const made = expansion[to][transcoding[from][to][code] ?? 0] ?? 0;
      const least = Math.min(...Array.from(expansion[to], (level) => Math.abs(level - wanted)));
      expect(Math.abs(made - wanted) - least).toBeLessThanOrEqual(8);
    }
  });

  it("leaves every code as it is between equal laws, both zeros too", () => {
    for (let code = 0; code < 256; code++) {
      expect(transcoding.pcmu.pcmu[code]).toBe(code);
      expect(transcoding.pcma.pcma[code]).toBe(code);
    }
  });

  it("has the codes of silence that telephones use", () => {
    expect(compress(0, "pcmu")).toBe(silenceCode.pcmu);
    expect(compress(0, "pcma")).toBe(silenceCode.pcma);
  });
});
