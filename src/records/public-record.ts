import type { CallRecord } from "../b2bua/index.ts";

type Media = NonNullable<CallRecord["media"]>;
type Ways = NonNullable<CallRecord["quality"]>;
type Way = NonNullable<Ways[keyof Ways]>;

/** Longest texts of a record: what a header of the far side's may bring along, characters. */
const longestReason = 1000;
const longestText = 200;
/** Entries of its lists. */
const longestList = 32;
/** What `hideNumbers` leaves. */
const shownDigits = 3;

export type PublicRecord = ReturnType<typeof publicRecord>;

/**
 * A call's record as others get it: docs/call-records.md, docs/call-record.schema.json. Every key is always there, null
 * where there is nothing to tell; what is added later adds keys, anything else makes a new `schema`.
 */
export function publicRecord(record: CallRecord, { hideNumbers }: { readonly hideNumbers: boolean }) {
  const number = (value: string): string => text(hideNumbers ? hidden(value) : value);
  // SIP Server's Reason header may tell it again.
  const numbers = hideNumbers ? [record.farNumber, record.transferredTo ?? ""] : [];
  const reason = numbers
    .filter((value) => value.length > shownDigits)
    .reduce((words, value) => words.replaceAll(value, hidden(value)), record.reason);
  const started = Date.parse(record.startedAt);
  const ended = Date.parse(record.endedAt);
  const rang = at(record.ringingAt);
  const answered = at(record.answeredAt);
  return {
    schema: 1,
    id: record.id,
    direction: record.direction === "to-agent" ? "to_agent" : "from_agent",
    dn: text(record.dn),
    other_number: number(record.farNumber),
    transferred_to: record.transferredTo === undefined ? null : number(record.transferredTo),
    call_uuid: record.callUuid === undefined ? null : text(record.callUuid),
    call_uuids: record.callUuids.slice(-longestList).map(text),
    started_at: record.startedAt,
    ringing_at: record.ringingAt ?? null,
    answered_at: record.answeredAt ?? null,
    ended_at: record.endedAt,
    set_up_ms: answered === null ? null : answered - started,
    ringing_ms: rang === null ? null : (answered ?? ended) - rang,
    talk_ms: answered === null ? 0 : ended - answered,
    duration_ms: ended - started,
    ended_by: record.endedBy === "sip-server" ? "sip_server" : record.endedBy,
    status: record.status,
    reason: reason.slice(0, longestReason),
    agent_leg: {
      call_id: text(record.agentLeg.callId),
      client: text(record.agentLeg.client),
      codec: record.agentLeg.codec ?? null,
    },
    trunk_leg: {
      call_id: text(record.trunkLeg.callId),
      codec: record.trunkLeg.codec ?? null,
      former_call_ids: record.trunkLeg.formerCallIds.slice(-longestList).map(text),
    },
    mos: worst(record.quality),
    quality: {
      from_browser: wayOf(record.quality?.fromBrowser),
      to_browser: wayOf(record.quality?.toBrowser),
      from_trunk: wayOf(record.quality?.fromTrunk),
      to_trunk: wayOf(record.quality?.toTrunk),
    },
    media:
      record.media === undefined
        ? null
        : { browser: sideOf(record.media.browser), trunk: sideOf(record.media.trunk) },
  };
}

function wayOf(way: Way | undefined) {
  if (!way) return null;
  return {
    mos_mean: way.mosMean,
    mos_worst: way.mosWorst,
    loss_percent: way.lossPercent,
    burst_loss_percent: way.burstLossPercent,
    jitter_mean_ms: way.jitterMsMean,
    jitter_worst_ms: way.jitterMsWorst,
    round_trip_mean_ms: way.roundTripMsMean ?? null,
    round_trip_worst_ms: way.roundTripMsWorst ?? null,
  };
}

function sideOf(side: Media["browser"]) {
  return {
    codec: side.codec ?? null,
    packets_received: side.packetsReceived,
    packets_sent: side.packetsSent,
    bytes_received: side.bytesReceived,
    bytes_sent: side.bytesSent,
    packets_lost: side.packetsLost,
    packets_reordered: side.packetsReordered,
    jitter_ms: side.jitterMs,
    frames_concealed: side.framesConcealed,
    frames_recovered: side.framesRecovered,
    dropped: side.dropped,
  };
}

/** Mean MOS of the way that sounded worst. */
function worst(quality: CallRecord["quality"]): number | null {
  const means = Object.values(quality ?? {}).map(({ mosMean }) => mosMean);
  return means.length === 0 ? null : Math.min(...means);
}

function at(iso: string | undefined): number | null {
  return iso === undefined ? null : Date.parse(iso);
}

function text(value: string): string {
  return value.slice(0, longestText);
}

/** `xxxxxxxx678` */
function hidden(number: string): string {
  return "x".repeat(Math.max(0, number.length - shownDigits)) + number.slice(-shownDigits);
}
