import { describe, expect, it } from "vitest";
import type { CallSnapshot } from "../../web/src/softphone/phone/call-snapshot.ts";
import { CallHistory, outcomeText, pastCall, type PastCall } from "../../web/src/softphone/phone/history.ts";

const call = {
  callId: "a",
  direction: "in",
  number: "5002",
  peer: "Ann (5002)",
  began: 1000,
  since: undefined,
  transfer: undefined,
} as CallSnapshot;
const ended = (change: Partial<CallSnapshot>, by: "local" | "remote", reason?: string): PastCall =>
  pastCall({ kind: "ended", call: { ...call, ...change }, by, reason, elsewhere: false }, 61_000);

function storage(): Pick<Storage, "getItem" | "setItem" | "removeItem"> & { kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

describe("a call that is over", () => {
  it("was answered, missed, rejected, given up or refused", () => {
    expect(ended({ since: 31_000 }, "remote")).toMatchObject({ outcome: "answered", lastedMs: 30_000 });
    expect(ended({}, "remote")).toMatchObject({ outcome: "missed", at: 1000, lastedMs: 0 });
    expect(ended({}, "local").outcome).toBe("rejected");
    expect(ended({ direction: "out" }, "local").outcome).toBe("cancelled");
    const refused = {
      kind: "failed",
      call: { ...call, direction: "out" },
      status: 486,
      reason: "Busy.",
    } as const;
    expect(outcomeText(pastCall(refused, 2000))).toBe("not reached: Busy.");
    expect(pastCall({ ...refused, call }, 2000).outcome).toBe("missed");
  });

  it("was transferred, unless the transfer was refused", () => {
    const to = (state: "done" | "trying" | "refused"): PastCall =>
      ended({ since: 2000, transfer: { to: "4711", state, reason: "" } }, "remote");
    expect(outcomeText(to("done"))).toBe("transferred to 4711");
    expect(to("trying").outcome).toBe("transferred");
    expect(to("refused").outcome).toBe("answered");
  });
});

describe("the history", () => {
  it("holds the newest 50, first, and outlives a reload of the tab", () => {
    const tab = storage();
    const history = new CallHistory(tab);
    history.of("5001");
    for (let at = 0; at < 60; at++) history.add({ ...ended({}, "remote"), id: String(at) });
    const later = new CallHistory(tab);
    later.of("5001");
    expect(later.calls).toHaveLength(50);
    expect(later.calls[0]?.id).toBe("59");
  });

  it("is of one number only, and takes nothing it cannot read", () => {
    const tab = storage();
    const history = new CallHistory(tab);
    history.of("5001");
    history.add(ended({}, "remote"));
    history.of("5009");
    expect(history.calls).toEqual([]);
    expect(tab.kept.size).toBe(0);
    for (const odd of ["{", "null", '{"dn":"5001"}', '{"dn":"5001","calls":[null,{"id":1}]}']) {
      tab.kept.set("jackfield.history", odd);
      const next = new CallHistory(tab);
      next.of("5001");
      expect(next.calls).toEqual([]);
    }
  });
});
