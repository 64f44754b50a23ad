import type { Clock } from "../../core/index.ts";
import type { MediaStatistics, Side } from "../../media/index.ts";

/** A side from which nothing came for this long is silent, ms; counters come every 5 s. */
const silenceMs = 20_000;

/** Whether sound still comes from a side of a call, by the counters the media session tells every few seconds. */
export class MediaWatch {
  readonly #clock: Clock;
  readonly #quiet: () => boolean;
  #toldAt: number | undefined;
  /** SIP Server's side sent, or had no need to. */
  #trunkSoundAt: number | undefined;
  readonly #sides: Record<Side, { packets: number; heardAt: number | undefined }> = {
    browser: { packets: 0, heardAt: undefined },
    trunk: { packets: 0, heardAt: undefined },
  };

  /** `quiet`: nothing need come from SIP Server's side at the moment, see `CallMedia.quiet`. */
  constructor(clock: Clock, quiet: () => boolean) {
    this.#clock = clock;
    this.#quiet = quiet;
  }

  note(statistics: MediaStatistics): void {
    // A side that was found silent before the hold is not excused by it.
    const excused = this.#quiet() && (this.#trunkSoundAt === undefined || !this.trunkSilent);
    for (const side of ["browser", "trunk"] as const) {
      const { packetsReceived } = statistics[side];
      if (packetsReceived > this.#sides[side].packets) this.#sides[side].heardAt = this.#clock.now();
      this.#sides[side].packets = packetsReceived;
    }
    this.#toldAt = this.#clock.now();
    if (excused || this.flows("trunk"))
      this.#trunkSoundAt = excused ? this.#toldAt : this.#sides.trunk.heardAt;
  }

  /** Sound should come from SIP Server's side and does not. While no counters come, the page being away, that is not known. */
  get trunkSilent(): boolean {
    const now = this.#clock.now();
    if (this.#toldAt !== undefined && now - this.#toldAt >= silenceMs) return false;
    return this.#trunkSoundAt === undefined || now - this.#trunkSoundAt >= silenceMs;
  }

  flows(side: Side): boolean {
    const { heardAt } = this.#sides[side];
    return heardAt !== undefined && this.#clock.now() - heardAt < silenceMs;
  }
}
