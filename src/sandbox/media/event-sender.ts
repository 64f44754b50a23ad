import { eventPayload } from "./rtp.ts";
import { frameSamples } from "./sound.ts";

/** Frames of silence before the first digit, and between two. */
const leadFrames = 25;
const pauseFrames = 4;
/** Frames a key is down: 100 ms; the end is told three times (RFC 4733 2.5.1.4). */
const downFrames = 5;
const endFrames = 3;

/** Frame by frame, the event packets of a row of digits. */
export class EventSender {
  readonly #digits: string;
  #frame = -leadFrames;
  #start = 0;

  constructor(digits: string) {
    this.#digits = digits;
  }

  /** The event packet of the next 20 ms; undefined where silence is due. */
  next(timestamp: number): { payload: Buffer; timestamp: number; first: boolean } | undefined {
    const frame = this.#frame++;
    const cycle = downFrames + endFrames + pauseFrames;
    const digit = frame < 0 ? undefined : this.#digits[Math.floor(frame / cycle)];
    const within = frame % cycle;
    if (digit === undefined || within >= downFrames + endFrames) return undefined;
    if (within === 0) this.#start = timestamp;
    const duration = Math.min(within + 1, downFrames) * frameSamples;
    const payload = eventPayload(digit, within >= downFrames, duration);
    return { payload, timestamp: this.#start, first: within === 0 };
  }
}
