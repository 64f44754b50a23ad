import { describe, expect, it } from "vitest";
import { traceJson, traceText } from "../../../src/trace/index.ts";
import { browserSdp, genesysSdp } from "../../support/descriptions.ts";
import { WrtcCallsBench } from "../../support/wrtc-calls-bench.ts";

/** Lines of the browser's side of the last call's ladder. */
function ladder(bench: WrtcCallsBench): { lines: string[]; text: string } {
  const id = bench.traces?.list({})[0]?.id ?? "";
  const trace = bench.traces?.find(id);
  if (!trace) throw new Error("no trace");
  const lines = traceJson(trace).entries.flatMap(({ side, text }) => (side === "browser" ? [text] : []));
  return { lines, text: traceText(trace) };
}

describe("the trace of a WRTC client's call", () => {
  it("has the client's messages both ways in their places, without descriptions and data", async () => {
    const bench = new WrtcCallsBench({ trace: {} });
    await bench.dialFrom("1003", undefined, [{ key: "Account Number", value: "private-4711" }]);
    bench.client.info("to-server", "note=private-words");
    bench.trunk.received.progress(183, genesysSdp());
    await bench.pass();
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    bench.client.calls.receive({ kind: "ok" }, "1003");
    bench.client.offer("1003", browserSdp({ direction: "inactive" }));
    await bench.pass();
    bench.client.bye();
    await bench.pass();
    const { lines, text } = ladder(bench);
    expect(lines.filter((line) => line.includes("client:"))).toEqual([
      "client: OFFER (media: audio sendrecv)",
      "client: INFO (use: to-server, characters: 18)",
      "to client: ANSWER (media: audio sendrecv)",
      "client: OK",
      "client: OFFER (media: audio inactive)",
      "to client: ANSWER (media: audio inactive)",
      "client: BYE",
    ]);
    expect(lines).toContain("session offering -> early (progress)");
    expect(lines).toContain("session early -> established (answer)");
    expect(text).toContain("client: OFFER");
    expect(text).not.toContain("ice-pwd");
    const browserLines = lines.join("\n");
    expect(browserLines).not.toContain("private");
  });

  it("says of a call that rang what the client was told and why it ended", async () => {
    const bench = new WrtcCallsBench({ trace: {} });
    await bench.callAgent();
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "talk"]]);
    await bench.pass();
    bench.trunk.outgoing?.cancel();
    await bench.pass();
    const lines = ladder(bench).lines.filter((line) => line.includes("client:"));
    expect(lines.slice(0, 2)).toEqual(["to client: OFFER (media: audio sendrecv)", "to client: EVENT-TALK"]);
    expect(lines[2]).toMatch(/^to client: BYE \(reason: /);
  });

  it("names an error by its word, and what was passed over as such", async () => {
    const bench = new WrtcCallsBench({ trace: {} });
    await bench.dialFrom();
    await bench.dialFrom();
    bench.trunk.received.reject(404);
    await bench.pass();
    const lines = ladder(bench).lines.filter((line) => line.includes("client:"));
    expect(lines[1]).toBe("client: OFFER (media: audio sendrecv, act: passed over)");
    expect(lines[2]).toMatch(/^to client: ERROR \(errorType: NOMATCH, reason: SIP Server: 404/);
  });
});

describe("the record of a WRTC client's call", () => {
  it("names the client, its leg, and who ended it", async () => {
    const bench = new WrtcCallsBench();
    await bench.answered();
    bench.client.bye();
    await bench.pass();
    expect(bench.records[0]).toMatchObject({
      dn: "5001",
      direction: "to-agent",
      farNumber: "1003",
      endedBy: "agent",
      reason: "agent's client: BYE",
      agentLeg: { client: "grtc.js (WRTC 8.5.2)", codec: "opus" },
    });
    expect(bench.records[0]?.agentLeg.callId).toMatch(/^wrtc-[0-9a-f]{24}$/);
  });

  it("is the one its row in the list of running calls becomes", async () => {
    const bench = new WrtcCallsBench();
    await bench.answered();
    expect(bench.b2bua.calls()[0]).toMatchObject({ dn: "5001", state: "established" });
    expect(bench.b2bua.busy(bench.client.presence)).toBe(true);
    expect(bench.b2bua.hasCall("5001", bench.client.presence.instance)).toBe(true);
  });
});
