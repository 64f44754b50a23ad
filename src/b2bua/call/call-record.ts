import type { CodecName, MediaStatistics } from "../../media/index.ts";
import type { AgentPresence } from "../../registrar/index.ts";
import type { AgentLeg, LegEnd } from "../legs/agent-leg.ts";
import type { TrunkLeg } from "../legs/trunk-leg.ts";
import type { CallMedia } from "../media/call-media.ts";
import type { CallQualityRecord } from "../media/call-quality.ts";
import type { CallTransfers } from "../transfer/index.ts";
import type { CallTimes } from "./call-times.ts";

/** One structured record per call, written when it is over. Times are ISO 8601 UTC, undefined when not reached. */
export interface CallRecord {
  readonly id: string;
  /** `to-agent`: SIP Server called the DN; `from-agent`: the agent dialled. */
  readonly direction: "to-agent" | "from-agent";
  readonly dn: string;
  /** The other party's number as SIP Server gave it, or as the agent's number rules made it of what was dialled. */
  readonly farNumber: string;
  /** Number of the party that the last transfer put in its place; undefined when there was none. */
  readonly transferredTo: string | undefined;
  /** X-Genesys-CallUUID as last seen, the key to Genesys' own records. */
  readonly callUuid: string | undefined;
  /** Each that was seen, in order: SIP Server changes it when calls are joined or transferred. */
  readonly callUuids: readonly string[];
  readonly startedAt: string;
  readonly ringingAt: string | undefined;
  readonly answeredAt: string | undefined;
  readonly endedAt: string;
  /** Seconds from answer to end; 0 when never answered. */
  readonly talkSeconds: number;
  readonly endedBy: "agent" | "sip-server" | "jackfield";
  /** In words, e.g. `SIP Server: BYE (SIP;cause=403;text="Forbidden")`. */
  readonly reason: string;
  /** SIP status for the end: 200 for a hang-up. */
  readonly status: number;
  readonly agentLeg: {
    readonly callId: string;
    readonly client: string;
    readonly codec: CodecName | undefined;
  };
  readonly trunkLeg: {
    readonly callId: string;
    readonly codec: CodecName | undefined;
    /** Of the legs that transfers exchanged for this one, in order, the last 16. */
    readonly formerCallIds: readonly string[];
  };
  /**
   * How it sounded, per way (`fromBrowser`, `toBrowser`, `fromTrunk`, `toTrunk`): mean and worst MOS (ITU-T G.107), loss,
   * jitter, round trip; undefined when media never opened. A way of which nothing was heard is left out.
   */
  readonly quality: CallQualityRecord | undefined;
  /** Packets, loss and jitter of both sides; undefined when media never opened or its worker died. */
  readonly media: MediaStatistics | undefined;
}

/** What a record is made of besides the call itself, when it is over. */
export interface RecordParts {
  readonly by: CallRecord["endedBy"];
  readonly end: LegEnd;
  readonly agent: AgentLeg | undefined;
  readonly trunk: TrunkLeg;
  readonly transfers: CallTransfers;
  readonly times: ReturnType<CallTimes["report"]>;
  readonly codecs: CallMedia["codecsInUse"] | undefined;
  readonly quality: CallQualityRecord | undefined;
  readonly media: MediaStatistics | undefined;
}

/** What of a call an engineer looks for in the log, on one line: MOS of the worst way, loss of the way that lost most. */
export function callFigures(record: CallRecord) {
  const { id, dn, direction, farNumber, callUuid, status, endedBy, reason, answeredAt, talkSeconds } = record;
  const ways = Object.values(record.quality ?? {});
  return {
    call: id,
    dn,
    direction,
    farNumber,
    callUuid,
    status,
    endedBy,
    reason,
    setUpMs: answeredAt === undefined ? undefined : Date.parse(answeredAt) - Date.parse(record.startedAt),
    talkMs: Math.round(talkSeconds * 1000),
    mos: ways.length === 0 ? undefined : Math.min(...ways.map(({ mosMean }) => mosMean)),
    lossPercent: ways.length === 0 ? undefined : Math.max(...ways.map(({ lossPercent }) => lossPercent)),
  };
}

export function makeRecord(
  call: Pick<CallRecord, "id" | "direction" | "farNumber"> & { readonly presence: AgentPresence },
  { by, end, agent, trunk, transfers, times, codecs, quality, media }: RecordParts,
): CallRecord {
  return {
    id: call.id,
    direction: call.direction,
    dn: call.presence.dn,
    farNumber: call.farNumber,
    transferredTo: transfers.party,
    callUuid: trunk.callUuid,
    callUuids: trunk.callUuids,
    ...times,
    endedBy: by,
    reason: end.reason,
    status: end.status,
    agentLeg: { callId: agent?.callId ?? "", client: call.presence.userAgent, codec: codecs?.browser },
    trunkLeg: { callId: trunk.callId, codec: codecs?.trunk, formerCallIds: transfers.formerCallIds },
    quality,
    media,
  };
}
