import type { Clock, Logger, Random, RootLogger } from "../../core/index.ts";
import type { NameResolver } from "../../registrar/index.ts";
import type { ConfigSource } from "./live-config.ts";

/** What the gateway gets from the machine it runs on. */
export interface GatewaySurroundings {
  readonly clock: Clock;
  readonly random: Random;
  /** Its levels can be changed where it has one. */
  readonly log: Logger | RootLogger;
  /** See `LogOutput.lost`. */
  readonly logLinesLost?: () => number;
  /** Looks SIP Server's names up; the system's unless given. */
  readonly resolver?: NameResolver;
  /** Left out: the configuration cannot be reloaded. */
  readonly configuration?: ConfigSource;
  /** Folder of the built pages. */
  readonly pageDirectory: string;
}
