import { clockRateOf } from "../codec/clock-rate.ts";
import type { Payload } from "../contract.ts";
import { Counters } from "../counters.ts";
import { readEvent, type TelephoneEvent } from "../dtmf/event.ts";
import { EventReceiver, type EventStep } from "../dtmf/event-receiver.ts";
import type { DriftMeter } from "../rtp/drift.ts";
import { emptyRtpHeader, readRtp } from "../rtp/packet.ts";
import { LossMeter } from "../quality/loss-meter.ts";
import { positionRate } from "../rtp/send-line.ts";
import { arrival, ReceivedSource } from "../rtp/source.ts";
import { JitterBuffer } from "./jitter-buffer.ts";
import { ReorderBuffer, type Deliver, type PacketOrder } from "./reorder.ts";
import type { Way } from "./way.ts";

/** What a payload type number stands for. */
const use = { none: 0, audio: 1, event: 2, comfortNoise: 3 } as const;
/** Static payload type of comfort noise (RFC 3389 4): never negotiated by us, sent by some all the same. */
const comfortNoiseType = 13;

/** Why a packet with this answer of `ReceivedSource.receive` is dropped. */
const dropCause: Readonly<Record<number, string>> = {
  [arrival.duplicate]: "duplicate",
  [arrival.suspicious]: "sequence",
  [arrival.former]: "formerSource",
};

/** Told of each telephone-event packet that means something; `samples` since its start, at 8 kHz. */
export type OnEvent = (
  step: EventStep,
  event: Readonly<TelephoneEvent>,
  samples: number,
  now: number,
) => void;

function isRelayed(used: number | undefined): boolean {
  return used === use.audio || used === use.event;
}

/** Everything received from one side: checked, counted, put in order, sorted into audio and events. */
export class Inbound {
  readonly source = new ReceivedSource();
  readonly meter = new LossMeter();
  readonly #drift: DriftMeter;
  readonly dropped = new Counters();
  packetsReceived = 0;
  bytesReceived = 0;
  /** `clock.now()` of the last packet taken; undefined before the first. */
  mediaAt: number | undefined;
  readonly #header = emptyRtpHeader();
  readonly #event: TelephoneEvent = { code: 0, end: false, volume: 0, duration: 0 };
  readonly #events = new EventReceiver();
  readonly #way: Way;
  readonly #onEvent: OnEvent;
  readonly #buffer: JitterBuffer | undefined;
  readonly #order: PacketOrder;
  /** What each payload type number means when received. */
  readonly #uses = new Uint8Array(128);
  #clockRate: number = positionRate;
  #eventRate: number = positionRate;
  #pendingLost = 0;
  #resuming = false;

  /** With `buffered` packets are played at an even pace by a jitter buffer, else passed on as they come. */
  constructor(way: Way, drift: DriftMeter, onEvent: OnEvent, buffered: boolean) {
    this.#way = way;
    this.#drift = drift;
    this.#onEvent = onEvent;
    this.#buffer = buffered ? new JitterBuffer(way, this.#handOn, this.#discard) : undefined;
    this.#order = this.#buffer ?? new ReorderBuffer(this.#handOn);
  }

  /** How long the jitter buffer keeps packets at present, ms; undefined where there is none. */
  get bufferMs(): number | undefined {
    return this.#buffer?.delayMs;
  }

  /** Packets that came out of order and were put in their place. */
  get reordered(): number {
    return this.#order.reordered;
  }

  /** Whether audio has come that waits for a packet before it. */
  get holding(): boolean {
    return this.#order.holding;
  }

  /** Every 20 ms: nothing is waited for longer than it may be. */
  tick(now: number, caughtUp: boolean): void {
    this.#order.tick(now, caughtUp);
  }

  /** This side is not listened to any more; what it sends until it is again is no loss. */
  pause(): void {
    this.#order.clear();
    this.source.pause();
    this.#resuming = true;
  }

  /**
   * What is received carries the numbers we offered. A side that renumbered them may send its own all the same, as
   * old equipment does: those are taken too where they mean nothing else.
   */
  setPayload(payload: Payload): void {
    const event = payload.telephoneEvent;
    const uses = this.#uses.fill(use.none);
    uses[comfortNoiseType] = use.comfortNoise;
    if (event) uses[event.payloadType] = use.event;
    uses[payload.payloadType] = use.audio;
    if (payload.otherLaw) uses[payload.otherLaw.payloadType] = use.audio;
    if (event) uses[event.receivePayloadType ?? event.payloadType] = use.event;
    uses[payload.receivePayloadType ?? payload.payloadType] = use.audio;
    const clockRate = clockRateOf(payload.codec);
    if (clockRate !== this.#clockRate) {
      this.#drift.restart();
      this.#buffer?.setClockRate(clockRate);
    }
    this.#clockRate = clockRate;
    this.#eventRate = event?.clockRate ?? positionRate;
  }

  get jitterMs(): number {
    return (this.source.jitter * 1000) / this.#clockRate;
  }

  receive(packet: Buffer, length: number, now: number): void {
    const header = this.#header;
    if (!readRtp(packet, length, header)) return this.dropped.add("malformed");
    const used = this.#uses[header.payloadType];
    const { source } = this;
    // A stranger to the negotiation may not make us change the source; of the known source it only counts.
    if (!isRelayed(used) && (!source.started || header.ssrc !== source.ssrc)) return this.#drop(used);
    const missing = source.receive(header.ssrc, header.sequence, now);
    if (missing < arrival.started && missing !== arrival.late)
      return this.dropped.add(dropCause[missing] ?? "sequence");
    if (missing === arrival.started) this.#start(packet, length, now);
    else if (this.#resuming) this.#order.start(header.sequence);
    this.#resuming = false;
    if (used === use.audio) this.#measure(header.timestamp, now);
    if (this.#order.passes(header.sequence)) this.#sort(packet, 0, now, now);
    else if (!this.#order.take(packet, length, header.sequence, now, used === use.audio))
      return this.#refuseLate();
    this.packetsReceived++;
    this.bytesReceived += length;
    this.mediaAt = now;
  }

  /** Another source than before: what waits of that one goes first. */
  #start(packet: Buffer, length: number, now: number): void {
    this.#order.release(now);
    readRtp(packet, length, this.#header);
    this.#order.start(this.#header.sequence);
    this.meter.restart();
    this.#way.interrupt();
    this.#drift.restart();
    this.#pendingLost = 0;
  }

  /** Of audio only: an event's timestamp stands still while it lasts. */
  #measure(timestamp: number, now: number): void {
    this.source.measureJitter(timestamp, now, this.#clockRate);
    this.#drift.take(timestamp, now, this.#clockRate);
  }

  /** A packet in its order; only here the header may be another one's. */
  readonly #handOn: Deliver = (packet, length, lost, arrivedAt, now) => {
    if (readRtp(packet, length, this.#header)) this.#sort(packet, lost, arrivedAt, now);
  };

  /** Relays the packet whose header was just read. */
  #sort(packet: Buffer, lost: number, arrivedAt: number, now: number): void {
    this.meter.arrived(lost);
    this.#pendingLost += lost;
    const used = this.#uses[this.#header.payloadType];
    if (used === use.audio) this.#receiveAudio(packet, arrivedAt);
    else if (used === use.event) this.#receiveEvent(packet, now);
    else this.#drop(used);
  }

  /** What stood in its place was sent long ago. */
  #refuseLate(): void {
    this.meter.cameTooLate();
    this.dropped.add("late");
  }

  /** Was in time for its place, but not for what had become of the delay. */
  readonly #discard = (lost: number): void => {
    this.meter.arrived(lost);
    this.meter.discard();
    this.dropped.add("late");
  };

  #drop(used: number | undefined): void {
    this.dropped.add(used === use.comfortNoise ? "comfortNoise" : "payloadType");
  }

  #receiveAudio(packet: Buffer, now: number): void {
    const outcome = this.#way.receive(packet, this.#header, this.#pendingLost, now);
    this.#pendingLost = 0;
    if (outcome === "late") this.meter.discard();
    if (outcome === "malformed" || outcome === "late") this.dropped.add(outcome);
  }

  #receiveEvent(packet: Buffer, now: number): void {
    const header = this.#header;
    const event = this.#event;
    const rate = this.#eventRate;
    if (!readEvent(packet, header.payloadOffset, header.payloadLength, event))
      return this.dropped.add("malformed");
    const step = this.#events.receive(header.ssrc, header.timestamp, event);
    this.#tell(step, rate, now);
    // Heard of only by its end: the press and the release are one packet.
    if (step === "pressed" && event.end)
      this.#tell(this.#events.receive(header.ssrc, header.timestamp, event), rate, now);
  }

  #tell(step: EventStep, rate: number, now: number): void {
    if (step === "repeat") return;
    const samples = Math.round((this.#events.duration * positionRate) / rate);
    this.#onEvent(step, this.#event, samples, now);
  }
}
