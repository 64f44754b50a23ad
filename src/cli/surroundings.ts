import type { Clock, Logger, Random } from "../core/index.ts";

/** What the gateway gets from the machine it runs on. */
export interface GatewaySurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Folder of the built pages. */
  readonly pageDirectory: string;
}
