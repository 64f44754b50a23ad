import { describe, expect, it } from "vitest";
import type { MediaStatistics } from "../../src/media/index.ts";
import { traceJson } from "../../src/trace/index.ts";
import { B2buaBench } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import { sideStatistics } from "../support/side-statistics.ts";

type Options = NonNullable<ConstructorParameters<typeof B2buaBench>[0]>;
const open = (options: Options = {}) => new B2buaBench({ trace: {}, ...options });

function jsonOf({ traces }: B2buaBench) {
  const trace = traces?.find(traces.list({})[0]?.id ?? "");
  if (!trace) throw new Error("no trace");
  return traceJson(trace);
}

/** What is told beside messages, as `side kind: words`. */
const notes = (bench: B2buaBench): string[] =>
  jsonOf(bench).entries.flatMap((entry) =>
    "direction" in entry ? [] : [`${entry.side ?? "call"} ${entry.kind}: ${entry.text}`],
  );

describe("the notes in a call's trace", () => {
  it("tell how ICE, DTLS and RTP begin, stop and come back, in words", async () => {
    const bench = open();
    await bench.established();
    const { events } = bench.media.last;
    events.emit("step", { step: "ice", address: "192.0.2.77", port: 1 });
    events.emit("step", { step: "dtls-begun" });
    events.emit("step", { step: "rtp", side: "trunk", way: "from", flows: false });
    events.emit("step", { step: "rtp", side: "trunk", way: "from", flows: true });
    events.emit("step", { step: "consent", lost: true });
    events.emit("step", { step: "ice", address: "192.0.2.78", port: 2 });
    events.emit("step", { step: "consent", lost: false });
    expect(notes(bench).slice(-7)).toEqual([
      "browser media: ICE: address 192.0.2.77:1 chosen",
      "browser media: DTLS handshake begins",
      "sip_server media: RTP from this side stopped",
      "sip_server media: RTP from this side again",
      "browser media: ICE: lost, no check from the browser for 7 s",
      "browser media: ICE: address 192.0.2.78:2 chosen in the place of the one before",
      "browser media: ICE: checks come again",
    ]);
  });

  it("tell who holds and retrieves", async () => {
    const bench = open();
    await bench.established();
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "hold"]]);
    await bench.pass();
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "talk"]]);
    await bench.pass();
    expect(notes(bench).filter((note) => /hold /.test(note) && / state: /.test(note))).toEqual([
      "call state: hold not-held -> by-sip-server (notify-hold)",
      "call state: hold by-sip-server -> not-held (notify-talk)",
    ]);
    expect(notes(bench)).toContain(
      "call event: NOTIFY of SIP Server (event: hold, state: established, act: hold)",
    );
  });

  it("tell that a client lost its connection and came back", async () => {
    const bench = open();
    await bench.established();
    const { flow } = bench.presence;
    bench.presence.flow = undefined;
    bench.registrarEvents.emit("flow-lost", bench.presence);
    bench.presence.flow = flow;
    bench.registrarEvents.emit("flow-resumed", bench.presence);
    await bench.pass();
    expect(notes(bench).filter((note) => note.includes("the client "))).toEqual([
      "call event: the client has no connection: its grace time runs",
      "call event: the client goes by another connection",
    ]);
  });

  it("tell that talk patience began, and timer C when it is over", async () => {
    const bench = open({ allowEvents: ["talk"] });
    await bench.callAgent();
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "talk"]]);
    await bench.pass();
    expect(notes(bench)).toContainEqual(
      expect.stringMatching(/talk patience runs: the page must answer \(seconds: \d/),
    );
    const silent = open();
    await silent.callAgent();
    await silent.pass(186_000);
    expect(notes(silent)).toContain("call event: timer C is over (seconds: 185)");
  });

  it("tell the session timer and its refreshes", async () => {
    const bench = open();
    bench.trunk.terms = {
      options: ["timer"],
      timer: { offerSeconds: 90, minSeconds: 90, refresher: "peer", assumeUpdate: true },
    };
    await bench.callAgent(genesysSdp());
    bench.browser.received.accept(browserSdp({ setup: "active", payloads: "111 110" }));
    await bench.pass(46_000);
    const told = notes(bench).filter((note) => note.includes("session timer") || note.includes("session is"));
    expect(told[0]).toBe("sip_server event: session timer runs (seconds: 90, refresher: us)");
    expect(told).toContain("sip_server event: session is refreshed");
  });

  it("have the quality as a curve and the counters beside them, of a call that runs and of one that is over", async () => {
    const bench = open();
    await bench.established();
    const last = { mos: 4.1, lossPercent: 1, burstLossPercent: 0, jitterMs: 3, roundTripMs: 20 };
    const statistics = (packetsReceived: number): MediaStatistics => ({
      browser: { ...sideStatistics, packetsReceived, received: { last, call: undefined } },
      trunk: sideStatistics,
    });
    bench.media.last.events.emit("quality", statistics(250));
    const running = jsonOf(bench);
    expect(running.state).toBe("established");
    expect(running.quality).toMatchObject([{ from_browser: { mos: 4.1, round_trip_ms: 20 } }]);
    expect(running.counters).toMatchObject({ browser: { packets_received: 250 } });
    expect(notes(bench).filter((note) => note.includes("quality"))).toEqual([]);
    bench.media.last.events.emit("closed", "worker failed", statistics(260));
    await bench.pass();
    expect(jsonOf(bench)).toMatchObject({ state: "ended", counters: { browser: { packets_received: 260 } } });
    expect(jsonOf(bench).quality).toHaveLength(1);
  });
});
