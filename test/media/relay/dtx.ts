import { createEncoder } from "libopus-wasm";
import { voice } from "../../support/sound.ts";

/** A voice for `talkMs`, then the noise of a room for `quietMs`, again and again. */
export function talkAndPauses(seconds: number, talkMs: number, quietMs: number): Int16Array {
  const sound = voice(seconds);
  let state = 5;
  for (let index = 0; index < sound.length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    if ((index / 8) % (talkMs + quietMs) >= talkMs) sound[index] = (state / 2 ** 32 - 0.5) * 120;
  }
  return sound;
}

/** Packets as a browser with DTX sends them: of those that say "silent" only the first; undefined = nothing sent. */
export async function encodeDtx(sound: Int16Array, fec = false): Promise<(Uint8Array | undefined)[]> {
  const encoder = await createEncoder({
    sampleRate: 8000,
    channels: 1,
    application: 2048,
    signal: 3001,
    bitrate: 24_000,
    complexity: 5,
    dtx: true,
    fec,
    packetLossPercent: fec ? 25 : 0,
  });
  let silent = false;
  const packets: (Uint8Array | undefined)[] = [];
  for (let start = 0; start + 160 <= sound.length; start += 160) {
    const packet = encoder.encode(sound.subarray(start, start + 160));
    const nothing = packet.length <= 2;
    packets.push(nothing && silent ? undefined : packet);
    silent = nothing;
  }
  encoder.free();
  return packets;
}
