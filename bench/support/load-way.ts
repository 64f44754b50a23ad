import type { TimeHistogram } from "./figures.ts";
import { decodeFrames, frameSamples, loopFrames, type BenchCodec, type Voice } from "./voices.ts";
import { align, fromCodes, segmentalSnr } from "../../test/support/sound.ts";

const rtpHeaderBytes = 12;
/** Room for the longest packet, and for one of many on average: G.711 with SRTP's tag is 188 bytes, Opus less. */
const packetRoom = 1500;
/** The first packets of a round always go: arrivals are told apart by counting from the first. */
const neverLeftOut = 5;
/** So many frames after one that was left out are not judged: the codec's memory is another one there. */
const recoveringFrames = 3;
const averageRoom = 200;

/** What came out of one way of a call in one round. */
export interface WayCounts {
  sent: number;
  /** Frames that arrived, each once. */
  received: number;
  /** Packets that are none of the frames sent, or came before they were sent: silence filled in, mostly. */
  strays: number;
  duplicates: number;
  /** Frames never sent, as if the network had lost them; what arrived in their place. */
  leftOut: number;
  covered: number;
}

export const noCounts: WayCounts = { sent: 0, received: 0, strays: 0, duplicates: 0, leftOut: 0, covered: 0 };

/** What a round asks of a way. */
export interface RoundPlan {
  readonly frames: number;
  /** Whether what comes is kept for the sound check. */
  readonly keep: boolean;
  /** Mixes up every fourth frame, as a control of the sound check. */
  readonly garble: boolean;
  /** Share of the packets that are left out, percent, at random; `random` gives 0 to 1, the same in every run. */
  readonly lossPercent: number;
  readonly random: () => number;
}

/** How a sampled way sounded. */
export interface WaySound {
  readonly call: number;
  readonly way: "toTrunk" | "toBrowser";
  /** Segmental signal-to-noise ratio against what should have been heard, dB. */
  readonly snrDb: number;
  /** Only where nothing is transcoded: share of the frames that arrived whose every code is right. */
  readonly exact?: number;
  /** From a sound's sending to its arrival, codec look-ahead included, ms. */
  readonly delayMs: number;
  readonly ok: boolean;
}

/** Least signal-to-noise ratios, dB, set below what a sound relay reaches and far above what a garbled one does. */
const leastSnrDb = {
  /** The relay decodes: compared with another decoder's output of the same packets. */
  decoded: 15,
  /** The relay encodes: the codec's own noise counts. */
  encoded: 20,
  /** The same where packets are left out: some frames are concealed, and SILK with FEC encodes instead of CELT. */
  encodedUnderLoss: 6,
} as const;

/** `protect` of SRTP, or a copy. Returns the length. */
export type Seal = (packet: Buffer, length: number, out: Buffer) => number;

export interface WayOptions {
  readonly name: "toTrunk" | "toBrowser";
  readonly voice: Voice;
  readonly voiceStart: number;
  readonly sentCodec: BenchCodec;
  readonly heardCodec: BenchCodec;
  readonly ssrc: number;
}

const payloadTypes = { opus: 111, pcmu: 0 } as const;
/** RTP clock ticks of 20 ms. */
const frameTicks = { opus: 960, pcmu: 160 } as const;

/** One direction of one call: the packets made ready to be sent, when each was sent, what came out. */
export class LoadWay {
  readonly #options: WayOptions;
  #sequence = 0;
  #voiceAt: number;
  #roundVoiceAt = 0;
  #packets = Buffer.alloc(0);
  #offsets = new Uint32Array(0);
  #sentAt = new Float64Array(0);
  #got = new Uint8Array(0);
  #leftOut = new Uint8Array(0);
  #base: number | undefined;
  #latencySum = 0;
  #lossy = false;
  /** Kept only of sampled calls: datagrams as they came, by frame. */
  #kept: (Buffer | undefined)[] | undefined;
  counts: WayCounts = { ...noCounts };

  constructor(options: WayOptions) {
    this.#options = options;
    this.#voiceAt = options.voiceStart;
  }

  /** Makes the packets of a round ready. */
  prepare(plan: RoundPlan, seal: Seal): void {
    const { frames, keep, garble, lossPercent, random } = plan;
    this.#lossy = lossPercent > 0;
    const { voice, sentCodec, ssrc } = this.#options;
    if (this.#offsets.length <= frames) {
      this.#packets = Buffer.alloc(frames * averageRoom + packetRoom);
      this.#offsets = new Uint32Array(frames + 1);
    }
    this.#sentAt = new Float64Array(frames);
    this.#got = new Uint8Array(frames);
    this.#base = undefined;
    this.#latencySum = 0;
    this.#kept = keep ? Array.from({ length: frames }, () => undefined) : undefined;
    this.counts = { ...noCounts };
    this.#leftOut = Uint8Array.from({ length: frames }, (_, frame) =>
      frame >= neverLeftOut && random() * 100 < lossPercent ? 1 : 0,
    );
    this.#roundVoiceAt = this.#voiceAt;
    const plain = Buffer.alloc(packetRoom);
    let at = 0;
    for (let frame = 0; frame < frames; frame++) {
      const astray = garble && frame % 4 === 3 ? loopFrames / 2 : 0;
      const payload = voice.frames[(this.#voiceAt++ + astray) % loopFrames] ?? Buffer.alloc(0);
      plain[0] = 0x80;
      plain[1] = payloadTypes[sentCodec];
      plain.writeUInt16BE(this.#sequence & 0xffff, 2);
      plain.writeUInt32BE((this.#sequence * frameTicks[sentCodec]) >>> 0, 4);
      plain.writeUInt32BE(ssrc, 8);
      payload.copy(plain, rtpHeaderBytes);
      this.#sequence++;
      this.#offsets[frame] = at;
      const length = seal(plain, rtpHeaderBytes + payload.length, this.#packets.subarray(at));
      if (length < 0) throw new Error(`packet not encrypted: ${length}`);
      at += length;
      this.#offsets[frame + 1] = at;
    }
  }

  /** Notes that the frame goes out now; false when it is to be left out. */
  depart(frame: number, now: number): boolean {
    if (this.#leftOut[frame] === 1) {
      this.counts.leftOut++;
      return false;
    }
    this.#sentAt[frame] = now;
    this.counts.sent++;
    return true;
  }

  get packets(): Buffer {
    return this.#packets;
  }

  offset(frame: number): number {
    return this.#offsets[frame] ?? 0;
  }

  /**
   * Takes a datagram that came out. The first one to come belongs to the first frame; from then on timestamps tell.
   * If the first was lost, all others seem 20 ms later than they are: an error on the safe side.
   */
  arrive(datagram: Buffer, now: number, histogram: TimeHistogram, measureFrom: number): void {
    const timestamp = datagram.readUInt32BE(4);
    if (this.#base === undefined) {
      if (this.counts.sent === 0) {
        this.counts.strays++;
        return;
      }
      this.#base = timestamp;
    }
    const frame = Math.round(((timestamp - this.#base) | 0) / frameTicks[this.#options.heardCodec]);
    const sentAt = this.#sentAt[frame];
    const leftOut = this.#leftOut[frame] === 1;
    if (sentAt === undefined || (sentAt === 0 && !leftOut)) {
      this.counts.strays++;
      return;
    }
    if (this.#got[frame] === 1) {
      this.counts.duplicates++;
      return;
    }
    this.#got[frame] = 1;
    if (leftOut) {
      this.counts.covered++;
      if (this.#kept) this.#kept[frame] = datagram;
      return;
    }
    this.counts.received++;
    this.#latencySum += now - sentAt;
    if (frame >= measureFrom) histogram.add(now - sentAt);
    if (this.#kept) this.#kept[frame] = datagram;
  }

  /** Compares what came with what was sent. `open` undoes SRTP in place, negative on a wrong tag. Only sampled calls. */
  async judge(call: number, open: Seal): Promise<WaySound> {
    const { name, heardCodec, sentCodec } = this.#options;
    const kept = this.#kept ?? [];
    const payloads = kept.map((datagram) => {
      if (!datagram) return undefined;
      const length = open(datagram, datagram.length, datagram);
      return length <= rtpHeaderBytes ? undefined : datagram.subarray(rtpHeaderBytes, length);
    });
    const wanted = this.#wanted(payloads);
    const heard =
      heardCodec === "opus"
        ? await decodeFrames(payloads)
        : fromCodes(
            Buffer.concat(payloads.map((payload) => payload ?? Buffer.alloc(frameSamples, 0xff))),
            "pcmu",
          );
    const lag = align(wanted.subarray(0, 2 * 8000), heard, -400, 800);
    this.#silenceUnjudged(heard, lag);
    const snrDb = segmentalSnr(wanted, heard, lag);
    const delayMs = this.#latencySum / Math.max(1, this.counts.received) + lag / 8;
    const common = { call, way: name, snrDb, delayMs };
    if (heardCodec === "opus")
      return { ...common, ok: snrDb >= (this.#lossy ? leastSnrDb.encodedUnderLoss : leastSnrDb.encoded) };
    if (sentCodec === "opus") return { ...common, ok: snrDb >= leastSnrDb.decoded };
    const exact = this.#exactShare(payloads, Math.round(lag / frameSamples));
    return { ...common, exact, ok: exact === 1 };
  }

  /** Share of the frames that arrived that are those sent, code by code; `shift`: frames the stream stands behind. */
  #exactShare(payloads: readonly (Buffer | undefined)[], shift: number): number {
    let [arrived, right] = [0, 0];
    for (const [place, payload] of payloads.entries()) {
      const frame = place - shift;
      if (!payload || frame < 0 || frame >= payloads.length || this.#recovering(frame)) continue;
      const sent = this.#options.voice.frames[(this.#roundVoiceAt + frame) % loopFrames];
      arrived++;
      if (sent && payload.equals(sent)) right++;
    }
    return arrived === 0 ? 0 : right / arrived;
  }

  /** Whether the frame, or one shortly before it, was left out: loss on purpose is no fault of the relay's. */
  #recovering(frame: number): boolean {
    for (let before = 0; before <= recoveringFrames; before++)
      if (this.#leftOut[frame - before] === 1) return true;
    return false;
  }

  /** What was heard in the place of frames that are not judged must not bend the gain that the comparison finds. */
  #silenceUnjudged(heard: Int16Array, lag: number): void {
    for (let frame = 0; frame * frameSamples < heard.length; frame++) {
      const from = frame * frameSamples + lag;
      if (this.#recovering(frame)) heard.fill(0, Math.max(0, from), Math.max(0, from + frameSamples));
    }
  }

  /** What should have been heard; frames that did not arrive are left silent, so that only loss counts them. */
  #wanted(payloads: readonly (Buffer | undefined)[]): Int16Array {
    const { voice } = this.#options;
    const samples = new Int16Array(payloads.length * frameSamples);
    for (const [frame, payload] of payloads.entries()) {
      if (!payload || this.#recovering(frame)) continue;
      const from = ((this.#roundVoiceAt + frame) % loopFrames) * frameSamples;
      samples.set(voice.heard.subarray(from, from + frameSamples), frame * frameSamples);
    }
    return samples;
  }
}
