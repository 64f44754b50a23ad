import { timestampDistance } from "../rtp/packet.ts";
import { longestSegment, type TelephoneEvent } from "./event.ts";

/** What a received event packet means: a key pressed, still down, let go, or a repeat to be ignored. */
export type EventStep = "pressed" | "held" | "released" | "repeat";

/** How far the start of a long event's next segment may be off the end of the last one, RTP clock units. */
const segmentTolerance = 4800;

/**
 * Tells key presses from the packets of events of one side, by SSRC and timestamp rather than the marker bit,
 * which is lost with its packet (RFC 4733 2.5.2.2). An event longer than its duration field goes on in
 * segments with timestamps of their own (RFC 4733 2.5.1.3) and stays one press.
 */
export class EventReceiver {
  #known = false;
  #ssrc = 0;
  #timestamp = 0;
  #code = 0;
  #segment = 0;
  #before = 0;
  #released = true;

  /** Duration of the press so far, over all segments, in RTP clock units. */
  get duration(): number {
    return this.#before + this.#segment;
  }

  /** Takes a packet; a press first heard of by its end packet is `pressed`, and `released` by the next call. */
  receive(ssrc: number, timestamp: number, event: Readonly<TelephoneEvent>): EventStep {
    if (this.#known && ssrc === this.#ssrc && timestamp === this.#timestamp) return this.#sameSegment(event);
    if (this.#continues(ssrc, timestamp, event)) {
      this.#before += timestampDistance(timestamp, this.#timestamp);
      this.#timestamp = timestamp;
      this.#segment = event.duration;
      this.#released = event.end;
      return event.end ? "released" : "held";
    }
    this.#known = true;
    this.#ssrc = ssrc;
    this.#timestamp = timestamp;
    this.#code = event.code;
    this.#before = 0;
    this.#segment = event.duration;
    this.#released = false;
    return "pressed";
  }

  #sameSegment(event: Readonly<TelephoneEvent>): EventStep {
    if (this.#released) return "repeat";
    this.#segment = Math.max(this.#segment, event.duration);
    this.#released = event.end;
    return event.end ? "released" : "held";
  }

  #continues(ssrc: number, timestamp: number, event: Readonly<TelephoneEvent>): boolean {
    if (!this.#known || this.#released || ssrc !== this.#ssrc || event.code !== this.#code) return false;
    const passed = timestampDistance(timestamp, this.#timestamp);
    // Right where a segment ends nothing else begins, though the packets that told how long it had grown were lost.
    if (passed === longestSegment) return true;
    return (
      Math.abs(passed - longestSegment) <= segmentTolerance &&
      this.#segment >= longestSegment - segmentTolerance
    );
  }
}
