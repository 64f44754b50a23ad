import { clockRateOf } from "../codec/clock-rate.ts";
import type { Payload } from "../contract.ts";
import { Counters } from "../counters.ts";
import { readEvent, type TelephoneEvent } from "../dtmf/event.ts";
import { EventReceiver, type EventStep } from "../dtmf/event-receiver.ts";
import { emptyRtpHeader, readRtp } from "../rtp/packet.ts";
import { LossMeter } from "../quality/loss-meter.ts";
import { positionRate } from "../rtp/send-line.ts";
import { arrival, ReceivedSource } from "../rtp/source.ts";
import type { Way } from "./way.ts";

/** What a payload type number stands for. */
const use = { none: 0, audio: 1, event: 2 } as const;

/** Why a packet with this answer of `ReceivedSource.receive` is dropped. */
const dropCause: Readonly<Record<number, string>> = {
  [arrival.late]: "late",
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

/** Everything received from one side: checked, counted, sorted into audio and events. */
export class Inbound {
  readonly source = new ReceivedSource();
  readonly meter = new LossMeter();
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
  /** What each payload type number means when received. */
  readonly #uses = new Uint8Array(128);
  #clockRate: number = positionRate;
  #eventRate: number = positionRate;
  #pendingLost = 0;

  constructor(way: Way, onEvent: OnEvent) {
    this.#way = way;
    this.#onEvent = onEvent;
  }

  /**
   * What is received carries the numbers we offered. A side that renumbered them may send its own all the same, as
   * old equipment does: those are taken too where they mean nothing else.
   */
  setPayload(payload: Payload): void {
    const event = payload.telephoneEvent;
    const uses = this.#uses.fill(use.none);
    if (event) uses[event.payloadType] = use.event;
    uses[payload.payloadType] = use.audio;
    if (payload.otherLaw) uses[payload.otherLaw.payloadType] = use.audio;
    if (event) uses[event.receivePayloadType ?? event.payloadType] = use.event;
    uses[payload.receivePayloadType ?? payload.payloadType] = use.audio;
    this.#clockRate = clockRateOf(payload.codec);
    this.#eventRate = event?.clockRate ?? positionRate;
  }

  get jitterMs(): number {
    return (this.source.jitter * 1000) / this.#clockRate;
  }

  receive(packet: Buffer, length: number, now: number): void {
    const header = this.#header;
    if (!readRtp(packet, length, header)) return this.dropped.add("malformed");
    const used = this.#uses[header.payloadType];
    // A stranger to the negotiation may not make us change the source; of the known source it only counts.
    if (used === use.none && (!this.source.started || header.ssrc !== this.source.ssrc))
      return this.dropped.add("payloadType");
    const lost = this.source.receive(header.ssrc, header.sequence, now);
    if (lost < arrival.started) {
      if (lost === arrival.late) this.meter.cameTooLate();
      return this.dropped.add(dropCause[lost] ?? "sequence");
    }
    if (lost === arrival.started) this.meter.restart();
    this.meter.arrived(lost);
    this.packetsReceived++;
    this.bytesReceived += length;
    this.mediaAt = now;
    if (lost === arrival.started) {
      this.#way.interrupt();
      this.#pendingLost = 0;
    } else this.#pendingLost += lost;
    if (used === use.audio) this.#receiveAudio(packet, now);
    else if (used === use.event) this.#receiveEvent(packet, now);
    else this.dropped.add("payloadType");
  }

  #receiveAudio(packet: Buffer, now: number): void {
    const header = this.#header;
    this.source.measureJitter(header.timestamp, now, this.#clockRate);
    const outcome = this.#way.receive(packet, header, this.#pendingLost, now);
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
