import type { MediaStep, Side } from "../contract.ts";

/** Steps told of one session, first packets apart: a browser may change its address as often as it likes. */
const maximumSteps = 32;

/** What is told of a session's way up, for traces: some dozen lines at most, never one per packet. */
export class MediaSteps {
  readonly #tell: (step: MediaStep) => void;
  #told = 0;
  /** Whether the first packet from a side, and to it, was told. */
  readonly #heard: Record<Side, boolean> = { browser: false, trunk: false };
  readonly #reached: Record<Side, boolean> = { browser: false, trunk: false };

  constructor(tell: (step: MediaStep) => void) {
    this.#tell = tell;
  }

  tell(step: MediaStep): void {
    if (++this.#told <= maximumSteps) this.#tell(step);
  }

  /** A packet of the side was taken. */
  heard(side: Side): void {
    if (this.#heard[side]) return;
    this.#heard[side] = true;
    this.#tell({ step: "first-packet", side, way: "from" });
  }

  /** A packet to the side was sent, or not. */
  sent(side: Side, sent: boolean): boolean {
    if (!sent || this.#reached[side]) return sent;
    this.#reached[side] = true;
    this.#tell({ step: "first-packet", side, way: "to" });
    return sent;
  }
}
