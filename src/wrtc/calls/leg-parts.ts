import type { AgentLegUser } from "../../b2bua/index.ts";
import type { Clock, Logger, Random } from "../../core/index.ts";
import type { ClientLine } from "../contract.ts";
import type { Attached } from "./attached.ts";
import type { TransportMarks } from "./client-sdp.ts";

/** What legs need of their surroundings. */
export interface WrtcLegOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** A client that rings and cannot be reached is given up after so long, ms. */
  readonly reachPatienceMs: number;
}

/** What a leg is made with. */
export interface WrtcLegParts {
  readonly line: ClientLine;
  readonly user: AgentLegUser;
  /** The other party, fit for a URL. */
  readonly peer: string;
  /** What the client attached to this call so far. */
  readonly attached: Attached;
  /** Our session number in ROAP's ids, and the one of the session's first leg. */
  readonly number: number;
  readonly firstNumber: number;
  /** Once, when the leg is over; `told`: of what the client offers until it has read our BYE, undefined when it ended it. */
  readonly onOver: (told?: TransportMarks) => void;
}
