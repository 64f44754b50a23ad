import { timestampDistance, type RtpHeader } from "../rtp/packet.ts";
import { positionRate } from "../rtp/send-line.ts";
import { frameSamples } from "./frame-sink.ts";
import type { Outbound } from "./outbound.ts";
import type { SourceReader } from "./source-reader.ts";

const samplesPerMs = positionRate / 1000;
/** A longer loss is left as a gap: a guess that long is noise. 120 ms. */
const longestCover = 120 * samplesPerMs;
/** A gap of the source's timestamps that differs so much from the time passed is a jump, not a pause. 1 s. */
const jumpTolerance = 1000 * samplesPerMs;
/** Audio found overtaken by filled silence by no more than this is put behind it rather than thrown away. 60 ms. */
const longestShift = 60 * samplesPerMs;
/** Packets closer together than this come out of a queue somewhere, all late together. */
const burstSpacingMs = 10;

/** What became of a packet. */
export type WayOutcome = "passed" | "shut" | "malformed" | "late";

/**
 * The way of the audio from one side to the line of the other. Maps the source's timestamps to positions of
 * the line: what joins stays joined, losses are covered, pauses show as gaps; on a new source or a jump of
 * its timestamps the line goes on by the time that passed.
 */
export class Way {
  framesConcealed = 0;
  framesRecovered = 0;
  readonly #out: Outbound;
  #reader: SourceReader | undefined;
  #running = false;
  /** Source timestamp at the end of the last packet, and the position that belongs to it. */
  #sourceEnd = 0;
  #sourcePosition = 0;
  /** How far audio stands behind its true position, until the next pause. */
  #shift = 0;
  #receivedAt = 0;
  #overtaken = false;

  constructor(out: Outbound) {
    this.#out = out;
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
    if (!reader || !out.open) {
      this.#running = false;
      return "shut";
    }
    const samples = reader.samples(packet, header);
    if (samples === 0) return "malformed";
    let target = this.#running ? this.#place(reader, packet, header, lost, now) : this.#placeFirst(now);
    const burst = now - this.#receivedAt < burstSpacingMs;
    this.#running = true;
    this.#receivedAt = now;
    this.#sourceEnd = (header.timestamp + samples * reader.ticksPerSample) >>> 0;
    if (out.position - target > longestShift) {
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
    out.anchor(target, now);
    return reader.read(packet, header, samples, out, now) ? "passed" : "malformed";
  }

  /** Position of the first packet of a source: right behind what was sent, or after the time that passed. */
  #placeFirst(now: number): number {
    this.#shift = 0;
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
    const target = this.#sourcePosition + gap;
    const missing = target + this.#shift - out.position;
    if (lost > 0 && missing > 0 && missing <= longestCover && !out.events.running) {
      const counts = reader.cover(missing, lost, packet, header, out, now);
      this.framesConcealed += counts.framesConcealed;
      this.framesRecovered += counts.framesRecovered;
    } else if (lost === 0) this.#shift = 0; // a pause: audio goes back to its true place
    return target;
  }
}
