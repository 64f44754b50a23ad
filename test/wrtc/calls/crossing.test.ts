import { describe, expect, it } from "vitest";
import { nothingLeft } from "../../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../../support/descriptions.ts";
import { seeded, type Pick } from "../../support/seeded.ts";
import { WrtcCallsBench } from "../../support/wrtc-calls-bench.ts";

const one = <Value>(pick: Pick, ...values: readonly [Value, ...Value[]]): Value =>
  values[pick(values.length)] ?? values[0];

/** What either side may do at any time, sensible there or not. */
const acts: readonly ((bench: WrtcCallsBench, pick: Pick) => unknown)[] = [
  ({ client }, pick) =>
    client.offer(
      one(pick, "1003", "1003", "null", "self"),
      browserSdp({
        direction: one(pick, "sendrecv", "inactive", "recvonly"),
        ufrag: one(pick, "abcd", "efgh"),
        payloads: one(pick, "111 0 110", "111 0 110", "18"),
      }).replace("o=- 38", `o=- ${client.byes}${pick(2)}`),
      one(pick, [], [{ key: "Account", value: pick(3) }]),
    ),
  ({ client }, pick) => {
    if (client.told.includes("offer"))
      client.answer(one(pick, browserSdp({ setup: "active", payloads: "111 110" }), "no SDP"));
  },
  ({ client }) => client.bye(),
  ({ client }, pick) => client.info(one(pick, "to-server", "to-peer"), "a=1"),
  ({ client }) => client.calls.receive({ kind: "get-stats" }, "1003"),
  ({ client }, pick) => (client.presence.reachable = pick(2) === 0),
  (bench, pick) => (pick(2) === 0 ? bench.callAgent() : bench.callAgentOfferless()),
  ({ trunk }) => trunk.outgoing?.cancel(),
  ({ trunk }, pick) => trunk.outgoing?.session.request("NOTIFY", [["Event", one(pick, "talk", "hold")]]),
  ({ trunk }) => trunk.outgoing?.session.request("INFO", [["Content-Type", "text/plain"]], "b=2"),
  ({ trunk }, pick) => {
    const { incoming } = trunk;
    if (!incoming?.pending) return;
    const answer = pick(3);
    if (answer === 0) incoming.progress(183, genesysSdp());
    else if (answer === 1) incoming.reject(one(pick, 404, 486, 603));
    else incoming.accept(genesysSdp());
  },
  ({ trunk }, pick) =>
    (trunk.incoming?.session ?? trunk.outgoing?.session)?.reinvite(
      () => genesysSdp({ direction: one(pick, "sendrecv", "inactive") }),
      { onAnswer: () => undefined },
    ),
  ({ trunk }) => {
    for (const session of [trunk.incoming?.session, trunk.outgoing?.session])
      if (session?.established) session.bye();
  },
];

describe("whatever a WRTC client and SIP Server do, in whatever order", () => {
  it("confuses no client, throws nothing, is one call at a time, and leaves nothing behind", async () => {
    const states = new Set<string>();
    for (let seed = 1; seed <= 60; seed++) {
      const pick = seeded(seed);
      const bench = new WrtcCallsBench();
      bench.trunk.user.onOfferReceived = (sdp, reply) =>
        reply.accept(sdp.includes("a=sendonly") ? genesysSdp({ direction: "recvonly" }) : genesysSdp());
      for (let step = 0; step < 20; step++) {
        acts[pick(acts.length)]?.(bench, pick);
        if (pick(2) === 0) await bench.pass(5 + pick(20));
        expect(bench.b2bua.calls().length + bench.b2bua.echoes).toBeLessThanOrEqual(1);
        for (const { state } of bench.b2bua.calls()) states.add(state);
      }
      bench.client.calls.close("session over");
      bench.client.presence.gone = true;
      expect({ seed, confused: bench.client.confused }).toEqual({ seed, confused: [] });
      await bench.pass(100);
      for (const session of [bench.trunk.incoming?.session, bench.trunk.outgoing?.session]) session?.bye();
      expect({ seed, left: await bench.remains(200_000) }).toEqual({ seed, left: nothingLeft });
    }
    expect([...states].toSorted()).toEqual(["answering", "established", "ringing", "setting-up"]);
  });
});
