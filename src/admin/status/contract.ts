import type { LogLevel, LogRoom } from "../../core/index.ts";

/** A level in force; room null: of all rooms that have none of their own. */
export interface LogLevelStatus {
  readonly level: LogLevel;
  readonly room: LogRoom | null;
  /** When it goes back to what it was; null: it stays. */
  readonly until: string | null;
}

/** What `GET /api/drain` tells: how far the gateway has run empty. */
export interface DrainStatus {
  readonly state: "serving" | "draining" | "closing" | "closed";
  /** That run. */
  readonly calls: number;
  /** Clients connected and signed in. */
  readonly pages: number;
  /** In service at SIP Server. */
  readonly dns: number;
  /** Until running calls are ended and the gateway closes; null: never. */
  readonly seconds_left: number | null;
}

/** What `GET /api/events` and `GET /api/history` tell, as it stands in their JSON (docs/admin-api.md). Times are ISO 8601 UTC. */
export interface GatewayStatus {
  readonly version: string;
  readonly since: string;
  readonly draining: boolean;
  /** Null while the gateway serves. */
  readonly drain: DrainStatus | null;
  /** The general one. */
  readonly log_level: LogLevel;
  /** The general one first, then those of rooms. */
  readonly log_levels: readonly LogLevelStatus[];
  /** Null without TLS. */
  readonly certificate: {
    readonly subject: string;
    readonly expires_at: string;
    readonly days_left: number;
  } | null;
  /** Whether traces are kept, and captures may be started. */
  readonly traces: boolean;
  readonly captures: boolean;
}

export interface AgentStatus {
  /** Of the signed-in client; opaque. */
  readonly id: string;
  readonly dn: string;
  /** By SIP over WebSocket, or by HTTP (grtc.js, the simple variant). */
  readonly kind: "sip" | "wrtc";
  readonly user_agent: string;
  readonly address: string;
  readonly since: string;
  readonly reachable: boolean;
  /** At SIP Server; `server` is the one that has the DN in service. */
  readonly trunk: { readonly state: string; readonly reason: string; readonly server: string | null };
  /** Ids of its calls. */
  readonly calls: readonly string[];
}

export interface WayStatus {
  readonly mos: number;
  readonly loss_percent: number;
  readonly jitter_ms: number;
  readonly round_trip_ms?: number;
}

/** A way of which nothing was heard is left out. */
export interface QualityStatus {
  from_browser?: WayStatus;
  to_browser?: WayStatus;
  from_sip_server?: WayStatus;
  to_sip_server?: WayStatus;
}

export interface CallStatus {
  readonly id: string;
  readonly dn: string;
  readonly direction: "to-agent" | "from-agent";
  readonly far_number: string;
  readonly call_uuid: string | null;
  readonly since: string;
  readonly answered_at: string | null;
  readonly state: string;
  readonly held: boolean;
  readonly codecs: { readonly browser: string | null; readonly sip_server: string | null };
  readonly server: string | null;
  /** Of the last few seconds. */
  readonly quality: QualityStatus | null;
  /** Of the worst way. */
  readonly mos: number | null;
  /** File its media is being captured to. */
  readonly capture: string | null;
}

export interface ServerStatus {
  /** As configured. */
  readonly name: string;
  readonly address: string;
  readonly up: boolean;
  readonly in_use: boolean;
  readonly round_trip_ms: number | null;
  /** DNs it has in service. */
  readonly registered: number;
  /** Answered, over the last ten seconds. */
  readonly registers_per_second: number;
}

export interface WorkerStatus {
  readonly index: number;
  readonly up: boolean;
  readonly cpu_percent: number;
  readonly calls: number;
  readonly call_limit: number | null;
  readonly full: boolean;
  readonly late_ms: number;
}

export interface Failure {
  readonly at: string;
  readonly kind: "call" | "registration" | "login" | "media" | "certificate";
  readonly dn: string | null;
  readonly far_number: string | null;
  /** Id of the call, and of its trace. */
  readonly call: string | null;
  readonly status: number | null;
  /** In words. */
  readonly reason: string;
}

export interface Audit {
  readonly at: string;
  readonly who: string;
  readonly role: string;
  readonly address: string;
  readonly act: string;
  readonly target: string | null;
  /** `done`, or why not. */
  readonly outcome: string;
}

/** Ten seconds of the gateway's life. */
export interface Sample {
  readonly at: string;
  readonly agents: number;
  /** Of them those whose DN is in service at SIP Server. */
  readonly in_service: number;
  readonly calls: number;
  /** Calls begun, and calls that failed before anybody answered them, since the sample before. */
  readonly setups: number;
  readonly failures: number;
  /** Over the calls, each by its worst way; null while none sounds. */
  readonly mos_mean: number | null;
  readonly mos_low: number | null;
  /** Percent of one core; of the workers the busiest. */
  readonly main_cpu_percent: number;
  readonly worker_cpu_percent: number;
  readonly event_loop_late_ms: number;
  readonly registers_per_second: number;
  /** Of the SIP Server in use. */
  readonly round_trip_ms: number | null;
}
