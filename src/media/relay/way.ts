import type { DriftMeter } from "../rtp/drift.ts";
import { emptyRtpHeader, readRtp, timestampDistance, type RtpHeader } from "../rtp/packet.ts";
import { positionRate } from "../rtp/send-line.ts";
import { frameSamples } from "./frame-sink.ts";
import type { Outbound } from "./outbound.ts";
import type { Stage } from "./jitter-buffer.ts";
import { Splice } from "./splice.ts";
import type { SourceReader } from "./source-reader.ts";

const samplesPerMs = positionRate / 1000;
/** A longer loss is left as a gap: a guess that long is noise. 120 ms. */
const longestCover = 120 * samplesPerMs;
/** A gap of the source's timestamps that differs so much from the time passed is a jump, not a pause. 1 s. */
const jumpTolerance = 1000 * samplesPerMs;
/** Audio found overtaken by filled silence by no more than this is put behind it rather than thrown away. 60 ms. */
const longestShift = 60 * samplesPerMs;
/** A jitter buffer may delay by more. 200 ms. */
const longestBufferedShift = 200 * samplesPerMs;
/** While the source is silent by DTX its noise stands so far behind the time at which audio would be due. 20 ms. */
const comfortLag = frameSamples;
/** How long a source silent by DTX may send nothing, ms: browsers send a sign of life every 400. */
const longestComfortMs = 2000;
/** Packets closer together than this come out of a queue somewhere, all late together. */
const burstSpacingMs = 10;

/** What became of a packet. */
export type WayOutcome = "passed" | "shut" | "malformed" | "late";

/**
 * The way of the audio from one side to the line of the other. Maps the source's timestamps to positions of
 * the line: what joins stays joined, losses are covered, pauses show as gaps; on a new source or a jump of
 * its timestamps the line goes on by the time that passed.
 */
export class Way implements Stage {
  /** Samples of the last packet received; 0 if it was not read. */
  lastSamples = 0;
  framesConcealed = 0;
  framesRecovered = 0;
  /** Frames taken out or put in because the source's clock is not ours. */
  driftCorrections = 0;
  readonly #out: Outbound;
  readonly #drift: DriftMeter;
  #reader: SourceReader | undefined;
  #running = false;
  /** Source timestamp at the end of the last packet, and the position that belongs to it. */
  #sourceEnd = 0;
  #sourcePosition = 0;
  /** How far audio stands behind its true position, until the next pause. */
  #shift = 0;
  #receivedAt = 0;
  #overtaken = false;
  /** The last packet said that the source leaves its noise to us. */
  #silent = false;
  readonly #buffered: boolean;
  readonly #longestShift: number;
  readonly #nextHeader = emptyRtpHeader();
  #delay = 0;
  /** Delay there was when the line began. */
  #firstDelay = 0;
  /** Samples by which the line has followed our clock rather than the source's: taken out less put in. */
  #corrected = 0;
  #splice: Splice | undefined;

  /** With `buffered` packets come at an even pace, from a jitter buffer that tells its delay. */
  constructor(out: Outbound, drift: DriftMeter, buffered: boolean) {
    this.#out = out;
    this.#drift = drift;
    this.#buffered = buffered;
    this.#longestShift = buffered ? longestBufferedShift : longestShift;
  }

  get position(): number {
    return this.#out.position;
  }

  get silent(): boolean {
    return this.#running && this.#silent;
  }

  get makesUp(): boolean {
    const out = this.#out;
    return this.#running && (this.#reader?.cuttable ?? false) && out.open && !out.events.running;
  }

  /** The jitter buffer's delay, in samples; counts from the next pause on. */
  setDelay(samples: number): void {
    this.#delay = samples;
  }

  /** Makes up a frame of the source's; `samples` of it from `next`, if that brings just so many. */
  makeUp(now: number, next?: Buffer, length = 0, samples = 0): void {
    const reader = this.#reader;
    if (!reader || !this.makesUp) return;
    this.#splice?.reset();
    if (
      next &&
      readRtp(next, length, this.#nextHeader) &&
      reader.recoverable(next, this.#nextHeader) === samples
    )
      return this.#cover(reader, samples, 1, next, this.#nextHeader, now);
    reader.goOn(frameSamples, this.#out, now);
    this.framesConcealed++;
  }

  /** Takes another codec's reader; the former one is freed. */
  setReader(reader: SourceReader | undefined): void {
    this.#reader?.close();
    this.#reader = reader;
    this.#running = false;
  }

  /** The next packet does not continue what came before: another source, or the way was shut. */
  interrupt(): void {
    this.#running = false;
  }

  /** Relays one audio packet; `lost` packets are missing before it. */
  receive(packet: Buffer, header: RtpHeader, lost: number, now: number): WayOutcome {
    const reader = this.#reader;
    const out = this.#out;
    this.lastSamples = 0;
    if (!reader || !out.open) {
      this.#running = false;
      return "shut";
    }
    const samples = reader.samples(packet, header);
    if (samples === 0) return "malformed";
    this.lastSamples = samples;
    let target = this.#running ? this.#place(reader, packet, header, lost, now) : this.#placeFirst(now);
    const burst = now - this.#receivedAt < burstSpacingMs;
    this.#running = true;
    this.#receivedAt = now;
    this.#sourceEnd = (header.timestamp + samples * reader.ticksPerSample) >>> 0;
    this.#silent = reader.fallsSilent(header);
    if (out.position - target > this.#longestShift) {
      // Silence has taken this packet's place. Out of a burst it is thrown away: its time has passed, and it
      // would delay all that follows. At the pace of speech the path has grown longer for good: go on from here.
      if (!this.#overtaken || burst) {
        this.#overtaken = true;
        this.#sourcePosition = target + samples;
        return "late";
      }
      target = out.position;
    }
    this.#overtaken = false;
    this.#sourcePosition = target + samples;
    out.skipTo(target + this.#shift, now);
    this.#shift = Math.max(0, out.position - target);
    out.anchor(this.#buffered ? out.position : target, now);
    const owed = this.#owed;
    const whole =
      (owed > -frameSamples && owed < frameSamples && !this.#splice) || !reader.cuttable
        ? reader.read(packet, header, samples, out, now)
        : this.#readCorrected(reader, packet, header, samples, now);
    return whole ? "passed" : "malformed";
  }

  /** Every 20 ms: a source silent by DTX is heard to be there, frame by frame. */
  tick(now: number): void {
    const reader = this.#reader;
    const out = this.#out;
    if (!this.#silent || !this.#running || !reader || !out.open || out.events.running) return;
    if (now - this.#receivedAt > longestComfortMs) this.#silent = false;
    // After a stall of ours the frames missed are left out.
    const due = out.wall(now) - (this.#buffered ? 0 : comfortLag);
    if (due - out.position > longestShift) return;
    for (let left = due - out.position; left >= 0; left -= frameSamples) reader.goOn(frameSamples, out, now);
  }

  /** Samples that the line stands ahead of our clock because the source's runs faster; negative: behind. */
  get #owed(): number {
    return this.#drift.aheadMs * samplesPerMs - this.#corrected;
  }

  /** Reads a packet while a correction is owed: made where it is quiet, anywhere once it is two frames. */
  #readCorrected(
    reader: SourceReader,
    packet: Buffer,
    header: RtpHeader,
    samples: number,
    now: number,
  ): boolean {
    const splice = (this.#splice ??= new Splice());
    const out = this.#out;
    const owed = this.#owed;
    splice.begin(samples);
    if (!reader.read(packet, header, samples, splice, now)) return false;
    let moved = 0;
    if (Math.abs(owed) < frameSamples) splice.keep(out, now);
    else if (!splice.quiet() && Math.abs(owed) < 2 * frameSamples) splice.keep(out, now);
    else if (owed > 0) moved = -splice.drop(out, now);
    else moved = splice.insert(out, now);
    this.#move(moved);
    if (Math.abs(this.#owed) < frameSamples && !splice.unfinished) this.#splice = undefined;
    return true;
  }

  /** The line goes on by so many samples more than the source's timestamps. */
  #move(samples: number): void {
    if (samples === 0) return;
    this.#sourcePosition += samples;
    this.#corrected -= samples;
    this.driftCorrections++;
  }

  /** A pause of `gap` samples is the best place to become longer or shorter. */
  #correctInPause(gap: number): void {
    const owed = this.#owed;
    if (owed <= -frameSamples) this.#move(frameSamples);
    else if (owed >= frameSamples && this.#sourcePosition + gap - frameSamples >= this.#out.position)
      this.#move(-frameSamples);
  }

  /** Position of the first packet of a source: right behind what was sent, or after the time that passed. */
  #placeFirst(now: number): number {
    this.#shift = 0;
    this.#firstDelay = this.#delay;
    this.#corrected = Math.round(this.#drift.aheadMs * samplesPerMs);
    this.#splice = undefined;
    const passed = this.#out.wall(now);
    // Within a frame it is jitter: join.
    if (passed - this.#out.position >= frameSamples) this.#out.skipTo(passed, now);
    return this.#out.position;
  }

  /** Position of a packet of the source under way, what was lost before it covered. */
  #place(reader: SourceReader, packet: Buffer, header: RtpHeader, lost: number, now: number): number {
    const out = this.#out;
    const gap = Math.round(timestampDistance(header.timestamp, this.#sourceEnd) / reader.ticksPerSample);
    if (gap === 0) return this.#sourcePosition;
    if (gap < 0 || Math.abs(gap - (now - this.#receivedAt) * samplesPerMs) > jumpTolerance)
      return this.#placeFirst(now);
    // What was to be blended with this packet does not join it any more.
    this.#splice?.reset();
    if (lost === 0 && gap >= frameSamples) this.#correctInPause(gap);
    const target = this.#sourcePosition + gap;
    // A pause: audio goes back to its true place.
    if (lost === 0) this.#shift = Math.max(0, this.#delay - this.#firstDelay);
    const end = target + this.#shift;
    if (out.events.running || end <= out.position) return target;
    if (lost === 0) this.#meet(reader, end, now);
    else if (end - out.position <= longestCover)
      this.#cover(reader, end - out.position, lost, packet, header, now);
    else {
      // Too long to guess, but what the packet itself brings of it is no guess.
      const known = reader.recoverable(packet, header);
      this.#meet(reader, end - known, now);
      if (known > 0 && end - out.position >= known) {
        out.skipTo(end - known, now);
        this.#cover(reader, known, 1, packet, header, now);
      }
    }
    return target;
  }

  /** Puts the last of the noise between a silence by DTX and the packet that ends it. */
  #meet(reader: SourceReader, end: number, now: number): void {
    const out = this.#out;
    if (!this.#silent || end - out.position > longestShift) return;
    // A remainder below the 2.5 ms that libopus makes, which no honest timestamps leave, stays a gap.
    for (let left = end - out.position; left >= 20; left -= frameSamples)
      reader.goOn(Math.min(frameSamples, Math.floor(left / 20) * 20), out, now);
  }

  #cover(
    reader: SourceReader,
    samples: number,
    packets: number,
    packet: Buffer,
    header: RtpHeader,
    now: number,
  ): void {
    const counts = reader.cover(samples, packets, packet, header, this.#out, now);
    this.framesConcealed += counts.framesConcealed;
    this.framesRecovered += counts.framesRecovered;
  }
}
