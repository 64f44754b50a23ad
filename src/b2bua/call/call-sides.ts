import type { Logger } from "../../core/index.ts";
import type { AgentLeg } from "../legs/agent-leg.ts";
import type { TrunkLeg } from "../legs/trunk-leg.ts";
import type { CallMedia } from "../media/call-media.ts";
import type { CallState } from "./call-state.ts";

/** What the parts of a call see of it; asked anew each time, since legs and media come and change. */
export interface CallSides {
  readonly log: Logger;
  state(): CallState;
  media(): CallMedia | undefined;
  agent(): AgentLeg | undefined;
  trunk(): TrunkLeg;
}
