import { describe, expect, it } from "vitest";
import type { Agent, Failure, Sample, Snapshot } from "../../../web/src/dashboard/api/contract.ts";
import {
  applyChange,
  applyHistory,
  applySnapshot,
  nothingYet,
} from "../../../web/src/dashboard/store/live.ts";

const at = (second: number): string => new Date(Date.UTC(2026, 10, 21, 12, 0, second)).toISOString();

function agent(id: string, dn = id): Agent {
  const trunk = { state: "in-service", reason: "", server: "a" };
  return {
    id,
    dn,
    kind: "sip",
    user_agent: null,
    address: "",
    since: at(0),
    reachable: true,
    trunk,
    calls: [],
  };
}

function failure(second: number): Failure {
  return {
    at: at(second),
    kind: "call",
    dn: null,
    far_number: null,
    call: null,
    status: 480,
    reason: `${second}`,
  };
}

function sample(second: number): Sample {
  return { at: at(second), calls: second } as Sample;
}

function snapshot(agents: readonly Agent[], failures: readonly Failure[] = []): Snapshot {
  const gateway = {
    version: "1",
    since: at(0),
    draining: false,
    log_level: "info",
    log_levels: [{ level: "info", room: null, until: null }],
    certificate: null,
    traces: true,
    captures: false,
  };
  return { at: at(1), gateway, agents, calls: [], servers: [], workers: [], failures, audit: [] };
}

describe("what is known of the gateway", () => {
  it("is what the snapshot says, the charts' samples kept over a reconnect", () => {
    const before = applyHistory(nothingYet, [sample(1), sample(11)]);
    const live = applySnapshot(before, snapshot([agent("one")], [failure(1), failure(5)]));
    expect([...live.agents.keys()]).toEqual(["one"]);
    expect(live.failures.map(({ reason }) => reason)).toEqual(["5", "1"]);
    expect(live.samples).toHaveLength(2);
    expect(live.at).toBe(Date.parse(at(1)));
    // A second snapshot leaves nothing of the first.
    expect([...applySnapshot(live, snapshot([agent("two")])).agents.keys()]).toEqual(["two"]);
  });

  it("follows what changed, what came and what is gone, and leaves the rest the same object", () => {
    const live = applySnapshot(nothingYet, snapshot([agent("one"), agent("two")]));
    const next = applyChange(live, {
      at: at(2),
      agents: { changed: [agent("two", "5002"), agent("three")], gone: ["one"] },
    });
    expect([...next.agents.values()].map(({ dn }) => dn)).toEqual(["5002", "three"]);
    expect(live.agents.size).toBe(2);
    expect(next.calls).toBe(live.calls);
    expect(applyChange(next, { at: at(3), agents: { changed: [], gone: [] } }).agents).toBe(next.agents);
  });

  it("keeps the 200 newest failures, newest first, whatever order they come in", () => {
    const many = Array.from({ length: 199 }, (_, second) => failure(second));
    const live = applySnapshot(nothingYet, snapshot([], many));
    const next = applyChange(live, { at: at(300), failures: [failure(300), failure(301)] });
    expect(next.failures).toHaveLength(200);
    expect(next.failures[0]?.reason).toBe("301");
    expect(next.failures.at(-1)?.reason).toBe("1");
  });

  it("joins the history to the samples that came while it was asked for, each once", () => {
    const early = applyChange(nothingYet, { at: at(30), sample: sample(30) });
    const live = applyHistory(applyChange(early, { at: at(40), sample: sample(40) }), [
      sample(20),
      sample(30),
    ]);
    expect(live.samples.map(({ calls }) => calls)).toEqual([20, 30, 40]);
  });

  it("keeps what was seen before the gateway was started anew, whose history begins there", () => {
    const before = applyHistory(nothingYet, [sample(10), sample(20)]);
    const live = applyHistory(before, [sample(40)]);
    expect(live.samples.map(({ calls }) => calls)).toEqual([10, 20, 40]);
  });

  it("keeps six hours of samples", () => {
    const many = Array.from({ length: 2160 }, (_, index) => sample(index * 10));
    const live = applyChange(applyHistory(nothingYet, many), { at: at(0), sample: sample(21_600) });
    expect(live.samples).toHaveLength(2160);
    expect(live.samples.at(-1)?.calls).toBe(21_600);
  });
});
