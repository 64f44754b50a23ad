import { describe, expect, it } from "vitest";
import { Splice } from "../../../src/media/relay/splice.ts";
import { fromCodes, toCodes, tone, voice } from "../../support/sound.ts";

/** Collects what is put on it. */
class Line {
  readonly samples: number[] = [];
  putCodes(): void {}
  pass(): void {}
  putPcm(pcm: Int16Array, count: number): void {
    this.samples.push(...pcm.subarray(0, count));
  }
}

type Action = "keep" | "drop" | "insert";

/** Puts `sound` through in packets of `packet` samples, the one numbered `at` by `action`. */
function spliced(sound: Int16Array, action: Action, at: number, packet = 160, scale = 1): number[] {
  const splice = new Splice();
  const line = new Line();
  for (let index = 0; (index + 1) * packet <= sound.length; index++) {
    splice.begin(packet / scale);
    splice.putPcm(sound.subarray(index * packet, (index + 1) * packet), packet);
    splice[index === at ? action : "keep"](line, 0);
  }
  return line.samples;
}

/** Largest step from one sample to the next. */
function roughest(samples: ArrayLike<number>): number {
  let most = 0;
  for (let index = 1; index < samples.length; index++)
    most = Math.max(most, Math.abs((samples[index] ?? 0) - (samples[index - 1] ?? 0)));
  return most;
}

describe("taking a frame out of a voice and putting one in", () => {
  it.each([80, 160, 240, 480])("changes its length by a frame, with packets of %i samples", (packet) => {
    const sound = tone(250, 0.6).subarray(0, 4320);
    const frame = Math.min(160, packet);
    expect(spliced(sound, "keep", 4, packet)).toEqual([...sound]);
    expect(spliced(sound, "drop", 4, packet)).toHaveLength(sound.length - frame);
    expect(spliced(sound, "insert", 4, packet)).toHaveLength(sound.length + frame);
  });

  it("changes nothing but what is near the place", () => {
    const sound = voice(1);
    const dropped = spliced(sound, "drop", 20);
    expect(dropped.slice(0, 3200)).toEqual([...sound.subarray(0, 3200)]);
    expect(dropped.slice(3280)).toEqual([...sound.subarray(3440)]);
    const inserted = spliced(sound, "insert", 20);
    expect(inserted.slice(0, 3200)).toEqual([...sound.subarray(0, 3200)]);
    expect(inserted.slice(3360)).toEqual([...sound.subarray(3200)]);
  });

  it.each([
    [130, 8000],
    [333, 8000],
    [777, 16_000],
  ])("makes no click in a tone of %i Hz at %i samples a second, as cutting would", (hertz, rate) => {
    const scale = rate / 8000;
    const sound = tone(hertz / scale, 0.5 * scale);
    const smooth = roughest(sound);
    let cut = 0;
    for (let at = 3; at < 20; at++) {
      for (const action of ["drop", "insert"] as const)
        expect(roughest(spliced(sound, action, at, 160 * scale, scale))).toBeLessThan(smooth * 1.6);
      const place = at * 160 * scale;
      cut = Math.max(cut, roughest([...sound.subarray(0, place), ...sound.subarray(place + 160 * scale)]));
    }
    expect(cut).toBeGreaterThan(smooth * 1.9);
  });

  it("keeps silence silent, and puts nothing in where nothing came before", () => {
    expect(new Set(spliced(new Int16Array(3200), "insert", 5))).toEqual(new Set([0]));
    expect(spliced(tone(300, 0.1), "insert", 0)).toHaveLength(800);
  });

  it("reads G.711 as it is", () => {
    const splice = new Splice();
    const line = new Line();
    const codes = toCodes(voice(0.02), "pcma");
    splice.begin(160);
    splice.putCodes(codes, 0, 160, "pcma");
    splice.keep(line, 0);
    expect(Int16Array.from(line.samples)).toEqual(fromCodes(codes, "pcma"));
  });

  it("knows a quiet packet, and one as quiet as it gets", () => {
    const splice = new Splice();
    const put = (amplitude: number): boolean => {
      splice.begin(160);
      splice.putPcm(tone(400, 0.02, amplitude), 160);
      return splice.quiet();
    };
    expect(put(200)).toBe(true);
    splice.reset();
    const outcomes = Array.from({ length: 110 }, (_, index) => put(index % 10 === 0 ? 2000 : 8000));
    expect(outcomes.slice(0, 100)).not.toContain(true);
    expect(outcomes[100]).toBe(true);
    expect(outcomes[101]).toBe(false);
  });

  it("survives more than any packet can hold", () => {
    const splice = new Splice();
    const line = new Line();
    splice.begin(1440);
    for (let times = 0; times < 5; times++) splice.putPcm(new Int16Array(1440), 1440);
    splice.putCodes(Buffer.alloc(1440), 0, 1440, "pcmu");
    splice.keep(line, 0);
    expect(line.samples).toHaveLength(2880);
  });
});
