import type { EventStep } from "./event-receiver.ts";
import { positionRate } from "../rtp/send-line.ts";
import { codeOf, longestSegment, type TelephoneEvent } from "./event.ts";

/** The end of an event is sent this many times, since losing it would leave the tone on (RFC 4733 2.5.1.4). */
const endPackets = 3;
/** Silence between two digits of ours, ms; below 40 ms receivers may take two for one (ITU-T Q.24). */
const pauseMs = 60;
/** A relayed event of which nothing is heard for so long is taken for ended, ms (RFC 4733 2.5.2.2). */
const abandonedMs = 200;
/** Power of digits of ours, -dBm0. */
const volume = 10;
/** Range and default of a digit's length, ms. */
const shortestMs = 40;
const longestMs = 6000;
const defaultDigitMs = 100;
/** Digits that may wait: more than any number with its pin and account. */
const longestQueue = 128;

/** What the sender needs of the line it sends on. */
export interface EventLine {
  /** Ends what audio is half collected and says at which position an event starting now begins. */
  beginEvent(now: number): number;
  sendEvent(event: Readonly<TelephoneEvent>, marker: boolean, position: number, now: number): void;
  /** Audio goes on at `position` or later. */
  endEvent(position: number): void;
}

/**
 * Sends telephone-events toward one side, one at a time: such as come in from the other side, as they come,
 * and digits of ours, paced by the worker's tick. Durations here are positions (8 kHz samples).
 */
export class EventSender {
  readonly #line: EventLine;
  readonly #event: TelephoneEvent = { code: 0, end: false, volume, duration: 0 };
  readonly #queue: { readonly code: number; readonly samples: number }[] = [];
  #clockRate: number = positionRate;
  #running: "no" | "relayed" | "own" = "no";
  #marker = false;
  #start = 0;
  #segmentStart = 0;
  #samples = 0;
  #startedAt = 0;
  #heardAt = 0;
  #target = 0;
  #endsLeft = 0;
  #pausedUntil = 0;

  constructor(line: EventLine) {
    this.#line = line;
  }

  /** True while a tone is on: no audio may be sent (RFC 4733 2.5.1.1: the event stands in for it). */
  get running(): boolean {
    return this.#running !== "no";
  }

  /** True while the tick has something to do here. */
  get busy(): boolean {
    return this.#running !== "no" || this.#endsLeft > 0 || this.#queue.length > 0;
  }

  /** Clock rate of the telephone-event payload type toward this side, Hz. */
  setClockRate(clockRate: number): void {
    this.#clockRate = clockRate;
  }

  /**
   * Lines up digits of ours and returns how many found no room. Throws RangeError on a character that is none, before
   * anything is sent.
   */
  send(digits: string, durationMs = defaultDigitMs): number {
    const codes = digitCodes(digits);
    return codes.filter((code) => !this.#enqueue(code, durationMs)).length;
  }

  /** What happens to a key on the other side; `samples` since its press. */
  follow(step: EventStep, event: Readonly<TelephoneEvent>, samples: number, now: number): void {
    if (step === "pressed") this.press(event.code, event.volume, samples, now);
    else if (step === "held") this.hold(samples, now);
    else if (step === "released") this.release(samples, now);
  }

  /** A press on the other side begins. */
  press(code: number, loudness: number, samples: number, now: number): void {
    if (this.#running === "own") {
      // Two tones at once cannot be told; this one waits its turn.
      this.#enqueue(code, defaultDigitMs);
      return;
    }
    if (this.#running === "relayed") this.#finish(now);
    this.#begin("relayed", code, loudness, now);
    this.hold(samples, now);
  }

  /** The press goes on; `samples` since its start. */
  hold(samples: number, now: number): void {
    if (this.#running !== "relayed") return;
    this.#heardAt = now;
    this.#grow(samples, now);
    this.#emit(false, now);
  }

  /** The press is over. */
  release(samples: number, now: number): void {
    if (this.#running !== "relayed") return;
    this.#grow(samples, now);
    this.#finish(now);
  }

  /** Every 20 ms while `busy`; `caughtUp`: all that has come in was read, so silence is the sender's. */
  tick(now: number, caughtUp = true): void {
    if (this.#running === "own") {
      const samples = Math.round(((now - this.#startedAt) * positionRate) / 1000);
      this.#grow(Math.min(samples, this.#target), now);
      if (samples >= this.#target) this.#finish(now);
      else this.#emit(false, now);
    } else if (this.#running === "relayed") {
      if (caughtUp && now - this.#heardAt >= abandonedMs) this.#finish(now);
    } else if (this.#endsLeft > 0) {
      this.#repeatEnd(now);
    } else if (now >= this.#pausedUntil) this.#next(now);
  }

  /** Forgets what is under way and lined up, sending nothing: the side went away or takes no events any more. */
  clear(): void {
    if (this.#running !== "no") this.#line.endEvent(this.#start + this.#samples);
    this.#running = "no";
    this.#endsLeft = 0;
    this.#queue.length = 0;
  }

  #enqueue(code: number, durationMs: number): boolean {
    if (this.#queue.length >= longestQueue) return false;
    const ms = Math.min(longestMs, Math.max(shortestMs, durationMs));
    this.#queue.push({ code, samples: Math.round((ms * positionRate) / 1000) });
    return true;
  }

  #next(now: number): void {
    const digit = this.#queue.shift();
    if (!digit) return;
    this.#begin("own", digit.code, volume, now);
    this.#target = digit.samples;
    this.#grow(positionRate / 50, now);
    this.#emit(false, now);
  }

  #begin(kind: "relayed" | "own", code: number, loudness: number, now: number): void {
    // A quick next key must not cost the last one its copies of the end.
    while (this.#endsLeft > 0) this.#repeatEnd(now);
    // Before the event stands in for the sound: what is collected so far still goes out.
    this.#start = this.#line.beginEvent(now);
    this.#running = kind;
    this.#event.code = code;
    this.#event.volume = loudness;
    this.#segmentStart = this.#start;
    this.#samples = 0;
    this.#startedAt = now;
    this.#heardAt = now;
    this.#marker = true;
  }

  /** Lengthens the event; what its duration field cannot hold goes on in a new segment (RFC 4733 2.5.1.3). */
  #grow(samples: number, now: number): void {
    this.#samples = Math.max(this.#samples, samples);
    const segmentSamples = (longestSegment * positionRate) / this.#clockRate;
    while (this.#start + this.#samples - this.#segmentStart > segmentSamples) {
      this.#event.duration = longestSegment;
      this.#event.end = false;
      this.#line.sendEvent(this.#event, this.#marker, this.#segmentStart, now);
      this.#marker = false;
      this.#segmentStart += segmentSamples;
    }
  }

  #finish(now: number): void {
    this.#emit(true, now);
    this.#running = "no";
    this.#endsLeft = endPackets - 1;
    this.#pausedUntil = now + pauseMs;
    this.#line.endEvent(this.#start + this.#samples);
  }

  #repeatEnd(now: number): void {
    this.#endsLeft--;
    this.#emit(true, now);
  }

  #emit(end: boolean, now: number): void {
    const samples = this.#start + this.#samples - this.#segmentStart;
    this.#event.duration = Math.min(longestSegment, Math.round((samples * this.#clockRate) / positionRate));
    this.#event.end = end;
    this.#line.sendEvent(this.#event, this.#marker, this.#segmentStart, now);
    this.#marker = false;
  }
}

/** Event codes of a string of digits; throws RangeError on a character outside `0-9*#A-D`. */
export function digitCodes(digits: string): number[] {
  return Array.from(digits, (digit) => {
    const code = codeOf(digit);
    if (code === undefined) throw new RangeError(`"${digit}" is no DTMF digit (0-9 * # A-D)`);
    return code;
  });
}
