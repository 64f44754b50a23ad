import type { Random } from "../../core/index.ts";
import { clockRateOf } from "../codec/clock-rate.ts";
import { isLaw, type Law } from "../codec/g711.ts";
import { amplify, gainOf, type Gain } from "../codec/gain.ts";
import { OpusSink, type OpusRate } from "../codec/opus-sink.ts";
import type { Payload } from "../contract.ts";
import { eventLength, writeEvent, type TelephoneEvent } from "../dtmf/event.ts";
import { EventSender, type EventLine } from "../dtmf/event-sender.ts";
import { maxRtpLength, rtpHeaderLength } from "../rtp/packet.ts";
import { positionRate, SendLine } from "../rtp/send-line.ts";
import { frameSamples, G711FrameSink, OpusFrameSink, type FrameSink } from "./frame-sink.ts";
import { G722FrameSink } from "./g722-sink.ts";

const samplesPerMs = positionRate / 1000;
/** No packet for so long and the gap is filled, ms: longer than what jitter and lost packets make. */
const fillAfterMs = 200;
/** Filled frames keep so far behind the time at which audio would be due, so that returning audio finds room. */
const fillLag = 2 * frameSamples;
/** After a stall of ours, more missing frames than this are left out rather than sent in one burst. */
const longestBurst = 10 * frameSamples;

export interface OutboundOptions {
  readonly ssrc: number;
  readonly random: Random;
  /** Sends `packet[0, length)`, which is used again at once. False: not sent. */
  readonly send: (packet: Buffer, length: number) => boolean;
  /** Whether an encoder may begin with in-band FEC, which costs over twice what it costs without. Default: always. */
  readonly grantFec?: (() => boolean) | undefined;
  /** Gain of the sound toward this side, dB; default 0. */
  readonly gainDb?: number;
}

/**
 * Everything sent toward one side: the continuous line, audio frames placed on it, telephone-events in
 * their stead, silence where the other side sends nothing. Time on the line is a position: samples at 8 kHz.
 */
export class Outbound implements EventLine {
  readonly line: SendLine;
  readonly events: EventSender;
  bytesSent = 0;
  #payload: Payload | undefined;
  #sink: FrameSink | undefined;
  #sinkGeneration = 0;
  #complexity: number | undefined;
  #open = false;
  #position = 0;
  /** End of the last packet sent: where the next one starts if there is no gap. */
  #sentEnd = -1;
  #anchorPosition = 0;
  #anchorAt = 0;
  #anchored = false;
  #audioAt = 0;
  #filling = false;
  readonly #eventPacket = Buffer.alloc(rtpHeaderLength + eventLength);
  readonly #passPacket = Buffer.alloc(maxRtpLength);
  readonly #send: OutboundOptions["send"];
  readonly #gain: Gain;
  readonly #emit = (packet: Buffer, length: number, samples: number, now: number): void => {
    this.#emitFrame(packet, length, samples, now);
  };
  readonly #grantFec: () => boolean;
  readonly #wanted = (): boolean => this.#open && !this.events.running;

  constructor({ ssrc, random, send, grantFec = () => true, gainDb = 0 }: OutboundOptions) {
    this.line = new SendLine(ssrc, random);
    this.events = new EventSender(this);
    this.#send = send;
    this.#grantFec = grantFec;
    this.#gain = gainOf(gainDb);
  }

  /** Whether anything may be sent: connected, the far end known, the direction sending. */
  get open(): boolean {
    return this.#open;
  }

  /** End of all that was put on the line, also of the frame under way. */
  get position(): number {
    return this.#position + (this.#sink?.held ?? 0);
  }

  /** Opens or shuts the line. The time it was shut shows as a gap of the timestamps. */
  setOpen(open: boolean, now: number): void {
    if (open === this.#open) return;
    this.#open = open;
    this.#filling = false;
    if (!open) {
      // What is collected of a packet goes nowhere: after a hold it would be heard late.
      this.flush(now);
      this.events.clear();
      return;
    }
    this.#audioAt = now;
    if (!this.#anchored) this.anchor(0, now);
  }

  /** Takes the codec and numbers of the side; `undefined` sink codecs are made when needed, freed when not. */
  setPayload(payload: Payload, now: number): void {
    const former = this.#payload;
    // Under the number of the codec that it is coded in.
    if (former?.codec !== payload.codec) this.flush(now);
    this.#payload = payload;
    this.events.setClockRate(payload.telephoneEvent?.clockRate ?? positionRate);
    if (!payload.telephoneEvent) this.events.clear();
    if (former?.codec === payload.codec) {
      this.#sink?.setPacketSamples(packetSamples(payload), now);
      return;
    }
    this.line.setClockRate(clockRateOf(payload.codec), this.#position);
    this.#replaceSink(this.#simpleSink(payload, 16_000));
  }

  /** Makes the encoder for samples at `rate` there where frames are to be encoded; nothing to do for G.711. */
  async prepareEncoder(rate: OpusRate = 8000): Promise<void> {
    const payload = this.#payload;
    if (!payload || isLaw(payload.codec) || this.#sink?.rate === rate) return;
    this.#replaceSink(this.#simpleSink(payload, rate));
    if (payload.codec !== "opus") return;
    const generation = this.#sinkGeneration;
    const encoder = await OpusSink.create(rate);
    if (generation !== this.#sinkGeneration) return encoder.free();
    if (this.#complexity !== undefined) encoder.setComplexity(this.#complexity);
    this.#sink = new OpusFrameSink(encoder, rate, this.#emit, this.#wanted, this.#grantFec, this.#gain);
  }

  /** Frees an encoder that is not needed any more (both sides Opus). */
  dropEncoder(): void {
    if (this.#payload?.codec === "opus") this.#replaceSink(undefined);
  }

  setLoss(percent: number): void {
    this.#sink?.setLoss(percent);
  }

  /** Of the encoder in use and of those made later, 0-10. */
  setComplexity(complexity: number): void {
    this.#complexity = complexity;
    this.#sink?.setComplexity(complexity);
  }

  /** Where audio that arrives now would stand if the source had never paused. */
  wall(now: number): number {
    return this.#anchorPosition + Math.round((now - this.#anchorAt) * samplesPerMs);
  }

  /** Notes that audio standing at `position` arrived now. */
  anchor(position: number, now: number): void {
    this.#anchored = true;
    this.#anchorPosition = position;
    this.#anchorAt = now;
    this.#audioAt = now;
    this.#filling = false;
  }

  /** Ends the packet under way with silence. */
  flush(now: number): void {
    this.#sink?.flush(now);
  }

  /** Leaves a gap up to `position`, which the receiver sees in the timestamps; never goes back. */
  skipTo(position: number, now: number): void {
    if (position <= this.position) return;
    this.flush(now);
    this.#position = Math.max(this.#position, Math.round(position));
  }

  putCodes(packet: Buffer, offset: number, count: number, law: Law, now: number): void {
    this.#sink?.putCodes(packet, offset, count, law, now);
  }

  /** `pcm` at the rate of `prepareEncoder`; with a gain set its samples are changed. */
  putPcm(pcm: Int16Array, count: number, now: number): void {
    if (this.#gain.factor !== 1) amplify(pcm, count, this.#gain.factor);
    this.#sink?.putPcm(pcm, count, now);
  }

  /** Sends a payload as it came (Opus to Opus); `samples` at 8 kHz. */
  pass(packet: Buffer, offset: number, length: number, samples: number, now: number): void {
    if (rtpHeaderLength + length > maxRtpLength) return;
    packet.copy(this.#passPacket, rtpHeaderLength, offset, offset + length);
    this.#emitFrame(this.#passPacket, rtpHeaderLength + length, samples, now);
  }

  /** Fills with silence where no audio has come for a while; every 20 ms. */
  fill(now: number): void {
    if (!this.#open || this.events.running || now - this.#audioAt < fillAfterMs || !this.#sink) return;
    const due = this.wall(now) - fillLag;
    if (!this.#filling || due - this.position > longestBurst) {
      this.#filling = true;
      this.skipTo(due, now);
    }
    while (this.position <= due) this.#sink.putSilence(frameSamples, now);
  }

  beginEvent(now: number): number {
    this.flush(now);
    if (now - this.#audioAt >= fillAfterMs) this.skipTo(this.wall(now) - fillLag, now);
    return this.#position;
  }

  sendEvent(event: Readonly<TelephoneEvent>, marker: boolean, position: number, now: number): void {
    const payloadType = this.#payload?.telephoneEvent?.payloadType;
    if (!this.#open || payloadType === undefined) return;
    this.#audioAt = now;
    writeEvent(this.#eventPacket, rtpHeaderLength, event);
    this.#transmit(this.#eventPacket, this.#eventPacket.length, payloadType, marker, position, now);
  }

  endEvent(position: number): void {
    this.#position = Math.max(this.#position, Math.round(position));
  }

  close(): void {
    this.#open = false;
    this.events.clear();
    this.#replaceSink(undefined);
  }

  #emitFrame(packet: Buffer, length: number, samples: number, now: number): void {
    const start = this.#position;
    this.#position += samples;
    if (!this.#open || this.events.running || !this.#payload) return;
    // First packet of a talk spurt: whenever the line does not join what was sent before (RFC 3551 4.1).
    const marker = start !== this.#sentEnd;
    this.#sentEnd = this.#position;
    this.#transmit(packet, length, this.#payload.payloadType, marker, start, now);
  }

  #transmit(
    packet: Buffer,
    length: number,
    payloadType: number,
    marker: boolean,
    position: number,
    now: number,
  ): void {
    this.line.stamp(packet, length, payloadType, marker, position, now);
    this.bytesSent += length;
    this.#send(packet, length);
  }

  /** A sink of a codec that needs no module; undefined for Opus. */
  #simpleSink(payload: Payload, rate: OpusRate): FrameSink | undefined {
    const { codec } = payload;
    if (codec === "opus") return undefined;
    const size = packetSamples(payload);
    return codec === "g722"
      ? new G722FrameSink(rate, this.#emit, this.#wanted, size, this.#gain)
      : new G711FrameSink(codec, this.#emit, size, this.#gain);
  }

  #replaceSink(sink: FrameSink | undefined): void {
    this.#sinkGeneration++;
    this.#sink?.close();
    this.#sink = sink;
  }
}

function packetSamples({ packetMs }: Payload): number {
  return packetMs === undefined ? frameSamples : packetMs * samplesPerMs;
}
