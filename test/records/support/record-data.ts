import type { CallRecord } from "../../../src/b2bua/index.ts";
import { createLogger } from "../../../src/core/index.ts";

export const idOf = (number: number): string => number.toString(16).padStart(16, "0");

/** The record of a call that nobody answered; `number` makes its id. */
export function callRecord(number = 1, changes: Partial<CallRecord> = {}): CallRecord {
  return {
    id: idOf(number),
    direction: "to-agent",
    dn: "5001",
    farNumber: "+498912345678",
    transferredTo: undefined,
    callUuid: undefined,
    callUuids: [],
    startedAt: "2026-01-01T00:00:00.000Z",
    ringingAt: "2026-01-01T00:00:00.200Z",
    answeredAt: undefined,
    endedAt: "2026-01-01T00:00:09.000Z",
    talkSeconds: 0,
    endedBy: "sip-server",
    reason: "SIP Server: CANCEL",
    status: 487,
    agentLeg: { callId: "a", client: "x", codec: undefined },
    trunkLeg: { callId: "b", codec: undefined, formerCallIds: [] },
    quality: undefined,
    media: undefined,
    ...changes,
  };
}

/** A log whose lines can be looked at. */
export function keptLog() {
  const lines: { level: number; msg: string }[] = [];
  const log = createLogger("info", { write: (line) => void lines.push(JSON.parse(line)) });
  return { log, told: () => lines.map(({ msg }) => msg), lines };
}
