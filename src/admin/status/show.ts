import type { CallSummary } from "../../b2bua/index.ts";
import type { WayQuality, WorkerStatistics } from "../../media/index.ts";
import type { AgentSummary, RegistrationServer, TrunkStatus } from "../../registrar/index.ts";
import type { Flow } from "../../sip/index.ts";
import type { CertificateInfo } from "../../ws/index.ts";
import type {
  AgentStatus,
  CallStatus,
  QualityStatus,
  ServerStatus,
  WayStatus,
  WorkerStatus,
} from "./contract.ts";

/** (DN, instance) as one name. */
export function agentId({ dn, instance }: { readonly dn: string; readonly instance: string }): string {
  return `${dn} ${instance}`;
}

/** `trunk`: the DN's standing at SIP Server, and who has it in service. `calls`: ids of its calls. */
export function showAgent(
  agent: AgentSummary,
  trunk: { readonly status: TrunkStatus; readonly server: Flow | undefined },
  calls: readonly string[],
): AgentStatus {
  const { dn, kind, userAgent, address, since, reachable } = agent;
  const { state, reason } = trunk.status;
  return {
    id: agentId(agent),
    dn,
    kind,
    user_agent: userAgent,
    address,
    since: isoTime(since),
    reachable,
    trunk: { state, reason, server: addressOf(trunk.server) },
    calls,
  };
}

export function showCall(call: CallSummary): CallStatus {
  const quality = showQuality(call.quality);
  return {
    id: call.id,
    dn: call.dn,
    direction: call.direction,
    far_number: call.farNumber,
    call_uuid: call.callUuid ?? null,
    since: call.since,
    answered_at: call.answeredAt ?? null,
    state: call.state,
    held: call.held,
    codecs: { browser: call.codecs.browser ?? null, sip_server: call.codecs.trunk ?? null },
    server: addressOf(call.server),
    quality,
    mos: quality && worstMos(quality),
    capture: call.captureFile ?? null,
  };
}

function showQuality(now: CallSummary["quality"]): QualityStatus | null {
  const shown: QualityStatus = {};
  if (now.fromBrowser) shown.from_browser = showWay(now.fromBrowser);
  if (now.toBrowser) shown.to_browser = showWay(now.toBrowser);
  if (now.fromTrunk) shown.from_sip_server = showWay(now.fromTrunk);
  if (now.toTrunk) shown.to_sip_server = showWay(now.toTrunk);
  return Object.keys(shown).length === 0 ? null : shown;
}

function showWay({ mos, lossPercent, jitterMs, roundTripMs }: WayQuality): WayStatus {
  return {
    mos: round(mos, 100),
    loss_percent: round(lossPercent, 100),
    jitter_ms: round(jitterMs, 10),
    ...(roundTripMs === undefined ? {} : { round_trip_ms: round(roundTripMs, 10) }),
  };
}

function worstMos(quality: QualityStatus): number {
  const ways: readonly WayStatus[] = Object.values(quality);
  return Math.min(...ways.map(({ mos }) => mos));
}

/** `rate`: REGISTERs a second. */
export function showServer(server: RegistrationServer, rate: number): ServerStatus {
  return {
    name: server.name,
    address: addressOf(server.flow),
    up: server.up,
    in_use: server.inUse,
    round_trip_ms: server.roundTripMs === undefined ? null : round(server.roundTripMs, 10),
    registered: server.registered,
    registers_per_second: round(rate, 10),
  };
}

/** `known` is undefined of a worker that is not up. `callLimit` 0: none. */
export function showWorker(
  index: number,
  known: WorkerStatistics | undefined,
  callLimit: number,
): WorkerStatus {
  return {
    index,
    up: known !== undefined,
    cpu_percent: round(known?.cpuPercent ?? 0, 10),
    calls: known?.sessions ?? 0,
    call_limit: callLimit === 0 ? null : callLimit,
    full: known?.full ?? false,
    late_ms: round(known?.tickLateMs ?? 0, 10),
  };
}

/** `192.0.2.10:5060`, `[2001:db8::1]:5060`. */
export function addressOf(flow: Flow): string;
export function addressOf(flow: Flow | undefined): string | null;
export function addressOf(flow: Flow | undefined): string | null {
  if (!flow) return null;
  const { remoteAddress, remotePort } = flow;
  return `${remoteAddress.includes(":") ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;
}

const dayMs = 86_400_000;

/** `now`: ms since 1970-01-01 UTC. Days left are whole ones, negative when it has run out. */
export function showCertificate({ subject, validTo }: CertificateInfo, now: number) {
  return { subject, expires_at: isoTime(validTo), days_left: Math.floor((validTo - now) / dayMs) };
}

/** ISO 8601 UTC of ms since 1970. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** To one part in `parts`: more digits mean nothing. */
export function round(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}
