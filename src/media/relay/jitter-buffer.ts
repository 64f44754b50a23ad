import { maxRtpLength, readUint32, timestampDistance } from "../rtp/packet.ts";
import { positionRate } from "../rtp/send-line.ts";
import { frameSamples } from "./frame-sink.ts";
import { JitterDelay } from "./jitter-delay.ts";
import { after, distance, type Deliver, type PacketOrder } from "./reorder.ts";

const samplesPerMs = positionRate / 1000;
const frameMs = frameSamples / samplesPerMs;
/** Packets kept at most: more than 120 ms of 10 ms packets. */
const slotCount = 16;
/** Frames made up in a row while nothing is there to be played. */
const longestUnderrun = 5;
/** A hole longer than this is a pause: it is not made up, ms. */
const longestHoleMs = 120;
/** What waits longer than this after a stall of ours has lost its time, ms. */
const longestDelayMs = 200;
/** Timestamps so far off the time passed are a clock of its own from there on, ms. */
const jumpMs = 2000;
/** Packets and made-up frames in one tick at most: a guard, not a limit that is met. */
const mostSteps = 2 * slotCount;

/** Where packets are played: the way to the line. Samples are at 8 kHz. */
export interface Stage {
  /** Samples put on the line so far. */
  readonly position: number;
  /** Samples of the last packet played; 0 if it could not be. */
  readonly lastSamples: number;
  /** Whether what is missing may be made up: audio is decoded here, and no key is down. */
  readonly makesUp: boolean;
  /** Whether the source is silent by DTX: nothing is missing then. */
  readonly silent: boolean;
  /** Makes up a frame; or `samples` from the packet that comes so much later, if that brings just so many. */
  makeUp(now: number, next?: Buffer, length?: number, samples?: number): void;
  /** From the next pause on audio stands so many samples later than its source's timestamps say. */
  setDelay(samples: number): void;
}

interface Slot {
  readonly packet: Buffer;
  length: number;
  sequence: number;
  /** By the source's clock. */
  sourceMs: number;
  arrivedAt: number;
  audio: boolean;
  used: boolean;
}

/**
 * Plays packets at an even pace, a frame each tick of 20 ms, for far ends that cannot cope with jitter. The delay
 * follows the jitter: it grows by a frame made up whenever nothing is there in time, and shrinks in pauses. What is
 * missing is made up, or recovered from the packet after it, when its time has come.
 */
export class JitterBuffer implements PacketOrder {
  reordered = 0;
  readonly #stage: Stage;
  readonly #deliver: Deliver;
  readonly #onLate: (lost: number) => void;
  readonly #delay = new JitterDelay();
  readonly #slots: readonly Slot[];
  #clockRate: number = positionRate;
  #waiting = 0;
  #next = 0;
  #started = false;
  #timestamp = 0;
  #sourceMs = 0;
  #playing = false;
  #caughtUp = true;
  /** Source's time at the end of what was played. */
  #playedMs = 0;
  /** Up to where the line must have come. */
  #wanted = 0;
  /** Frames made up because nothing was there; they stand for lost ones if such turn out. */
  #madeUp = 0;
  /** First delay, against which the line's is measured: our time less the source's. */
  #firstOffset: number | undefined;
  /** Our time less the source's at which the last packet was played. */
  #offset = 0;

  /** `onLate` is told of each packet thrown away because its time has passed, and how many are missing before it. */
  constructor(stage: Stage, deliver: Deliver, onLate: (lost: number) => void) {
    this.#stage = stage;
    this.#deliver = deliver;
    this.#onLate = onLate;
    this.#slots = Array.from({ length: slotCount }, () => ({
      packet: Buffer.allocUnsafeSlow(maxRtpLength),
      length: 0,
      sequence: 0,
      sourceMs: 0,
      arrivedAt: 0,
      audio: false,
      used: false,
    }));
  }

  get holding(): boolean {
    return this.#playing;
  }

  /** How long packets are kept at present, ms. */
  get delayMs(): number {
    return this.#playing ? Math.max(0, this.#offset - this.#delay.baseMs) : this.#delay.targetMs;
  }

  setClockRate(clockRate: number): void {
    this.#clockRate = clockRate;
    this.#forgetClock();
  }

  start(sequence: number): void {
    this.#next = sequence;
    this.#forgetClock();
  }

  passes(): boolean {
    return false;
  }

  take(packet: Buffer, length: number, sequence: number, now: number, audio: boolean): boolean {
    const sourceMs = this.#unwrap(readUint32(packet, 4), now);
    if (audio) this.#delay.take(now - sourceMs, now);
    if (distance(sequence, this.#next) < 0) return false;
    const last = this.#last();
    if (last && after(last.sequence, sequence)) this.reordered++;
    if (this.#waiting === slotCount) this.#playFirst(now);
    const slot = this.#slots.find(({ used }) => !used);
    if (!slot) return false;
    packet.copy(slot.packet, 0, 0, length);
    slot.length = length;
    slot.sequence = sequence;
    slot.sourceMs = sourceMs;
    slot.arrivedAt = now;
    slot.audio = audio;
    slot.used = true;
    this.#waiting++;
    return true;
  }

  tick(now: number, caughtUp: boolean): void {
    this.#caughtUp = caughtUp;
    this.#skipStale(now);
    if (!this.#playing) this.#begin(now);
    else {
      this.#wanted += frameSamples;
      for (let step = 0; step < mostSteps && this.#playing && this.#stage.position < this.#wanted; step++)
        this.#goOn(now);
    }
  }

  release(now: number): void {
    while (this.#waiting > 0) this.#playFirst(now);
    this.#playing = false;
  }

  clear(): void {
    for (const slot of this.#slots) slot.used = false;
    this.#waiting = 0;
    this.#forgetClock();
  }

  /** The source's clock begins anew; what is known of the path's jitter stays. */
  #forgetClock(): void {
    this.#started = false;
    this.#playing = false;
    this.#firstOffset = undefined;
    this.#delay.restart();
  }

  /** Source's time of a timestamp, ms; any beginning will do. */
  #unwrap(timestamp: number, now: number): number {
    const passed = (timestampDistance(timestamp, this.#timestamp) * 1000) / this.#clockRate;
    if (this.#started && Math.abs(now - this.#delay.baseMs - this.#sourceMs - passed) > jumpMs)
      this.#forgetClock();
    this.#sourceMs = this.#started ? this.#sourceMs + passed : now;
    this.#started = true;
    this.#timestamp = timestamp;
    return this.#sourceMs;
  }

  /** Begins to play when what waits has been kept long enough; key presses wait for nothing but their order. */
  #begin(now: number): void {
    for (let first = this.#first(); first; first = this.#first()) {
      const due = first.sourceMs + this.#delay.baseMs + this.#delay.targetMs;
      if (first.audio ? now < due : now < due && first.sequence !== this.#next) return;
      this.#madeUp = 0;
      if (!first.audio) {
        this.#playFirst(now);
        continue;
      }
      const offset = now - first.sourceMs;
      this.#firstOffset ??= offset;
      const later = Math.round((offset - this.#firstOffset) / frameMs) * frameSamples;
      this.#stage.setDelay(Math.max(0, later));
      this.#playing = true;
      this.#playFirst(now);
      this.#wanted = this.#stage.position;
      return;
    }
  }

  /** Plays the next thing: a packet, what stands for a missing one, or nothing because this is a pause. */
  #goOn(now: number): void {
    const first = this.#first();
    if (!first) return this.#underrun(now);
    const lost = distance(first.sequence, this.#next);
    if (lost > 0 && this.#madeUp > 0) {
      // It was not late but lost: what was made up stands in its place.
      this.#playedMs = Math.min(first.sourceMs, this.#playedMs + this.#madeUp * frameMs);
    }
    this.#madeUp = 0;
    const hole = first.sourceMs - this.#playedMs;
    if (!first.audio || hole < frameMs / 2) this.#playFirst(now);
    else if (lost === 0 || hole > longestHoleMs || !this.#stage.makesUp) this.#playing = false;
    else {
      const before = this.#stage.position;
      this.#stage.makeUp(now, first.packet, first.length, Math.round(hole * samplesPerMs));
      this.#playedMs += Math.max(frameMs, (this.#stage.position - before) / samplesPerMs);
    }
    // A key is down, or a pause: what comes next begins by its own time.
    if (!first.audio) this.#playing = false;
    if (!this.#playing) this.#begin(now);
  }

  /** Nothing is there: the line goes on, and the delay has grown if it comes yet. */
  #underrun(now: number): void {
    if (!this.#caughtUp) {
      // It may well have come: it is only we who have not read it.
      this.#wanted = this.#stage.position;
      return;
    }
    if (this.#stage.silent || !this.#stage.makesUp || this.#madeUp >= longestUnderrun) {
      this.#playing = false;
      return;
    }
    this.#madeUp++;
    this.#stage.makeUp(now);
  }

  /**
   * What a network or we ourselves held up too long is thrown away, if what came last is in time again. If not, the
   * path has grown longer for good.
   */
  #skipStale(now: number): void {
    const last = this.#last();
    if (last?.audio && last.arrivedAt - last.sourceMs - this.#delay.baseMs > longestDelayMs) {
      this.#delay.restart();
      this.#delay.take(last.arrivedAt - last.sourceMs, now);
    }
    for (let first = this.#first(); first; first = this.#first()) {
      if (!first.audio || now - first.sourceMs - this.#delay.baseMs <= longestDelayMs) return;
      first.used = false;
      this.#waiting--;
      const lost = distance(first.sequence, this.#next);
      this.#next = (first.sequence + 1) & 0xffff;
      this.#playing = false;
      this.#onLate(lost);
    }
  }

  #playFirst(now: number): void {
    const first = this.#first();
    if (!first) return;
    const lost = distance(first.sequence, this.#next);
    first.used = false;
    this.#waiting--;
    this.#next = (first.sequence + 1) & 0xffff;
    this.#deliver(first.packet, first.length, lost, now, now);
    if (!first.audio) return;
    this.#offset = now - first.sourceMs;
    this.#playedMs = first.sourceMs + this.#stage.lastSamples / samplesPerMs;
  }

  #first(): Slot | undefined {
    let first: Slot | undefined;
    for (const slot of this.#slots)
      if (slot.used && (!first || after(first.sequence, slot.sequence))) first = slot;
    return first;
  }

  #last(): Slot | undefined {
    let last: Slot | undefined;
    for (const slot of this.#slots)
      if (slot.used && (!last || after(slot.sequence, last.sequence))) last = slot;
    return last;
  }
}
