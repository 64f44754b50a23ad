import { describe, expect, it } from "vitest";
import { browserSdp, genesysSdp } from "../../support/descriptions.ts";
import { nothingLeft } from "../../support/b2bua-bench.ts";
import { WrtcCallsBench } from "../../support/wrtc-calls-bench.ts";

/** A WRTC client's call in which SIP Server takes each of our re-INVITEs. */
async function running(): Promise<WrtcCallsBench> {
  const bench = new WrtcCallsBench();
  await bench.callAgent();
  bench.client.answer();
  await bench.pass();
  bench.trunk.user.onOfferReceived = (sdp, reply) =>
    reply.accept(genesysSdp({ direction: reversed(directionOf(sdp)), port: 8400, version: 2 }));
  bench.forget();
  return bench;
}

const directionOf = (sdp: string): string =>
  /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m.exec(sdp)?.[1] ?? "none";
const reversed = (way: string): string =>
  way === "sendonly" ? "recvonly" : way === "recvonly" ? "sendonly" : way;

/** Directions of our re-INVITEs. */
const reinvites = (bench: WrtcCallsBench): string[] =>
  bench.trunk.user.told.filter((line) => line.startsWith("offer")).map((line) => directionOf(line));

async function reoffer(bench: WrtcCallsBench, options: Parameters<typeof browserSdp>[0]): Promise<string> {
  bench.client.offer("1003", browserSdp(options));
  await bench.pass();
  return directionOf(bench.client.last("answer").sdp);
}

async function notify(bench: WrtcCallsBench, event: string): Promise<void> {
  bench.trunk.outgoing?.session.request("NOTIFY", [["Event", event]]);
  await bench.pass();
}

describe("a WRTC client's OFFER within its call", () => {
  it("holds and resumes, three times over, and SIP Server hears each by re-INVITE", async () => {
    const bench = await running();
    for (let round = 0; round < 3; round++) {
      expect(await reoffer(bench, { direction: "inactive" })).toBe("inactive");
      expect(bench.b2bua.calls()[0]?.held).toBe(true);
      expect(await reoffer(bench, { direction: "sendrecv" })).toBe("sendrecv");
      expect(bench.b2bua.calls()[0]?.held).toBe(false);
    }
    expect(reinvites(bench)).toEqual([
      "sendonly",
      "sendrecv",
      "sendonly",
      "sendrecv",
      "sendonly",
      "sendrecv",
    ]);
    expect(bench.client.told).toEqual(Array.from({ length: 6 }, () => "answer"));
    expect(bench.client.last("answer").ids).toMatchObject({ offererSessionId: 103, seq: 6 });
  });

  it("of the same transport is answered with ours unchanged", async () => {
    const bench = await running();
    await reoffer(bench, {});
    expect(bench.media.last.told.some((line) => /restart|renew/.test(line))).toBe(false);
    expect(bench.client.last("answer").sdp).toContain("a=ice-ufrag:ufrg");
    await reoffer(bench, {});
    expect(bench.client.told).toEqual(["answer", "answer"]);
    expect(reinvites(bench)).toEqual([]);
  });

  it("with another ufrag of the same PeerConnection restarts ICE", async () => {
    const bench = await running();
    await reoffer(bench, { ufrag: "efgh" });
    expect(bench.media.last.told).toContain("restart ICE");
    expect(bench.client.last("answer").sdp).toContain("a=ice-ufrag:new-ufrag");
  });

  it("of another PeerConnection gets a transport of its own, by its o= or by its certificate", async () => {
    for (const change of [
      (sdp: string) => sdp.replace("3861042013437020241", "5550000000000000000"),
      (sdp: string) => sdp.replaceAll("0A:", "0B:"),
    ]) {
      const bench = await running();
      bench.client.offer("1003", change(browserSdp({ ufrag: "efgh" })));
      await bench.pass();
      expect(bench.media.last.told).toContain("renew browser");
      expect(bench.client.last("answer").sdp).toContain("a=ice-ufrag:renewed-ufrag");
      bench.client.offer("1003", change(browserSdp({ ufrag: "efgh", direction: "inactive" })));
      await bench.pass();
      expect(bench.media.last.told.filter((line) => line === "renew browser")).toHaveLength(1);
      bench.client.offer("1003", change(browserSdp({ ufrag: "ijkl" })));
      await bench.pass();
      expect(bench.media.last.told.filter((line) => line === "renew browser")).toHaveLength(1);
      expect(bench.client.told).toEqual(["answer", "answer", "answer"]);
    }
  });

  it("of another PeerConnection may come ten seconds after the one before said goodbye", async () => {
    const bench = await running();
    expect(bench.media.last.browserRemote?.farewellMs).toBe(10_000);
  });

  it("that can never be answered ends the call: its client would wait for a minute, and do nothing else", async () => {
    const bench = await running();
    bench.client.offer("1003", browserSdp({ payloads: "18" }));
    await bench.pass();
    expect(bench.client.told).toEqual(["error REFUSED", "bye"]);
    expect(bench.trunk.user.told.at(-1)).toMatch(/^ended|^bye/);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("that cannot be answered just now is tried again, and the call goes on", async () => {
    const bench = await running();
    const session = bench.media.last;
    const restartIce = session.restartIce.bind(session);
    let failures = 2;
    session.restartIce = async () => {
      if (failures-- > 0) throw new Error("no room");
      return restartIce();
    };
    bench.client.offer("1003", browserSdp({ ufrag: "efgh" }));
    await bench.pass();
    expect(bench.client.told).toEqual([]);
    await bench.pass(4100);
    expect(bench.client.told).toEqual(["answer"]);
    failures = 1;
    bench.client.offer("1003", browserSdp({ ufrag: "ijkl", direction: "inactive" }));
    await bench.pass();
    // It has given that one up: the newer one is answered at once.
    bench.client.offer("1003", browserSdp({ ufrag: "mnop" }));
    await bench.pass();
    expect(bench.client.told).toEqual(["answer", "answer"]);
    failures = 99;
    bench.client.offer("1003", browserSdp({ ufrag: "qrst" }));
    await bench.pass(10_100);
    expect(bench.client.told).toEqual(["answer", "answer", "error FAILED", "bye"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("that comes while another is being answered gets the one ANSWER that counts", async () => {
    const bench = await running();
    bench.client.offer("1003", browserSdp({ ufrag: "efgh", direction: "inactive" }));
    bench.client.offer("1003", browserSdp({ ufrag: "ijkl", direction: "inactive" }));
    bench.client.offer("1003", browserSdp({ ufrag: "mnop" }));
    await bench.pass();
    expect(bench.client.told).toEqual(["answer"]);
    expect(directionOf(bench.client.last("answer").sdp)).toBe("sendrecv");
    expect(bench.media.last.browserRemote?.iceUfrag).toBe("mnop");
  });

  it("before the far side has answered waits for that", async () => {
    const bench = new WrtcCallsBench();
    await bench.dialFrom();
    bench.trunk.user.onOfferReceived = (sdp, reply) =>
      reply.accept(genesysSdp({ direction: reversed(directionOf(sdp)) }));
    bench.trunk.received.progress(183, genesysSdp());
    await bench.pass();
    bench.client.offer("1003", browserSdp({ direction: "inactive" }));
    await bench.pass();
    expect(bench.client.told).toEqual(["answer"]);
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    expect(bench.client.told).toEqual(["answer", "answer"]);
    expect(reinvites(bench)).toEqual(["sendonly"]);
  });

  it("before the far side has answered waits no longer than the call may be set up", async () => {
    const bench = new WrtcCallsBench();
    await bench.dialFrom();
    bench.trunk.received.progress(183, genesysSdp());
    await bench.pass();
    bench.client.offer("1003", browserSdp({ direction: "inactive" }));
    await bench.pass(184_000);
    expect(bench.client.told).toEqual(["answer"]);
    await bench.pass(2_000);
    expect(bench.client.told).toEqual(["answer", "error TIMEOUT", "bye"]);
    expect(bench.b2bua.size).toBe(0);
  });

  it("and a re-INVITE of SIP Server's at the same time are both answered", async () => {
    for (const order of ["client first", "SIP Server first"]) {
      const bench = await running();
      const answers: string[] = [];
      const reinvite = (): void =>
        bench.trunk.outgoing?.session.reinvite(() => genesysSdp({ port: 8400, version: 3 }), {
          onAnswer: (sdp) => {
            answers.push(directionOf(sdp));
            return undefined;
          },
        });
      if (order === "SIP Server first") reinvite();
      bench.client.offer("1003", browserSdp({ direction: "inactive" }));
      if (order === "client first") reinvite();
      await bench.pass(6000);
      expect(bench.client.told).toEqual(["answer"]);
      expect(answers).toHaveLength(1);
      expect(bench.media.last.trunkRemote?.port).toBe(8400);
      expect(bench.b2bua.calls()[0]).toMatchObject({ state: "established", held: true });
    }
  });

  it("that crosses the far side's BYE does not dial the far side anew", async () => {
    const bench = await running();
    bench.trunk.outgoing?.session.bye();
    await bench.pass();
    expect(bench.client.told).toEqual(["bye"]);
    bench.client.offer("1003", browserSdp({ direction: "inactive" }));
    await bench.pass();
    expect(bench.trunk.incoming).toBeUndefined();
    expect(bench.client.told).toEqual(["bye", "bye"]);
    bench.client.offer("1003", browserSdp({ ufrag: "efgh" }).replace("o=- 38", "o=- 39"));
    await bench.pass();
    expect(bench.trunk.received.request.uri.user).toBe("1003");
  });

  it("is refused when the call ends meanwhile, and nothing is left", async () => {
    const bench = await running();
    bench.client.offer("1003", browserSdp({ ufrag: "efgh" }));
    bench.trunk.outgoing?.session.bye();
    await bench.pass();
    expect(bench.client.told.at(-1)).toBe("bye");
    bench.client.answer();
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("glare: a WRTC client dials while it is being rung", () => {
  it("its OFFER wins: the caller hears busy, and its own call goes out", async () => {
    const bench = new WrtcCallsBench();
    await bench.callAgent();
    const rings = bench.client.last("offer");
    await bench.dialFrom("1004");
    expect(bench.trunk.user.told.at(-1)).toBe("failed 486");
    expect(bench.trunk.received.request.uri.user).toBe("1004");
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    expect(bench.client.told).toEqual(["offer", "answer"]);
    bench.client.answer(undefined, rings.ids);
    expect(bench.b2bua.calls()).toHaveLength(1);
    expect(bench.b2bua.calls()[0]).toMatchObject({ direction: "from-agent", state: "established" });
  });

  it("the other way round, a call that comes while it dials hears busy at once", async () => {
    const bench = new WrtcCallsBench();
    await bench.dialFrom("1004");
    await bench.callAgent();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 486");
    expect(bench.client.told).toEqual([]);
  });
});

describe("a WRTC client's call that SIP Server controls", () => {
  it("is held by NOTIFY hold as EVENT-HOLD, and resumed by talk as EVENT-TALK", async () => {
    const bench = await running();
    await notify(bench, "hold");
    expect(bench.client.told).toEqual(["hold"]);
    expect(await reoffer(bench, { direction: "inactive" })).toBe("inactive");
    expect(reinvites(bench)).toEqual(["sendonly"]);
    await notify(bench, "talk");
    expect(bench.client.told).toEqual(["hold", "answer", "talk"]);
    expect(await reoffer(bench, { direction: "sendrecv" })).toBe("sendrecv");
    expect(reinvites(bench)).toEqual(["sendonly", "sendrecv"]);
    expect(bench.b2bua.calls()[0]?.held).toBe(false);
  });

  it("is asked to resume only when its hold has been answered", async () => {
    const bench = await running();
    await notify(bench, "hold");
    await notify(bench, "talk");
    expect(bench.client.told).toEqual(["hold"]);
    expect(await reoffer(bench, { direction: "inactive" })).toBe("inactive");
    expect(bench.client.told).toEqual(["hold", "answer", "talk"]);
    await notify(bench, "hold");
    expect(bench.client.told).toEqual(["hold", "answer", "talk"]);
    await reoffer(bench, { direction: "sendrecv" });
    expect(bench.client.told.slice(3)).toEqual(["answer", "hold"]);
  });

  it("is asked to resume without that when it does not offer: it holds already", async () => {
    const bench = await running();
    await reoffer(bench, { direction: "inactive" });
    await notify(bench, "hold");
    await notify(bench, "talk");
    expect(bench.client.told).toEqual(["answer", "hold"]);
    await bench.pass(3000);
    expect(bench.client.told).toEqual(["answer", "hold", "talk"]);
  });

  it("is moved and held by SIP Server's re-INVITEs without a word to the client", async () => {
    const bench = await running();
    for (const direction of ["inactive", "sendonly", "sendrecv"]) {
      bench.trunk.outgoing?.session.reinvite(() => genesysSdp({ direction, port: 8600 }), {
        onAnswer: () => undefined,
      });
      await bench.pass();
    }
    bench.trunk.outgoing?.session.reinvite(() => undefined, { onAnswer: () => genesysSdp() });
    await bench.pass();
    expect(bench.client.told).toEqual([]);
    expect(bench.b2bua.calls()[0]?.state).toBe("established");
  });
});
