import type { CallRecord } from "../../b2bua/index.ts";
import type { Trace } from "../../trace/index.ts";
import { legSpans, type WallTime } from "./leg-spans.ts";
import { noteEvents, phaseSpans } from "./note-spans.ts";
import type { Attributes, PlannedSpan } from "./plan.ts";

export interface CallSpanOptions {
  readonly wall: WallTime;
  /** DN and numbers are put in. */
  readonly showNumbers: boolean;
}

/** The caller gave up: nothing failed. */
const cancelled = 487;

/**
 * A call that is over as a span with its parts below, made of its record and of its ladder. Without a ladder (more calls
 * than `trace.calls`) it has no parts.
 */
export function callSpan(
  record: CallRecord,
  trace: Trace | undefined,
  options: CallSpanOptions,
): PlannedSpan {
  const { wall } = options;
  const end = Date.parse(record.endedAt);
  const words = (text: string): string => withoutNumbers(text, record, options);
  const parts = trace ? [...legSpans(trace, { wall, end, words }), ...phaseSpans(trace, wall, end)] : [];
  const begun = Math.min(Date.parse(record.startedAt), ...parts.map(({ start }) => start));
  const { status, reason } = record;
  const failed = status >= 400 && status !== cancelled;
  return {
    name: record.direction === "to-agent" ? "call to agent" : "call from agent",
    kind: "server",
    start: begun,
    end: Math.max(end, begun),
    attributes: {
      ...attributesOf(record, trace, options),
      ...(failed ? { "error.type": String(status) } : {}),
    },
    events: trace ? noteEvents(trace, wall) : [],
    error: failed ? words(reason) : undefined,
    children: parts.map((part) => ({ ...part, end: Math.max(part.end, part.start) })),
  };
}

function attributesOf(
  record: CallRecord,
  trace: Trace | undefined,
  { showNumbers }: CallSpanOptions,
): Attributes {
  const { agentLeg, trunkLeg, quality } = record;
  return {
    "network.protocol.name": "sip",
    "user_agent.original": agentLeg.client === "" ? undefined : agentLeg.client,
    "jackfield.call.id": record.id,
    "jackfield.call.direction": record.direction,
    "jackfield.call.uuid": record.callUuid,
    "jackfield.call.ended_by": record.endedBy,
    "jackfield.call.status_code": record.status,
    "jackfield.call.answered": record.answeredAt !== undefined,
    "jackfield.call.talk_seconds": record.talkSeconds,
    "jackfield.browser.codec": agentLeg.codec,
    "jackfield.sip_server.codec": trunkLeg.codec,
    "jackfield.browser.mos": quality?.fromBrowser?.mosMean,
    "jackfield.sip_server.mos": quality?.fromTrunk?.mosMean,
    "jackfield.trace.left_out": trace && trace.leftOut > 0 ? trace.leftOut : undefined,
    ...(showNumbers
      ? {
          "jackfield.dn": record.dn,
          "jackfield.far_number": record.farNumber,
          "jackfield.transferred_to": record.transferredTo,
        }
      : {}),
  };
}

/** A reason may hold what the far side wrote into its Reason header or behind its status, and that a number. */
function withoutNumbers(
  reason: string,
  { dn, farNumber, transferredTo }: CallRecord,
  { showNumbers }: CallSpanOptions,
): string {
  if (showNumbers) return reason;
  return [dn, farNumber, transferredTo ?? ""]
    .filter((number) => number !== "")
    .reduce((text, number) => text.replaceAll(number, "[cut]"), reason);
}
