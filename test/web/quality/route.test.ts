import { describe, expect, it } from "vitest";
import { routeOf, type StatsRow } from "../../../web/src/softphone/quality/browser-stats.ts";

const rows = (candidate: StatsRow): StatsRow[] => [
  { type: "transport", id: "T", selectedCandidatePairId: "P" },
  { type: "candidate-pair", id: "old", state: "succeeded", nominated: true, localCandidateId: "other" },
  { type: "candidate-pair", id: "P", state: "succeeded", nominated: true, localCandidateId: "L" },
  { type: "local-candidate", id: "other", candidateType: "host", protocol: "udp" },
  { type: "local-candidate", id: "L", ...candidate },
];

describe("the route of a call's sound", () => {
  it.each([
    [{ candidateType: "host", protocol: "udp" }, "directly by UDP"],
    [{ candidateType: "prflx", protocol: "udp" }, "directly by UDP"],
    [
      { candidateType: "relay", protocol: "udp", relayProtocol: "udp" },
      "through a TURN server, reached by UDP",
    ],
    [
      { candidateType: "relay", protocol: "udp", relayProtocol: "tls" },
      "through a TURN server, reached by TLS",
    ],
    [{ candidateType: "relay", protocol: "udp" }, "through a TURN server"],
  ])("of %j is told as: %s", (candidate, words) => {
    expect(routeOf(rows(candidate))).toBe(words);
  });

  it("is not told before there is one", () => {
    expect(routeOf([])).toBeUndefined();
    expect(routeOf([{ type: "transport", id: "T" }])).toBeUndefined();
  });
});
