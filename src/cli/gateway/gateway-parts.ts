import type { MediaPool } from "../../media/index.ts";
import type { TraceStore } from "../../trace/index.ts";
import type { HepCopy } from "./hep.ts";
import type { LiveConfig } from "./live-config.ts";
import type { Signalling } from "./signalling.ts";
import type { SipSocket } from "./sip-socket.ts";
import type { GatewaySurroundings } from "./surroundings.ts";

/** What is there before anything is reached by HTTP. */
export interface GatewayParts {
  readonly live: LiveConfig;
  readonly surroundings: GatewaySurroundings;
  readonly media: MediaPool;
  readonly sip: SipSocket;
  readonly signalling: Signalling;
  /** The ladders of the last calls; undefined: off, or nobody could read them. */
  readonly traces: TraceStore | undefined;
  /** SIP copied to Homer; undefined: off. */
  readonly hep: HepCopy | undefined;
}
