import type { Side } from "../contract.ts";

/** A side that sends fewer packets in a second is silent: DTX sends 2 to 5, frames of 120 ms are 8. */
const fewestPackets = 8;

/** How much of a call sounds: half for each side that sent sound all through the last interval. */
export class SoundShare {
  /** 0, 0.5 or 1. */
  share = 0;
  readonly #sides: Readonly<Record<Side, { packets: number; heard: boolean }>> = {
    browser: { packets: 0, heard: false },
    trunk: { packets: 0, heard: false },
  };

  /** Once for each interval of the worker's load. `packets`: taken from each side so far. */
  look(packets: Readonly<Record<Side, number>>, elapsedMs: number): void {
    this.share = 0;
    for (const name of ["browser", "trunk"] as const) {
      const side = this.#sides[name];
      const heard = (packets[name] - side.packets) * 1000 >= fewestPackets * elapsedMs;
      // In its first interval it may have begun late: the load does not show all of it yet.
      if (heard && side.heard) this.share += 0.5;
      side.heard = heard;
      side.packets = packets[name];
    }
  }
}
