import { describe, expect, it } from "vitest";
import { browserSdp, genesysSdp } from "../../support/descriptions.ts";
import { nothingLeft } from "../../support/b2bua-bench.ts";
import { WrtcCallsBench } from "../../support/wrtc-calls-bench.ts";

const cleared = { ...nothingLeft };

describe("a WRTC client's own call", () => {
  it("is not dialled while the end of the call before is unread: that would end it at the client alone", async () => {
    const bench = new WrtcCallsBench();
    bench.client.unreadKinds = { bye: "waiting" };
    await bench.dialFrom();
    expect(bench.client.told).toEqual(["bye"]);
    expect(bench.b2bua.calls()).toEqual([]);
    // It hangs up itself, and so has put itself back: what it has not read counts no more.
    bench.client.bye();
    await bench.dialFrom();
    expect(bench.trunk.received.request.uri.user).toBe("1003");
  });

  it("is an INVITE of its DN, and the far side's answer is one ANSWER with the OFFER's ids", async () => {
    const bench = new WrtcCallsBench();
    await bench.dialFrom("+15551234");
    const { request } = bench.trunk.received;
    expect(request.uri.raw).toBe("sip:+15551234@192.0.2.10:5060");
    expect(request.from.uri.user).toBe("5001");
    expect(bench.client.told).toEqual([]);
    bench.trunk.received.progress(180);
    await bench.pass();
    expect(bench.client.told).toEqual([]);
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    expect(bench.client.told).toEqual(["answer"]);
    const { sdp, ids } = bench.client.last("answer");
    expect(sdp).toMatch(/^m=audio 20100 UDP\/TLS\/RTP\/SAVPF 111/m);
    expect(ids).toMatchObject({ offererSessionId: 103, seq: 1, tiebreaker: 77 });
    expect(ids.answererSessionId).toBeTypeOf("number");
    expect(bench.client.messages[0]?.peer).toBe("+15551234");
    expect(bench.media.last.told).toContain("connect");
    bench.client.bye();
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toMatch(/^ended BYE/);
    expect(bench.records[0]).toMatchObject({ endedBy: "agent", status: 200 });
    expect(bench.client.told).toEqual(["answer"]);
    expect(await bench.remains()).toEqual(cleared);
  });

  it("has early media by its one ANSWER, and no second one when the far side answers", async () => {
    const bench = new WrtcCallsBench();
    await bench.dialFrom();
    bench.trunk.received.progress(183, genesysSdp());
    await bench.pass();
    expect(bench.client.told).toEqual(["answer"]);
    expect(bench.media.last.told.filter((line) => line === "connect")).toHaveLength(1);
    bench.trunk.received.progress(183, genesysSdp({ port: 8100 }));
    bench.trunk.received.accept(genesysSdp({ port: 8200 }));
    await bench.pass();
    expect(bench.client.told).toEqual(["answer"]);
    expect(bench.media.last.trunkRemote?.port).toBe(8200);
    expect(bench.b2bua.calls()[0]?.state).toBe("established");
  });

  it("that fails is an ERROR and a BYE, in this order, with the word for the status", async () => {
    const words: [number, string][] = [
      [404, "NOMATCH"],
      [484, "NOMATCH"],
      [486, "REFUSED"],
      [603, "REFUSED"],
      [408, "TIMEOUT"],
      [480, "TIMEOUT"],
      [500, "FAILED"],
    ];
    for (const [status, word] of words) {
      const bench = new WrtcCallsBench();
      await bench.dialFrom();
      bench.trunk.received.reject(status);
      await bench.pass();
      expect(bench.client.told).toEqual([`error ${word}`, "bye"]);
      expect(bench.client.last("error").reason).toContain(String(status));
      expect(bench.client.calls.busy).toBe(false);
      expect(await bench.remains()).toEqual(cleared);
    }
  });

  it("that fails after early media is reset by ERROR and BYE too", async () => {
    const bench = new WrtcCallsBench();
    await bench.dialFrom();
    bench.trunk.received.progress(183, genesysSdp());
    await bench.pass();
    bench.trunk.received.reject(486);
    await bench.pass();
    expect(bench.client.told).toEqual(["answer", "error REFUSED", "bye"]);
    expect(await bench.remains()).toEqual(cleared);
  });

  it("is cancelled by BYE before the answer, and ended by it when the 200 crosses", async () => {
    const bench = new WrtcCallsBench();
    await bench.dialFrom();
    bench.trunk.received.progress(180);
    await bench.pass();
    bench.client.bye();
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["failed 487"]);
    const crossing = new WrtcCallsBench();
    await crossing.dialFrom();
    crossing.trunk.received.progress(180);
    await crossing.pass();
    crossing.trunk.received.accept(genesysSdp());
    crossing.client.bye();
    await crossing.pass();
    const sent = crossing.network.startLines("192.0.2.20:5070").map((line) => line.split(" ")[0]);
    expect(sent.slice(-2)).toEqual(["ACK", "BYE"]);
    for (const one of [bench, crossing]) {
      expect(one.client.told).toEqual([]);
      expect(await one.remains()).toEqual(cleared);
    }
  });

  it("is ended by BYE when the far side hangs up", async () => {
    const bench = new WrtcCallsBench();
    await bench.dialledAndAnswered(genesysSdp());
    bench.trunk.received.session.bye();
    await bench.pass();
    expect(bench.client.told).toEqual(["bye"]);
    expect(bench.client.calls.busy).toBe(false);
    expect(await bench.remains()).toEqual(cleared);
  });

  it("goes to what was addressed, as a number: feature codes, URIs with parameters, escapes", async () => {
    const numbers: [string, string][] = [
      ["*72", "*72"],
      ["sip:1010@somewhere;user=phone", "1010"],
      ["sip:+49891@h:5060;x=y", "+49891"],
      ["tel:+49-89-1", "+49891"],
      ["1010@somewhere", "1010"],
      ["+49%2089%201", "+49891"],
      ["john.doe", "john.doe"],
    ];
    for (const [to, user] of numbers) {
      const bench = new WrtcCallsBench();
      await bench.dialFrom(to);
      expect(bench.trunk.received.request.uri.user?.replaceAll("%2A", "*")).toBe(user);
    }
  });

  it("to nobody is refused as such: empty, null, or nothing that could be dialled", async () => {
    for (const to of ["", "null", "undefined", "sip:", "<script>", "a b\u0007"]) {
      const bench = new WrtcCallsBench();
      await bench.dialFrom(to);
      expect(bench.client.told).toEqual(["error NOMATCH", "bye"]);
      expect(bench.trunk.incoming).toBeUndefined();
      expect(await bench.remains()).toEqual(cleared);
    }
  });

  it("whose OFFER cannot be served is refused without a word to SIP Server", async () => {
    for (const sdp of ["no SDP", browserSdp({ payloads: "18" }), ""]) {
      const bench = new WrtcCallsBench();
      await bench.dialFrom("1003", sdp);
      expect(bench.client.told.at(-1)).toBe("bye");
      expect(bench.client.told[0]).toMatch(/^error (REFUSED|FAILED)$/);
      expect(bench.trunk.incoming).toBeUndefined();
      expect(await bench.remains()).toEqual(cleared);
    }
  });

  it("needs its DN in service, but an anonymous client's does not", async () => {
    const down = { state: "rejected", reason: "404 Not Found" } as const;
    const bench = new WrtcCallsBench();
    bench.trunkStatus = down;
    await bench.dialFrom();
    expect(bench.client.told).toEqual(["error TIMEOUT", "bye"]);
    expect(bench.client.last("error").reason).toContain("not in service");
    const anonymous = new WrtcCallsBench({ anonymous: true });
    anonymous.trunkStatus = down;
    await anonymous.dialFrom();
    anonymous.trunk.received.accept(genesysSdp());
    await anonymous.pass();
    expect(anonymous.client.told).toEqual(["answer"]);
  });

  it("is refused while the gateway is drained", async () => {
    const bench = new WrtcCallsBench();
    bench.b2bua.draining = true;
    await bench.dialFrom();
    expect(bench.client.told).toEqual(["error FAILED", "bye"]);
    expect(bench.b2bua.refusals.get(503)).toBe(1);
  });

  it("is given up for another one that the client begins without a BYE", async () => {
    const bench = new WrtcCallsBench();
    await bench.dialFrom("1003");
    const first = bench.trunk.received;
    first.progress(180);
    await bench.pass();
    await bench.dialFrom("1004", browserSdp({ ufrag: "efgh" }));
    expect(bench.trunk.user.told).toEqual(["failed 487"]);
    expect(bench.trunk.received.request.uri.user).toBe("1004");
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    expect(bench.client.told).toEqual(["answer"]);
    expect(bench.b2bua.calls()).toHaveLength(1);
  });

  it("is one INVITE however often the same OFFER comes", async () => {
    const bench = new WrtcCallsBench();
    await bench.dialFrom();
    await bench.dialFrom();
    await bench.dialFrom();
    const invites = bench.network.sent.filter(({ text }) => text.startsWith("INVITE"));
    expect(new Set(invites.map(({ text }) => /^Call-ID: (.*)\r$/m.exec(text)?.[1])).size).toBe(1);
    expect(bench.b2bua.setUps).toBe(1);
    expect(bench.b2bua.calls()).toHaveLength(1);
    expect(bench.client.told).toEqual([]);
  });

  it("ends with the session: CANCEL before the answer, BYE after it", async () => {
    const bench = new WrtcCallsBench();
    await bench.dialFrom();
    bench.trunk.received.progress(180);
    await bench.pass();
    bench.client.calls.close("session expired");
    bench.client.calls.close("session expired");
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["failed 487"]);
    const running = new WrtcCallsBench();
    await running.dialledAndAnswered(genesysSdp());
    running.client.calls.close("session expired");
    await running.pass();
    expect(running.trunk.user.told[0]).toMatch(/^ended BYE.*session expired/);
    for (const one of [bench, running]) {
      expect(one.client.told).toEqual(["bye"]);
      expect(one.legs.size).toBe(0);
      expect(await one.remains()).toEqual(cleared);
      one.client.offer("1003");
      expect(one.b2bua.size).toBe(0);
    }
  });
});

describe("a call of a WRTC client to itself", () => {
  it("is an echo call: answered, and no word to SIP Server", async () => {
    const bench = new WrtcCallsBench();
    await bench.dialFrom("self");
    expect(bench.client.told).toEqual(["answer"]);
    expect(bench.trunk.incoming).toBeUndefined();
    bench.client.bye();
    expect(await bench.remains()).toEqual(cleared);
  });
});
