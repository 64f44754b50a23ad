import { Application, createDecoder, createEncoder, Signal } from "libopus-wasm";
import { frameSamples, makeVoice, type Band } from "./voices.ts";
import { voice } from "../../test/support/sound.ts";
import { median, round } from "./figures.ts";

const loopSteps = 4_000_000;
const opusFrames = 300;
const warmUps = 6;

/** What this machine does with work that never changes, so that figures of two machines, or two days, compare. */
export interface Calibration {
  /** CPU time of a fixed loop of integer arithmetic, ms; no memory, no kernel. */
  readonly loopMs: number;
  /** libopus-wasm, 8 kHz, 24 kbit/s, complexity 1, no FEC: CPU per frame of 20 ms of speech, us. */
  readonly opusEncodeUs: number;
  /** The same library at 8 kHz on what the browsers of the run send, us. */
  readonly opusDecodeUs: number;
  /**
   * What Opus alone costs of a transcoded call, ms per call-second: 50 frames each way. No relay on this library can
   * cost less; `x floor` of a figure is that figure over this one.
   */
  readonly opusFloorMs: number;
}

/** CPU of this process so far, us: all threads, so that the collector's helpers count. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function loopMs(): number {
  const before = cpuUs();
  let state = 1;
  for (let step = 0; step < loopSteps; step++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state = Math.imul(state, 0x2c1b_3c6d);
  }
  const ms = (cpuUs() - before) / 1000;
  // Uses the result, so that the loop cannot be left out.
  return state === 0x7fff_ffff ? ms + Number.EPSILON : ms;
}

/** Measures the machine again and again during a run. One per process: the codecs are made once. */
export class Calibrator {
  readonly #pcm: readonly Int16Array[];
  readonly #packets: readonly Buffer[];
  readonly #encoder: Awaited<ReturnType<typeof createEncoder>>;
  readonly #decoder: Awaited<ReturnType<typeof createDecoder>>;
  readonly #readings: { loop: number; encode: number; decode: number }[] = [];

  private constructor(
    pcm: readonly Int16Array[],
    packets: readonly Buffer[],
    encoder: Awaited<ReturnType<typeof createEncoder>>,
    decoder: Awaited<ReturnType<typeof createDecoder>>,
  ) {
    this.#pcm = pcm;
    this.#packets = packets;
    this.#encoder = encoder;
    this.#decoder = decoder;
  }

  static async create(band: Band): Promise<Calibrator> {
    const sound = voice(8, 1);
    const { frames: spoken } = await makeVoice("opus", band);
    const pcm = Array.from({ length: opusFrames }, (_, index) =>
      sound.slice(index * frameSamples, (index + 1) * frameSamples),
    );
    const encoder = await createEncoder({
      sampleRate: 8000,
      channels: 1,
      application: Application.Voip,
      signal: Signal.Voice,
      bitrate: 24_000,
      complexity: 1,
    });
    const decoder = await createDecoder({ sampleRate: 8000, channels: 1 });
    const made = new Calibrator(pcm, spoken.slice(0, opusFrames), encoder, decoder);
    for (let count = 0; count < warmUps; count++) made.take();
    made.#readings.length = 0;
    return made;
  }

  /** One reading; some 50 ms of CPU. */
  take(): void {
    const loop = loopMs();
    const start = cpuUs();
    for (const frame of this.#pcm) this.#encoder.encode(frame);
    const between = cpuUs();
    for (const packet of this.#packets) this.#decoder.decode(packet);
    const end = cpuUs();
    this.#readings.push({
      loop,
      encode: (between - start) / this.#pcm.length,
      decode: (end - between) / this.#packets.length,
    });
  }

  /** Medians of all readings. */
  get result(): Calibration {
    const middle = (of: (one: { loop: number; encode: number; decode: number }) => number): number =>
      round(median(this.#readings.map(of)));
    const opusEncodeUs = middle(({ encode }) => encode);
    const opusDecodeUs = middle(({ decode }) => decode);
    return {
      loopMs: middle(({ loop }) => loop),
      opusEncodeUs,
      opusDecodeUs,
      opusFloorMs: round((50 * (opusEncodeUs + opusDecodeUs)) / 1000),
    };
  }

  free(): void {
    this.#encoder.free();
    this.#decoder.free();
  }
}

export function calibrationLine({
  loopMs: loop,
  opusEncodeUs,
  opusDecodeUs,
  opusFloorMs,
}: Calibration): string {
  return (
    `Calibration (medians of the run): fixed loop ${loop} ms, Opus encode ${opusEncodeUs} us + decode ${opusDecodeUs} us a ` +
    `frame: a floor of ${opusFloorMs} CPU-ms per call-second of Opus <-> G.711.`
  );
}
