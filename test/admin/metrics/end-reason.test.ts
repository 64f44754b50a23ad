import { expect, it } from "vitest";
import { endReason } from "../../../src/admin/metrics/end-reason.ts";
import { endedByOperator, type CallRecord } from "../../../src/b2bua/index.ts";

type Facts = Pick<CallRecord, "status" | "reason" | "endedBy" | "answeredAt">;
const answeredAt = "2026-01-01T00:00:00.000Z";

it.each<{ class: string } & Partial<Facts>>([
  { class: "hung_up", status: 200, endedBy: "agent", answeredAt },
  { class: "hung_up", status: 403, endedBy: "sip-server", answeredAt },
  { class: "operator", status: 480, endedBy: "jackfield", reason: endedByOperator, answeredAt },
  { class: "shutdown", status: 503, endedBy: "jackfield", answeredAt },
  { class: "agent_lost", status: 480, endedBy: "jackfield", answeredAt },
  { class: "far_end_lost", status: 408, endedBy: "jackfield", answeredAt },
  { class: "media_failed", status: 500, endedBy: "jackfield", answeredAt },
  { class: "cancelled", status: 487, endedBy: "sip-server" },
  { class: "busy", status: 486, endedBy: "agent" },
  { class: "no_answer", status: 480, endedBy: "jackfield" },
  { class: "not_found", status: 404, endedBy: "sip-server" },
  { class: "unavailable", status: 503, endedBy: "jackfield" },
  { class: "not_acceptable", status: 488, endedBy: "jackfield" },
  { class: "error", status: 599, endedBy: "sip-server" },
])("a call that ended with $status by $endedBy counts as $class", ({ class: expected, ...facts }) => {
  expect(endReason({ reason: "", status: 200, endedBy: "agent", answeredAt: undefined, ...facts })).toBe(
    expected,
  );
});
