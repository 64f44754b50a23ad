import { createDecoder, type OpusDecoderHandle } from "libopus-wasm";
import { OpusSink, type OpusRate } from "./opus-sink.ts";

/** RTP clock rate of Opus whatever it carries (RFC 7587 4.1). */
export const opusClockRate = 48000;
/** Samples at 8 kHz of one Opus frame for each TOC configuration (RFC 6716 3.1). */
const frameSamples = Uint16Array.from({ length: 32 }, (_, config) => {
  if (config < 12) return [80, 160, 320, 480][config & 3] ?? 0;
  if (config < 16) return config & 1 ? 160 : 80;
  return [20, 40, 80, 160][config & 3] ?? 0;
});

/**
 * Duration of an Opus packet in samples at 8 kHz, read from its first bytes (RFC 6716 3.1, 3.2); 0 when it
 * cannot be one: empty, or longer than 120 ms.
 */
export function opusSamples(packet: Uint8Array, offset: number, length: number): number {
  if (length < 1) return 0;
  const toc = packet[offset] ?? 0;
  const code = toc & 3;
  if (code === 3 && length < 2) return 0;
  const frames = code === 0 ? 1 : code === 3 ? (packet[offset + 1] ?? 0) & 0x3f : 2;
  const samples = frames * (frameSamples[toc >>> 3] ?? 0);
  return samples <= 960 ? samples : 0;
}

/** Decoder of one direction of one call. Every method returns fresh samples, or undefined on a corrupt packet. */
export class OpusSource {
  readonly #decoder: OpusDecoderHandle;
  readonly #fecOptions = { decodeFec: true, frameSize: 160 };

  private constructor(decoder: OpusDecoderHandle) {
    this.#decoder = decoder;
  }

  /** `rate`: of the samples, Hz: libopus itself decodes to narrow and wide band, no resampler is needed. */
  static async create(rate: OpusRate = 8000): Promise<OpusSource> {
    return new OpusSource(await createDecoder({ sampleRate: rate, channels: 1 }));
  }

  decode(payload: Uint8Array): Int16Array | undefined {
    try {
      return this.#decoder.decode(payload);
    } catch {
      return undefined;
    }
  }

  /** The frame before `next`, of `samples` samples, from the redundancy in it; concealed if it has none. */
  recover(next: Uint8Array, samples: number): Int16Array | undefined {
    try {
      this.#fecOptions.frameSize = samples;
      return this.#decoder.decode(next, this.#fecOptions);
    } catch {
      return undefined;
    }
  }

  /** Samples made up for a lost frame; `samples` a multiple of 2.5 ms, at most 120 ms. */
  conceal(samples: number): Int16Array | undefined {
    try {
      return this.#decoder.decodePacketLoss(samples);
    } catch {
      return undefined;
    }
  }

  free(): void {
    this.#decoder.free();
  }
}

/**
 * Samples at 8 kHz, just before an Opus packet, that its in-band FEC recovers: the length of its first frame if that
 * has the LBRR flag, the bit after the VAD flags (RFC 6716 4.2.3, 4.2.4); 0 = none.
 */
export function fecSamples(packet: Uint8Array, offset: number, length: number): number {
  const config = (packet[offset] ?? 0) >>> 3;
  // CELT has none.
  if (config >= 16) return 0;
  const at = firstFrame(packet, offset, length);
  if (at < 0) return 0;
  const samples = frameSamples[config] ?? 0;
  const silkFrames = samples <= 160 ? 1 : samples / 160;
  return ((packet[at] ?? 0) >>> (7 - silkFrames)) & 1 ? samples : 0;
}

/** Whether an Opus packet carries in-band FEC of the frame before it. */
export function hasFec(packet: Uint8Array, offset: number, length: number): boolean {
  return fecSamples(packet, offset, length) > 0;
}

/** Where the first frame of an Opus packet begins (RFC 6716 3.2); -1 if it is empty or not whole. */
function firstFrame(packet: Uint8Array, offset: number, length: number): number {
  const end = offset + length;
  const code = (packet[offset] ?? 0) & 3;
  let at = offset + 1;
  if (code === 2) return sizedFrame(packet, at, at + sizeBytes(packet, at), end);
  if (code === 3) {
    const counts = packet[at++] ?? 0;
    const frames = counts & 0x3f;
    if (frames === 0) return -1;
    if (counts & 0x40) for (let part = 255; part === 255 && at < end;) part = packet[at++] ?? 0;
    if (counts & 0x80 && frames > 1) {
      const first = at;
      for (let left = frames - 1; left > 0 && at < end; left--) at += sizeBytes(packet, at);
      return sizedFrame(packet, first, at, end);
    }
  }
  return at < end ? at : -1;
}

/** `data` if the frame whose length stands at `size` has any bytes there. */
function sizedFrame(packet: Uint8Array, size: number, data: number, end: number): number {
  return data < end && (packet[size] ?? 0) > 0 ? data : -1;
}

/** Bytes of a frame length (RFC 6716 3.2.1). */
function sizeBytes(packet: Uint8Array, at: number): number {
  return (packet[at] ?? 0) >= 252 ? 2 : 1;
}

/**
 * Runs the codec hot, so that the first calls are not served by cold code (4-10 times slower: media-findings
 * 1b). `frames` 20 ms frames are encoded and decoded; 2,000 take about 0.15 s.
 */
export async function warmUpOpus(frames: number): Promise<void> {
  const [sink, source] = await Promise.all([OpusSink.create(), OpusSource.create()]);
  const pcm = new Int16Array(160);
  for (let frame = 0; frame < frames; frame++) {
    // Both ways to encode: the second half as for a browser that reports loss.
    if (frame === frames >> 1) await sink.setLoss(10);
    for (let index = 0; index < pcm.length; index++)
      pcm[index] = 6000 * Math.sin((frame * 160 + index) * (0.1 + (frame % 50) / 100));
    source.decode(sink.encode(pcm));
  }
  sink.free();
  source.free();
}
