import { describe, expect, it } from "vitest";
import type { SessionTerms } from "../../../src/sip/index.ts";
import { nothingRemains, WirePeer } from "../../support/wire-peer.ts";

const withUpdate = "Allow: INVITE, ACK, BYE, CANCEL, UPDATE";
const withoutUpdate = "Allow: INVITE, ACK, BYE, CANCEL";
/** As SIP Server's INVITE has it (genesys-sip-server.md 5.1, 8). */
const sipServer = ["Session-Expires: 1800;refresher=uac", "Min-SE: 90", "Supported: uui,100rel,timer"];

function terms(timer: Partial<NonNullable<SessionTerms["timer"]>> = {}): SessionTerms {
  return {
    options: ["timer", "100rel"],
    timer: { offerSeconds: 1800, minSeconds: 90, refresher: "peer", ...timer },
  };
}

/** A call of the peer's that runs, with `lines` in its INVITE. */
function established(lines: readonly string[], ours: SessionTerms = terms()): WirePeer {
  const peer = new WirePeer(ours);
  peer.send("INVITE", { body: "offer", toTag: "", lines });
  peer.incoming?.accept("answer");
  peer.settle();
  peer.send("ACK", { cseq: 1 });
  peer.settle();
  return peer;
}

/** A call of ours that runs; `lines` in the peer's 200. */
function answered(lines: readonly string[], ours: SessionTerms = terms()): WirePeer {
  const peer = new WirePeer(ours);
  peer.call();
  peer.answer(peer.requestOf("INVITE"), 200, { body: "answer", lines });
  peer.settle();
  peer.user.told.length = 0;
  return peer;
}

function okOf(peer: WirePeer, cseq: string) {
  const ok = peer.responses(cseq).find(({ status }) => status === 200);
  if (!ok) throw new Error(`no 200 to ${cseq}`);
  return ok;
}

describe("a session timer that SIP Server asks for", () => {
  it("is agreed to with SIP Server as the refresher", () => {
    const ok = okOf(established(sipServer), "1 INVITE");
    expect(ok.header("Session-Expires")).toBe("1800;refresher=uac");
    expect(ok.header("Require")).toBe("timer");
  });

  it("is taken in its compact form, and left to SIP Server where it names no refresher", () => {
    const ok = okOf(established(["x: 1800", "k: timer"]), "1 INVITE");
    expect(ok.header("Session-Expires")).toBe("1800;refresher=uac");
  });

  it("makes us refresh where the other side does not know timers and a proxy asked", () => {
    const ok = okOf(established(["Session-Expires: 1800"]), "1 INVITE");
    expect(ok.header("Session-Expires")).toBe("1800;refresher=uas");
    expect(ok.header("Require")).toBeUndefined();
  });

  it.each(["", "soon", "-90", "12345678901", "1e9"])("is none when it reads %j", (value) => {
    const ok = okOf(established([`Session-Expires: ${value}`, "Supported: timer"]), "1 INVITE");
    expect(ok.header("Session-Expires")).toBeUndefined();
  });

  it("is cut to a day, so that no timer of the system overflows", () => {
    const peer = established(["Session-Expires: 4294967295;refresher=uas", "Supported: timer", withUpdate]);
    expect(okOf(peer, "1 INVITE").header("Session-Expires")).toBe("86400;refresher=uas");
    peer.settle(60_000);
    expect(peer.requests("UPDATE")).toEqual([]);
    peer.session.close();
  });

  it("is ignored altogether where the configuration says so", () => {
    const peer = established(sipServer, { options: ["100rel"] });
    expect(okOf(peer, "1 INVITE").header("Session-Expires")).toBeUndefined();
    peer.settle(7_200_000);
    expect(peer.session.state).toBe("established");
    peer.session.close();
  });

  it("begins anew with each re-INVITE and UPDATE, with and without SDP", () => {
    const peer = established(sipServer);
    const refreshes = [
      ["UPDATE", ""],
      ["UPDATE", "same"],
      ["INVITE", "same"],
    ] as const;
    for (const [index, [method, body]] of refreshes.entries()) {
      peer.settle(1_700_000);
      peer.send(method, { body, lines: sipServer });
      peer.settle();
      const ok = okOf(peer, `${index + 2} ${method}`);
      expect(ok.header("Session-Expires")).toBe("1800;refresher=uac");
      expect(ok.header("Contact")).toBeDefined();
    }
    peer.send("ACK", { cseq: 4 });
    peer.settle(1_700_000);
    expect(peer.session.state).toBe("established");
    expect(peer.remains()).toEqual(nothingRemains);
    expect(peer.user.told.at(-1)).toBe("ended session timer expired: no refresh and no sound");
  });

  it("stops with a re-INVITE that asks for none", () => {
    const peer = established(sipServer);
    peer.send("INVITE", { body: "moved" });
    peer.settle();
    peer.send("ACK", { cseq: 2 });
    peer.settle(7_200_000);
    expect(peer.session.state).toBe("established");
    peer.session.close();
  });

  it("gets 422 with Min-SE when it is too short, also within the dialog", () => {
    const peer = established(sipServer, terms({ minSeconds: 600 }));
    const update = peer.send("UPDATE", { lines: ["Session-Expires: 300", "Supported: timer"] });
    peer.settle();
    expect(peer.finals(update)).toEqual([422]);
    expect(peer.responses("2 UPDATE")[0]?.header("Min-SE")).toBe("600");
    peer.settle(1_700_000);
    expect(peer.session.state).toBe("established");
    peer.session.close();
  });
});

describe("a session past its time", () => {
  it("ends with BYE and a reason when no sound comes, not a second before", () => {
    const peer = established(sipServer);
    peer.settle(1_799_000);
    expect(peer.session.state).toBe("established");
    peer.settle(2000);
    expect(peer.requestOf("BYE").header("Reason")).toBe('SIP;cause=408;text="Session Timer Expired"');
    expect(peer.user.told.at(-1)).toBe("ended session timer expired: no refresh and no sound");
    expect(peer.remains()).toEqual(nothingRemains);
  });

  it("goes on while sound comes, and ends within 30 s of its end", () => {
    const peer = established(sipServer);
    peer.user.hears = true;
    peer.settle(7_200_000);
    expect(peer.session.state).toBe("established");
    peer.user.hears = false;
    peer.settle(31_000);
    expect(peer.session.state).toBe("terminated");
    expect(peer.remains()).toEqual(nothingRemains);
  });

  it("lives on when the refresh comes late, but comes", () => {
    const peer = established(sipServer);
    peer.user.hears = true;
    peer.settle(1_900_000);
    peer.send("UPDATE", { lines: sipServer });
    peer.user.hears = false;
    peer.settle(1_700_000);
    expect(peer.session.state).toBe("established");
    peer.session.close();
  });
});

describe("a request within the dialog that nobody answers", () => {
  it("ends a session without sound, and none that has sound", () => {
    for (const hears of [false, true]) {
      const peer = established(sipServer);
      peer.user.hears = hears;
      peer.session.request("INFO");
      peer.settle(33_000);
      expect(peer.session.state).toBe(hears ? "established" : "terminated");
      peer.session.close();
    }
  });

  it("ends it all the same when it is answered 481", () => {
    const peer = established(sipServer);
    peer.user.hears = true;
    peer.session.request("INFO");
    peer.settle();
    peer.answer(peer.requestOf("INFO"), 481);
    expect(peer.session.state).toBe("terminated");
  });
});

describe("a session timer of ours", () => {
  it("is offered with the seconds configured, the refresher left open, or not at all", () => {
    const [open, us, none] = [terms(), terms({ refresher: "us" }), terms({ offerSeconds: 0 })].map((ours) => {
      const peer = new WirePeer(ours);
      peer.call();
      return peer.requestOf("INVITE").header("Session-Expires");
    });
    expect([open, us, none]).toEqual(["1800", "1800;refresher=uac", undefined]);
  });

  it("is refreshed by UPDATE at half its interval where Allow has it, again and again", () => {
    const peer = answered(["Session-Expires: 1800;refresher=uac", "Require: timer", withUpdate]);
    for (let round = 1; round <= 3; round++) {
      peer.settle(899_000);
      expect(peer.requests("UPDATE")).toHaveLength(round - 1);
      peer.settle(1100);
      const update = peer.requestOf("UPDATE");
      expect(peer.requests("UPDATE")).toHaveLength(round);
      expect([update.body, update.header("Session-Expires")]).toEqual(["", "1800;refresher=uac"]);
      peer.answer(update, 200, { lines: ["Session-Expires: 1800;refresher=uac"] });
    }
    peer.session.bye();
    expect(peer.remains()).toEqual(nothingRemains);
  });

  it("is refreshed by re-INVITE with the same description where Allow has no UPDATE, the answer told", () => {
    const peer = answered(["Session-Expires: 1800;refresher=uac", withoutUpdate]);
    peer.settle(900_100);
    expect(peer.requests("UPDATE")).toEqual([]);
    const again = peer.requestOf("INVITE");
    expect([again.body, again.header("Session-Expires")]).toEqual(["offer", "1800;refresher=uac"]);
    peer.answer(again, 200, { body: "moved answer", lines: ["Session-Expires: 1800;refresher=uac"] });
    peer.settle();
    expect(peer.user.told).toEqual(["refresh answer moved answer"]);
    expect(peer.requestOf("ACK").cseq).toBe("2 ACK");
    peer.session.close();
  });

  it("goes by the latest Allow: SIP Server's re-INVITE leaves UPDATE out", () => {
    const peer = answered(["Session-Expires: 1800;refresher=uac", withUpdate]);
    peer.send("INVITE", { body: "moved", lines: ["Session-Expires: 1800;refresher=uas", withoutUpdate] });
    peer.settle();
    peer.send("ACK", { cseq: 1 });
    peer.settle(900_100);
    expect(peer.requests("UPDATE")).toEqual([]);
    // Our last description was the answer to theirs.
    expect(peer.requestOf("INVITE").body).toBe("answer to moved");
    peer.session.close();
  });

  it("is refreshed by UPDATE where the peer never said Allow and its kind is known to take it", () => {
    const peer = answered(["Session-Expires: 1800;refresher=uac"], terms({ assumeUpdate: true }));
    peer.settle(900_100);
    peer.answer(peer.requestOf("UPDATE"), 405);
    peer.settle();
    expect(peer.requestOf("INVITE").cseq).toBe("3 INVITE");
    peer.session.close();
  });

  it("is left to a called side that says it refreshes", () => {
    const peer = answered(["Session-Expires: 300;refresher=uas", "Require: timer", withUpdate]);
    peer.settle(299_000);
    expect(peer.requests("UPDATE")).toEqual([]);
    peer.settle(2000);
    expect(peer.session.state).toBe("terminated");
  });

  it("is none where the called side does not know timers", () => {
    const peer = answered([withUpdate]);
    peer.settle(7_200_000);
    expect(peer.requests("UPDATE")).toEqual([]);
    expect(peer.session.state).toBe("established");
    peer.session.close();
  });

  it("is carried by a hold of ours, which refreshes too", () => {
    const peer = answered(["Session-Expires: 1800;refresher=uas", withUpdate]);
    peer.settle(1_000_000);
    peer.session.reinvite(() => "hold", { onAnswer: () => undefined });
    peer.settle();
    const hold = peer.requestOf("INVITE");
    expect(hold.header("Session-Expires")).toBe("1800;refresher=uas");
    peer.answer(hold, 200, { body: "held", lines: ["Session-Expires: 1800;refresher=uas"] });
    peer.settle(1_700_000);
    expect(peer.session.state).toBe("established");
    peer.session.close();
  });

  it("is refreshed again in half the time left after a refusal, and ends the session at its time if all are refused", () => {
    const peer = answered(["Session-Expires: 1800;refresher=uac", withUpdate]);
    peer.autoAnswer = 500;
    peer.settle(900_100);
    expect(peer.requests("UPDATE")).toHaveLength(1);
    peer.settle(450_000);
    expect(peer.requests("UPDATE")).toHaveLength(2);
    peer.settle(451_000);
    expect(peer.user.told).toEqual(["ended session timer expired: no refresh and no sound"]);
    // From 10 s before the end on there is nothing left to halve.
    expect(peer.requests("UPDATE").length).toBeLessThan(12);
    expect(peer.remains()).toEqual(nothingRemains);
  });

  it("is asked after at its own pace when the peer is silent but sound comes, and mends when it is back", () => {
    const peer = answered(["Session-Expires: 1800;refresher=uac", withUpdate]);
    peer.user.hears = true;
    peer.settle(7_200_000);
    expect(peer.session.state).toBe("established");
    const sequences = new Set(peer.requests("UPDATE").map(({ cseq }) => cseq));
    expect(sequences.size).toBeLessThan(20);
    peer.autoAnswer = 200;
    peer.user.hears = false;
    peer.session.bye();
    expect(peer.remains()).toEqual(nothingRemains);
  });
});

describe("422 to ours", () => {
  it("makes the INVITE go out again with the longer interval, the same Call-ID and the next CSeq", () => {
    const peer = new WirePeer(terms({ offerSeconds: 90 }));
    peer.call();
    const first = peer.requestOf("INVITE");
    peer.answer(first, 422, { lines: ["Min-SE: 600"] });
    peer.settle();
    const second = peer.requestOf("INVITE");
    expect([second.header("Session-Expires"), second.header("Min-SE")]).toEqual(["600", "600"]);
    expect([second.cseq, second.header("Call-ID"), second.tag.from]).toEqual([
      "2 INVITE",
      first.header("Call-ID"),
      first.tag.from,
    ]);
    expect(second.body).toBe("offer");
    peer.answer(second, 200, { body: "answer", lines: ["Session-Expires: 600;refresher=uas"] });
    peer.settle();
    expect(peer.requestOf("ACK").cseq).toBe("2 ACK");
    expect(peer.session.state).toBe("established");
    peer.session.bye();
    expect(peer.remains()).toEqual(nothingRemains);
  });

  it.each([
    ["without Min-SE", []],
    ["with no more than was offered", ["Min-SE: 1800"]],
    ["with more than a day", ["Min-SE: 90000"]],
  ])("%s fails the call", (_words, lines) => {
    const peer = new WirePeer(terms());
    peer.call();
    peer.answer(peer.requestOf("INVITE"), 422, { lines });
    peer.settle();
    expect(peer.user.told).toEqual(["failed 422"]);
    expect(peer.remains()).toEqual(nothingRemains);
  });

  it("is followed three times, no more", () => {
    const peer = new WirePeer(terms({ offerSeconds: 90 }));
    peer.call();
    for (let more = 100; more < 1000; more += 100) {
      const request = peer.requestOf("INVITE");
      if (peer.user.told.length === 0) peer.answer(request, 422, { lines: [`Min-SE: ${more}`] });
      peer.settle();
    }
    expect(new Set(peer.requests("INVITE").map(({ cseq }) => cseq)).size).toBe(4);
    expect(peer.user.told).toEqual(["failed 422"]);
  });

  it("is not followed by a call that was given up meanwhile", () => {
    const peer = new WirePeer(terms({ offerSeconds: 90 }));
    peer.call();
    peer.outgoing?.cancel();
    peer.answer(peer.requestOf("INVITE"), 422, { lines: ["Min-SE: 600"] });
    peer.settle();
    expect(peer.requests("INVITE")).toHaveLength(1);
    expect(peer.remains()).toEqual(nothingRemains);
  });

  it("to a refresh is followed three times in a row, no more", () => {
    const peer = answered(["Session-Expires: 1800;refresher=uac", withUpdate]);
    peer.settle(900_100);
    for (let more = 2000; more < 3000; more += 100) {
      if (peer.requests("UPDATE").length < 10)
        peer.answer(peer.requestOf("UPDATE"), 422, { lines: [`Min-SE: ${more}`] });
      peer.settle(10);
    }
    expect(new Set(peer.requests("UPDATE").map(({ cseq }) => cseq)).size).toBe(4);
    peer.session.close();
  });

  it("raises the interval of a refresh, whichever way it went", () => {
    for (const [allow, method] of [
      [withUpdate, "UPDATE"],
      [withoutUpdate, "INVITE"],
    ] as const) {
      const peer = answered(["Session-Expires: 1800;refresher=uac", allow]);
      peer.settle(900_100);
      peer.answer(peer.requestOf(method), 422, { lines: ["Min-SE: 3600"] });
      peer.settle(10);
      const again = peer.requestOf(method);
      expect(again.header("Session-Expires")).toBe("3600;refresher=uac");
      expect(again.header("Min-SE")).toBe("3600");
      peer.session.close();
    }
  });
});
