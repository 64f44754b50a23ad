import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import { fromCodes, toCodes } from "../../support/sound.ts";
import { seeded } from "../../support/seeded.ts";
import { speech } from "../../support/speech.ts";
import { frame } from "./browser-codec.ts";
import { faults, measure } from "./measure.ts";
import { inTime } from "./network.ts";
import { carry, sourceOf, type Heard } from "./path.ts";
import { Results } from "./results.ts";
import { clean, type PathName } from "./thresholds.ts";

// Seconds of speech through real codecs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });
const results = new Results("sound-clean");
beforeAll(() => warmUpOpus(0));
afterAll(() => results.print());

interface Carried {
  readonly spoken: Int16Array;
  readonly heard: Heard;
}

const carried = new Map<PathName, Promise<Carried>>();

function onCleanPath(path: PathName): Promise<Carried> {
  const make = async (): Promise<Carried> => {
    const source = await sourceOf(path);
    return { spoken: source.sound, heard: await carry(source, inTime(source.packets.length)) };
  };
  const made = carried.get(path) ?? make();
  carried.set(path, made);
  return made;
}

describe("speech through the relay on a clean path", () => {
  it.each(["pcmu", "opus from browser", "opus to browser"] as const)(
    "(%s) comes out whole: wave, level, delay, intelligibility",
    async (path) => {
      const { spoken, heard } = await onCleanPath(path);
      const measured = measure(spoken, heard.sound);
      results.add({ path, scenario: "clean", ...measured });
      expect(faults(measured, clean[path])).toEqual([]);
      expect(heard.statistics).toMatchObject({
        framesConcealed: 0,
        framesRecovered: 0,
        packetsLost: 0,
        dropped: {},
      });
    },
  );
});

/** What goes wrong in gateways; each must be caught by the bounds of the path it happens on. */
const controls: readonly [name: string, spoil: (heard: Int16Array, path: PathName) => Int16Array][] = [
  ["read with the wrong law", (heard) => fromCodes(toCodes(heard, "pcmu"), "pcma")],
  ["of another call", (_heard, path) => speech(10, path === "pcmu" ? 7 : 8)],
  ["with every tenth frame garbled", (heard) => garbled(heard)],
  [
    "with every tenth frame from a second ago",
    (heard) => every(heard, 10, (at) => heard.subarray(at - 8000, at - 8000 + frame)),
  ],
  ["late by one frame from the middle on", (heard) => shifted(heard)],
  ["3 dB too quiet", (heard) => heard.map((sample) => sample * 0.708)],
  ["clipped", (heard) => heard.map((sample) => Math.max(-3000, Math.min(3000, sample)))],
  ["silence", (heard) => new Int16Array(heard.length)],
];

function every(heard: Int16Array, step: number, put: (at: number) => Int16Array): Int16Array {
  const out = Int16Array.from(heard);
  for (let index = 60; (index + 1) * frame <= heard.length; index += step)
    out.set(put(index * frame), index * frame);
  return out;
}

function garbled(heard: Int16Array): Int16Array {
  const pick = seeded(5);
  return every(heard, 10, () => Int16Array.from({ length: frame }, () => pick(16_000) - 8000));
}

function shifted(heard: Int16Array): Int16Array {
  const out = Int16Array.from(heard);
  const middle = Math.floor(heard.length / 2);
  out.set(heard.subarray(middle, -frame), middle + frame);
  return out;
}

describe("a sound test would be worth nothing if it did not fail for sound", () => {
  it.each(controls)("%s", async (name, spoil) => {
    for (const path of ["pcmu", "opus from browser"] as const) {
      const { spoken, heard } = await onCleanPath(path);
      const measured = measure(spoken, spoil(heard.sound, path));
      const found = faults(measured, clean[path]);
      results.add({ path, scenario: `control: ${name}`.slice(0, 26), ...measured, note: found.join(", ") });
      expect(found, `${path}: ${name}`).not.toEqual([]);
    }
  });
});
