import type { B2bua, CallSummary } from "../../b2bua/index.ts";
import type { MediaPool } from "../../media/index.ts";
import type { AgentRegistrar, PacedTrunkRegistrations } from "../../registrar/index.ts";
import type { HttpServer } from "../../ws/index.ts";
import type { Access } from "../access.ts";
import type { GatewayStatus } from "./contract.ts";

/** What the process itself costs, for samples. */
export interface ProcessLoad {
  /** CPU time the main thread has used so far, ms. */
  cpuMs(): number;
  /** How late the event loop came at worst since it was asked before, ms: the 99th percentile. */
  lateMs(): number;
}

/** What the status is read from, through the doors of the rooms. Each is asked at most once a second. */
export interface StatusSources {
  readonly gateway: () => GatewayStatus;
  readonly registrar: Pick<AgentRegistrar, "list">;
  readonly trunk: Pick<PacedTrunkRegistrations, "status" | "serverOf" | "servers">;
  readonly calls: { calls(): readonly CallSummary[]; readonly setUps: number };
  readonly media: Pick<MediaPool, "workers">;
  /** Media workers there should be, and how many calls each takes; 0: as many as it can. */
  readonly workers: number;
  readonly callLimit: number;
  readonly load: ProcessLoad;
}

/** Where failures are heard of. */
export interface FailureSources {
  readonly calls: Pick<B2bua, "events">;
  readonly trunk: Pick<PacedTrunkRegistrations, "events" | "pool">;
  readonly registrar: Pick<AgentRegistrar, "events">;
  readonly media: Pick<MediaPool, "events">;
  readonly http: Pick<HttpServer, "events">;
  readonly login: Pick<Access, "events">;
}
