/** What the admin API says, as it is on the wire: times ISO 8601 UTC, `null` where nothing is known. */

export type Role = "read" | "operate";

export interface Me {
  readonly name: string;
  readonly role: Role;
}

/** Who is shut out after failed logins; null where any address, or any DN, is meant. */
export interface Ban {
  readonly address: string | null;
  readonly dn: string | null;
  readonly failures: number;
  readonly since: string;
  readonly until: string;
}

export interface Certificate {
  readonly subject: string;
  readonly expires_at: string;
  readonly days_left: number;
}

/** A level in force; room null: of all that have none of their own. */
export interface LogLevel {
  readonly level: string;
  readonly room: string | null;
  /** When it goes back to what it was. */
  readonly until: string | null;
}

/** How far the gateway has run empty. */
export interface Drain {
  readonly calls: number;
  readonly pages: number;
  readonly dns: number;
  /** Null: it does not close by itself. */
  readonly seconds_left: number | null;
}

export interface Gateway {
  readonly version: string;
  readonly since: string;
  readonly draining: boolean;
  /** Null, or left out by older gateways, while it serves. */
  readonly drain?: Drain | null;
  readonly log_level: string;
  /** The general one first. */
  readonly log_levels: readonly LogLevel[];
  /** Null: plain HTTP. */
  readonly certificate: Certificate | null;
  readonly traces: boolean;
  readonly captures: boolean;
}

export interface Agent {
  readonly id: string;
  readonly dn: string;
  /** By SIP over WebSocket, or by HTTP (grtc.js, the simple variant). */
  readonly kind: "sip" | "wrtc";
  readonly user_agent: string | null;
  readonly address: string;
  readonly since: string;
  readonly reachable: boolean;
  readonly trunk: { readonly state: string; readonly reason: string; readonly server: string | null };
  /** Ids of its calls. */
  readonly calls: readonly string[];
}

export interface Quality {
  /** 1 to 4.5, ITU-T G.107. */
  readonly mos?: number;
  readonly loss_percent?: number;
  readonly jitter_ms?: number;
  readonly round_trip_ms?: number;
}

export const soundWays = ["from_browser", "to_browser", "from_sip_server", "to_sip_server"] as const;
export type SoundWay = (typeof soundWays)[number];
export type QualityByWay = { readonly [way in SoundWay]?: Quality };

export interface Call {
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
  readonly quality: QualityByWay | null;
  /** Of the worst way. */
  readonly mos: number | null;
  /** File of the capture that runs. */
  readonly capture: string | null;
}

export interface SipServer {
  readonly name: string;
  readonly address: string;
  readonly up: boolean;
  readonly in_use: boolean;
  readonly round_trip_ms: number | null;
  readonly registered: number;
  readonly registers_per_second: number;
}

export interface Worker {
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
  /** Id of its trace. */
  readonly call: string | null;
  readonly status: number | null;
  readonly reason: string;
}

export interface AuditEntry {
  readonly at: string;
  readonly who: string;
  readonly role: string;
  readonly address: string;
  readonly act: string;
  readonly target: string | null;
  readonly outcome: string;
}

/** Of ten seconds. */
export interface Sample {
  readonly at: string;
  readonly agents: number;
  readonly in_service: number;
  readonly calls: number;
  readonly setups: number;
  readonly failures: number;
  readonly mos_mean: number | null;
  readonly mos_low: number | null;
  readonly main_cpu_percent: number;
  readonly worker_cpu_percent: number;
  readonly event_loop_late_ms: number;
  readonly registers_per_second: number;
  readonly round_trip_ms: number | null;
}

export interface Snapshot {
  readonly at: string;
  readonly gateway: Gateway;
  readonly agents: readonly Agent[];
  readonly calls: readonly Call[];
  readonly servers: readonly SipServer[];
  readonly workers: readonly Worker[];
  readonly failures: readonly Failure[];
  readonly audit: readonly AuditEntry[];
}

export interface ChangedList<T> {
  readonly changed: readonly T[];
  /** Ids. */
  readonly gone: readonly string[];
}

export interface Change {
  readonly at: string;
  readonly gateway?: Gateway;
  readonly agents?: ChangedList<Agent>;
  readonly calls?: ChangedList<Call>;
  readonly servers?: readonly SipServer[];
  readonly workers?: readonly Worker[];
  /** New ones. */
  readonly failures?: readonly Failure[];
  readonly audit?: readonly AuditEntry[];
  readonly sample?: Sample;
}

export type TraceSide = "browser" | "sip_server";

export interface TraceSummary {
  readonly id: string;
  readonly dn: string;
  readonly direction: "to-agent" | "from-agent";
  readonly far_number: string;
  readonly call_uuid: string | null;
  readonly since: string;
  readonly state: string;
  readonly status: number | null;
  readonly reason: string | null;
  readonly call_ids: { readonly browser: readonly string[]; readonly sip_server: readonly string[] };
}

export interface MessageEntry {
  /** From the first entry. */
  readonly at_ms: number;
  readonly kind: "sip";
  readonly side: TraceSide;
  /** As Jackfield sees it. */
  readonly direction: "in" | "out";
  /** `INVITE sip:5001@...`, `180 Ringing (INVITE)`. */
  readonly text: string;
  readonly sdp: string | null;
  /** What its SDP says that the one before did not. */
  readonly sdp_change?: string | null;
  readonly repeats: number;
  readonly last_repeat_ms: number | null;
  /** The whole message, secrets cut out. */
  readonly message: string;
}

export interface NoteEntry {
  readonly at_ms: number;
  readonly kind: "state" | "media" | "event";
  readonly side: TraceSide | null;
  readonly text: string;
}

export type TraceEntry = MessageEntry | NoteEntry;

export interface Trace extends TraceSummary {
  readonly left_out: number;
  readonly entries: readonly TraceEntry[];
  /** MOS curve; absent in older gateways. */
  readonly quality?: readonly (QualityByWay & { readonly at_ms: number })[];
  /** Media counters, names and nesting as the gateway has them. */
  readonly counters?: Readonly<Record<string, unknown>> | null;
}
