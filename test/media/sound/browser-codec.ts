import { createDecoder, createEncoder } from "libopus-wasm";
import { resample, toPcm } from "../../support/resample.ts";

/** 20 ms at 8 and at 48 kHz. */
export const frame = 160;
const browserFrame = 960;
const narrowband = 1101;
const voip = 2048;

export interface BrowserEncoding {
  readonly fec: boolean;
  /** What receiver reports told the browser, percent: libopus spends redundancy by it. */
  readonly lossPercent: number;
}

/**
 * Opus packets of 20 ms as Chromium makes them of a voice when our SDP asks for narrowband at 24 kbit/s: 48 kHz in,
 * complexity 9, variable rate, FEC.
 */
export async function encodeAsBrowser(
  sound: Int16Array,
  { fec, lossPercent }: BrowserEncoding,
): Promise<Uint8Array[]> {
  const encoder = await createEncoder({
    sampleRate: 48_000,
    channels: 1,
    application: voip,
    maxBandwidth: narrowband,
    bitrate: 24_000,
    complexity: 9,
    vbr: true,
    fec,
    packetLossPercent: lossPercent,
  });
  const wide = toPcm(resample(sound, 6, 1));
  const packets: Uint8Array[] = [];
  for (let start = 0; start + browserFrame <= wide.length; start += browserFrame)
    packets.push(encoder.encode(wide.subarray(start, start + browserFrame), { frameSize: browserFrame }));
  encoder.free();
  return packets;
}

/**
 * What a decoder that does nothing about losses makes of the packets: `undefined` is a lost one and becomes silence.
 */
export async function decodePlainly(packets: readonly (Uint8Array | undefined)[]): Promise<Int16Array> {
  const decoder = await createDecoder({ sampleRate: 8000, channels: 1 });
  const heard = new Int16Array(packets.length * frame);
  packets.forEach((packet, index) => {
    if (packet) heard.set(decoder.decode(packet), index * frame);
  });
  decoder.free();
  return heard;
}

/** What a browser makes of the packets: a lost one is taken from the FEC of the next, else concealed. */
export async function decodeAsBrowser(packets: readonly (Uint8Array | undefined)[]): Promise<Int16Array> {
  const decoder = await createDecoder({ sampleRate: 8000, channels: 1 });
  const heard = new Int16Array(packets.length * frame);
  packets.forEach((packet, index) => {
    const next = packets[index + 1];
    const samples = packet
      ? decoder.decode(packet)
      : next
        ? decoder.decode(next, { decodeFec: true, frameSize: frame })
        : decoder.decodePacketLoss(frame);
    heard.set(samples, index * frame);
  });
  decoder.free();
  return heard;
}
