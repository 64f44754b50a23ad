import { Application, createDecoder, createEncoder, Signal } from "libopus-wasm";
import { fromCodes, soundRate, toCodes, voice } from "../../test/support/sound.ts";

export type BenchCodec = "opus" | "pcmu";
/** What the browser's Opus is: narrowband as our SDP asks for, or full band as from one that does not heed it. */
export type Band = "narrow" | "full";

const voices = 4;
const leastFecHint = 20;
const loopSeconds = 8;
export const frameSamples = 160;
/** More than a codec remembers. */
const leadFrames = 50;
export const loopFrames = (loopSeconds * soundRate) / frameSamples;

/** A voice that goes round, in frames of 20 ms ready to be sent, and what of it should be heard at 8 kHz. */
export interface Voice {
  readonly frames: readonly Buffer[];
  readonly heard: Int16Array;
}

const made = new Map<string, Promise<Voice>>();

/**
 * One of the voices of a codec, by number; none correlates with another. Encoded once in a process, before anything is
 * measured. `lossPercent`: what the browser's encoder was told of the loss on its way.
 */
export function makeVoice(codec: BenchCodec, band: Band, number = 1, lossPercent = 0): Promise<Voice> {
  const key = `${codec} ${band} ${number} ${lossPercent}`;
  const encoded = made.get(key) ?? encodeVoice(codec, band, number, lossPercent);
  made.set(key, encoded);
  return encoded;
}

/** All voices of a codec. */
export function makeVoices(codec: BenchCodec, band: Band, lossPercent = 0): Promise<readonly Voice[]> {
  const numbers = Array.from({ length: voices }, (_, index) => index + 1);
  return Promise.all(numbers.map((number) => makeVoice(codec, band, number, lossPercent)));
}

async function encodeVoice(
  codec: BenchCodec,
  band: Band,
  number: number,
  lossPercent: number,
): Promise<Voice> {
  const sound = voice(loopSeconds, number);
  return codec === "pcmu" ? lawVoice(sound) : await opusVoice(sound, band, lossPercent);
}

function lawVoice(sound: Int16Array): Voice {
  const codes = toCodes(sound, "pcmu");
  return {
    frames: Array.from({ length: loopFrames }, (_, index) =>
      codes.subarray(index * frameSamples, (index + 1) * frameSamples),
    ),
    heard: fromCodes(codes, "pcmu"),
  };
}

async function opusVoice(sound: Int16Array, band: Band, lossPercent: number): Promise<Voice> {
  const wide = band === "full";
  const rate = wide ? 48_000 : soundRate;
  // As Chromium encodes: complexity 9, FEC on; 24 kbit/s is what our SDP names, 32 its own choice.
  const encoder = await createEncoder({
    sampleRate: rate,
    channels: 1,
    application: Application.Voip,
    signal: Signal.Voice,
    bitrate: wide ? 32_000 : 24_000,
    complexity: 9,
    fec: true,
    // Narrowband at 24 kbit/s libopus adds no redundancy for a smaller hint (domain notes, FEC trap).
    packetLossPercent: lossPercent === 0 ? 0 : Math.max(leastFecHint, Math.round(lossPercent)),
  });
  const samples = (frameSamples * rate) / soundRate;
  const pcm = wide ? brighten(sound) : sound;
  const encode = (index: number): Buffer =>
    Buffer.from(encoder.encode(pcm.slice(index * samples, (index + 1) * samples)));
  // The end comes first: the codec's memory is then that of a voice under way, so that the ends join.
  for (let index = loopFrames - leadFrames; index < loopFrames; index++) encode(index);
  const frames = Array.from({ length: loopFrames }, (_, index) => encode(index));
  encoder.free();
  return { frames, heard: await decodeFrames([...frames.slice(-leadFrames), ...frames], leadFrames) };
}

/** 8 kHz sound at 48 kHz, with a hiss above 4 kHz so that the encoder takes the full band. */
function brighten(sound: Int16Array): Int16Array {
  let state = 1;
  return Int16Array.from({ length: sound.length * 6 }, (_, index) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const at = index / 6;
    const [before, after] = [sound[Math.floor(at)] ?? 0, sound[Math.ceil(at)] ?? 0];
    return before + (after - before) * (at % 1) + (state / 2 ** 31 - 1) * Math.abs(before) * 0.2;
  });
}

/** Decodes at 8 kHz, as a far end would; an undefined frame is lost. Leaves out the first `from` frames. */
export async function decodeFrames(frames: readonly (Buffer | undefined)[], from = 0): Promise<Int16Array> {
  const decoder = await createDecoder({ sampleRate: soundRate, channels: 1 });
  const samples = new Int16Array((frames.length - from) * frameSamples);
  for (const [index, frame] of frames.entries()) {
    const pcm = frame ? decoder.decode(frame) : decoder.decodePacketLoss(frameSamples);
    if (index >= from) samples.set(pcm.subarray(0, frameSamples), (index - from) * frameSamples);
  }
  decoder.free();
  return samples;
}
