import type { Clock } from "../../core/index.ts";
import type { MediaStatistics, Side } from "../../media/index.ts";

/** A side from which nothing came for this long is silent, ms; counters come every 5 s. */
const silenceMs = 20_000;

/** Whether sound still comes from a side of a call, by the counters the media session tells every few seconds. */
export class MediaWatch {
  readonly #clock: Clock;
  readonly #sides: Record<Side, { packets: number; heardAt: number | undefined }> = {
    browser: { packets: 0, heardAt: undefined },
    trunk: { packets: 0, heardAt: undefined },
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(statistics: MediaStatistics): void {
    for (const side of ["browser", "trunk"] as const) {
      const { packetsReceived } = statistics[side];
      if (packetsReceived > this.#sides[side].packets) this.#sides[side].heardAt = this.#clock.now();
      this.#sides[side].packets = packetsReceived;
    }
  }

  flows(side: Side): boolean {
    const { heardAt } = this.#sides[side];
    return heardAt !== undefined && this.#clock.now() - heardAt < silenceMs;
  }
}
