/**
 * What Opus complexity and bitrate cost and what they sound like: `node bench/opus-complexity.ts [--celt | --fec] [--wav file]`.
 * Prints a table of encode time (us of CPU per 20 ms frame, least and median of interleaved rounds) and segmental
 * signal-to-noise ratio (dB, more is better) and log-spectral distance (dB, less is better) at 8 kHz. `--celt`: without SILK (RestrictedLowDelay), as we encode while nothing is lost; `--fec`: SILK as we encode otherwise.
 * `--wav`: 16-bit mono at 8 kHz beside the bench's voices.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Application, createEncoder, Signal, type OpusEncoderHandle } from "libopus-wasm";
import { align, segmentalSnr, soundRate, voice } from "../test/support/sound.ts";
import { decodeFrames, frameSamples } from "./support/voices.ts";

const rounds = 4;
const complexities = [0, 1, 2, 5];
const bitrates = [16_000, 24_000, 32_000, 48_000, 64_000];
/** libopus answers at most so many samples later: its look-ahead at 8 kHz. */
const longestLag = 120;
const spectrum = 256;
/** Frames quieter than this (mean square) tell nothing. */
const leastEnergy = 200 * 200;
const wavHeader = 44;

const { values: wanted } = parseArgs({
  options: {
    celt: { type: "boolean", default: false },
    fec: { type: "boolean", default: false },
    wav: { type: "string" },
  },
});

interface Setting {
  readonly bitrate: number;
  readonly complexity: number;
  readonly microseconds: number[];
}

function newEncoder({ bitrate, complexity }: Setting): Promise<OpusEncoderHandle> {
  return createEncoder({
    sampleRate: soundRate,
    channels: 1,
    application: wanted.celt ? Application.RestrictedLowDelay : Application.Voip,
    signal: Signal.Voice,
    bitrate,
    complexity,
    ...(wanted.fec ? { fec: true, packetLossPercent: 20 } : {}),
  });
}

async function encode(setting: Setting, sound: Int16Array): Promise<Buffer[]> {
  const encoder = await newEncoder(setting);
  const frames: Int16Array[] = [];
  for (let at = 0; at + frameSamples <= sound.length; at += frameSamples)
    frames.push(sound.slice(at, at + frameSamples));
  const before = process.threadCpuUsage();
  const packets = frames.map((frame) => Buffer.from(encoder.encode(frame)));
  const { user, system } = process.threadCpuUsage(before);
  setting.microseconds.push((user + system) / frames.length);
  encoder.free();
  return packets;
}

const window = Float64Array.from(
  { length: spectrum },
  (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / spectrum),
);

/** Power of the bins from 100 to 3700 Hz, dB; a plain transform, since this is no hot path. */
function powers(sound: Int16Array, at: number): Float64Array {
  const [low, high] = [4, 118];
  return Float64Array.from({ length: high - low }, (_, bin) => {
    const step = (2 * Math.PI * (bin + low)) / spectrum;
    let [real, imaginary] = [0, 0];
    for (let index = 0; index < spectrum; index++) {
      const value = (sound[at + index] ?? 0) * (window[index] ?? 0);
      real += value * Math.cos(step * index);
      imaginary += value * Math.sin(step * index);
    }
    return 10 * Math.log10(real * real + imaginary * imaginary + 1e4);
  });
}

/** Mean over the frames that are no pause of the root mean square difference of both spectra, dB. */
function spectralDistance(sound: Int16Array, heard: Int16Array, lag: number): number {
  let [sum, count] = [0, 0];
  for (let at = 0; at + spectrum + lag <= heard.length; at += spectrum) {
    const energy = sound.subarray(at, at + spectrum).reduce((total, value) => total + value * value, 0);
    if (energy / spectrum < leastEnergy) continue;
    const [wantedPowers, heardPowers] = [powers(sound, at), powers(heard, at + lag)];
    const squares = wantedPowers.reduce(
      (total, value, bin) => total + (value - (heardPowers[bin] ?? 0)) ** 2,
      0,
    );
    sum += Math.sqrt(squares / wantedPowers.length);
    count++;
  }
  return sum / count;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
}

const sounds = [voice(6, 1), voice(6, 2), voice(6, 3)];
if (wanted.wav !== undefined) {
  const bytes = readFileSync(wanted.wav).subarray(wavHeader);
  sounds.push(Int16Array.from({ length: bytes.length >> 1 }, (_, index) => bytes.readInt16LE(index * 2)));
}
const settings: Setting[] = bitrates.flatMap((bitrate) =>
  complexities.map((complexity) => ({ bitrate, complexity, microseconds: [] })),
);
const first = sounds[0];
const last = sounds.at(-1);
if (!first || !last) throw new Error("no sound");
for (const setting of settings) await encode(setting, first);
for (const { microseconds } of settings) microseconds.length = 0;
for (let round = 0; round < rounds; round++) for (const setting of settings) await encode(setting, last);
console.log("kbit/s complexity | us least median | SNR/LSD of each sound, dB | bytes a packet");
for (const setting of settings) {
  const { bitrate, complexity, microseconds } = setting;
  const times = [Math.min(...microseconds), median(microseconds)].map((value) => value.toFixed(1));
  const scores: string[] = [];
  let bytes = 0;
  for (const sound of sounds) {
    const packets = await encode(setting, sound);
    bytes = packets.reduce((sum, packet) => sum + packet.length, 0) / packets.length;
    const heard = await decodeFrames(packets);
    const lag = align(sound, heard, 0, longestLag);
    scores.push(
      `${segmentalSnr(sound, heard, lag).toFixed(1)}/${spectralDistance(sound, heard, lag).toFixed(2)}`,
    );
  }
  console.log(
    `${bitrate / 1000} ${complexity} | ${times.join(" ")} | ${scores.join(" ")} | ${bytes.toFixed(0)}`,
  );
}
