import { describe, expect, it } from "vitest";
import type { SessionTerms } from "../../../src/sip/index.ts";
import { nothing, SessionPair } from "../../support/session-pair.ts";
import { nothingRemains, WirePeer, type WireMessage } from "../../support/wire-peer.ts";

const terms: SessionTerms = { options: ["timer", "100rel"] };
const required = ["Require: 100rel"];
const supported = ["Supported: uui,100rel,timer"];

/** A call of the peer's that has not been answered. */
function invited(lines: readonly string[] = required, body = "offer", ours = terms): WirePeer {
  const peer = new WirePeer(ours);
  peer.send("INVITE", { body, toTag: "", lines });
  peer.settle();
  return peer;
}

function provisionals(peer: WirePeer): WireMessage[] {
  return peer.responses("1 INVITE").filter(({ status }) => status > 100 && status < 200);
}

function last(messages: readonly WireMessage[]): WireMessage {
  const found = messages.at(-1);
  if (!found) throw new Error("none was sent");
  return found;
}

/** The PRACK of the last provisional response; returns its final statuses. */
function prack(peer: WirePeer, options: { body?: string; rack?: string } = {}): number[] {
  const rack = options.rack ?? `${last(provisionals(peer)).header("RSeq")} 1 INVITE`;
  const { body } = options;
  const text = peer.send("PRACK", { lines: [`RAck: ${rack}`], ...(body === undefined ? {} : { body }) });
  peer.settle();
  return peer.finals(text);
}

describe("a provisional response to a caller that requires 100rel", () => {
  it("carries Require and RSeq and comes again at 0.5, 1, 2, 4 ... s until its PRACK", () => {
    const peer = invited();
    peer.incoming?.progress(180);
    const seen: number[] = [];
    for (const step of [400, 200, 1000, 2000, 4000]) {
      peer.settle(step);
      seen.push(provisionals(peer).length);
    }
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(last(provisionals(peer)).header("Require")).toBe("100rel");
    expect(Number(last(provisionals(peer)).header("RSeq"))).toBeGreaterThan(0);
    expect(prack(peer)).toEqual([200]);
    peer.settle(20_000);
    expect(provisionals(peer)).toHaveLength(5);
    peer.incoming?.reject(480);
    peer.settle();
    peer.send("ACK", { cseq: 1, branch: "z9hG4bK-1" });
    expect(peer.remains()).toEqual(nothingRemains);
  });

  it("is followed by the next one, with the next RSeq, only after its PRACK", () => {
    const peer = invited();
    peer.incoming?.progress(180);
    peer.incoming?.progress(183, "answer");
    peer.settle();
    expect(provisionals(peer).map(({ status }) => status)).toEqual([180]);
    const first = Number(last(provisionals(peer)).header("RSeq"));
    prack(peer);
    expect(last(provisionals(peer)).status).toBe(183);
    expect(Number(last(provisionals(peer)).header("RSeq"))).toBe(first + 1);
  });

  it("that is never acknowledged ends the call with 504 after 32 s", () => {
    const peer = invited();
    peer.incoming?.progress(180);
    peer.settle(31_900);
    expect(peer.user.told).toEqual([]);
    peer.settle(200);
    expect(peer.user.told).toEqual(["failed 504"]);
    expect(last(peer.responses("1 INVITE")).status).toBe(504);
    expect(peer.remains()).toEqual(nothingRemains);
  });

  it.each(["1 1 INVITE", "x", "", "4294967295 1 INVITE", "{rseq} 2 INVITE", "{rseq} 1 UPDATE"])(
    "gets no PRACK by one with RAck %j: 481, and it is still repeated",
    (rack) => {
      const peer = invited();
      peer.incoming?.progress(180);
      peer.settle();
      const rseq = last(provisionals(peer)).header("RSeq") ?? "";
      expect(prack(peer, { rack: rack.replace("{rseq}", rseq) })).toEqual([481]);
      peer.settle(600);
      expect(provisionals(peer)).toHaveLength(2);
      peer.incoming?.reject(480);
    },
  );

  it("is acknowledged once: a second PRACK gets 481, a repeated one its 200 again", () => {
    const peer = invited();
    peer.incoming?.progress(180);
    peer.settle();
    const rack = `RAck: ${last(provisionals(peer)).header("RSeq")} 1 INVITE`;
    const text = peer.send("PRACK", { lines: [rack] });
    peer.put(text);
    peer.settle();
    expect(peer.finals(text)).toEqual([200, 200]);
    const second = peer.send("PRACK", { lines: [rack] });
    peer.settle();
    expect(peer.finals(second)).toEqual([481]);
  });

  it("stays as it is, unreliable, where the caller only supports 100rel; a word of the configuration changes that", () => {
    const plain = invited(supported);
    plain.incoming?.progress(180);
    plain.settle(5000);
    expect(provisionals(plain).map((message) => message.header("RSeq"))).toEqual([undefined]);
    const asked = invited(supported, "offer", { ...terms, reliable: "supported" });
    asked.incoming?.progress(180);
    asked.settle();
    expect(last(provisionals(asked)).header("RSeq")).toBeDefined();
  });
});

describe("the 200 after a reliable provisional response", () => {
  it("waits for the PRACK of one with SDP, and does not repeat the SDP", () => {
    const peer = invited();
    peer.incoming?.progress(183, "answer");
    peer.incoming?.accept("answer");
    peer.settle(3000);
    expect(last(peer.responses("1 INVITE")).status).toBe(183);
    expect(peer.incoming?.pending).toBe(true);
    prack(peer);
    const ok = last(peer.responses("1 INVITE"));
    expect([ok.status, ok.body]).toEqual([200, ""]);
    peer.send("ACK", { cseq: 1 });
    peer.settle();
    expect(peer.user.told).toEqual(["acknowledged"]);
    peer.session.bye();
    expect(peer.remains()).toEqual(nothingRemains);
  });

  it("does not wait for one without SDP, whose PRACK is still answered and whose repeats stop", () => {
    const peer = invited();
    peer.incoming?.progress(180);
    peer.incoming?.accept("answer");
    peer.settle();
    expect(last(peer.responses("1 INVITE")).body).toBe("answer");
    expect(prack(peer)).toEqual([200]);
    peer.send("ACK", { cseq: 1 });
    peer.settle(10_000);
    expect(provisionals(peer)).toHaveLength(1);
    expect(peer.session.state).toBe("established");
    peer.session.close();
  });

  it("carries the SDP itself where the 183 that would have told it was still waiting for its turn", () => {
    const peer = invited();
    peer.incoming?.progress(180);
    peer.incoming?.progress(183, "answer");
    peer.incoming?.accept("answer");
    peer.settle();
    expect(peer.responses("1 INVITE").map(({ status, body }) => `${status} ${body}`.trim())).toEqual([
      "180",
      "200 answer",
    ]);
    peer.session.close();
  });

  it("never goes out when CANCEL comes while it waits", () => {
    const peer = invited();
    peer.incoming?.progress(183, "answer");
    peer.incoming?.accept("answer");
    const cancel = peer.send("CANCEL", { cseq: 1, branch: "z9hG4bK-1", toTag: "" });
    peer.settle();
    expect(peer.finals(cancel)).toEqual([200]);
    expect(prack(peer)).toEqual([481]);
    expect(peer.user.told).toEqual(["failed 487"]);
    expect(peer.responses("1 INVITE").some(({ status }) => status === 200)).toBe(false);
    expect(peer.remains()).toEqual(nothingRemains);
  });
});

describe("PRACK with SDP", () => {
  it("brings the answer to the offer of our 180, whose 200 then has no SDP", () => {
    const peer = invited(required, "");
    expect(peer.incoming?.reliable).toBe(true);
    peer.incoming?.progress(180, "our offer");
    peer.settle();
    expect(last(provisionals(peer)).body).toBe("our offer");
    expect(prack(peer, { body: "their answer" })).toEqual([200]);
    expect(peer.user.told).toEqual(["early answer their answer"]);
    peer.incoming?.accept("");
    peer.settle();
    expect(last(peer.responses("1 INVITE")).body).toBe("");
    // Nothing is to be waited for, so that a re-INVITE may overtake the ACK.
    const text = peer.send("INVITE", { body: "moved" });
    peer.settle();
    expect(peer.finals(text)).toEqual([200]);
    peer.session.close();
  });

  it("that brings no answer to it leaves the offer to the 200 and the answer to the ACK", () => {
    const peer = invited(required, "");
    peer.incoming?.progress(180, "our offer");
    peer.settle();
    prack(peer);
    peer.incoming?.accept("our offer");
    peer.settle();
    expect(last(peer.responses("1 INVITE")).body).toBe("our offer");
    peer.send("ACK", { cseq: 1, body: "late answer" });
    peer.settle();
    expect(peer.user.told).toEqual(["acknowledged late answer"]);
    peer.session.close();
  });

  it("is answered when it carries a new offer after the first exchange", () => {
    const peer = invited();
    peer.incoming?.progress(183, "answer");
    peer.settle();
    expect(prack(peer, { body: "new offer" })).toEqual([200]);
    expect(peer.responses("2 PRACK")[0]?.body).toBe("answer to new offer");
  });

  it("has its offer refused with 500 while the first offer is unanswered; the response counts as acknowledged", () => {
    const peer = invited();
    peer.incoming?.progress(180);
    peer.settle();
    expect(prack(peer, { body: "too early" })).toEqual([500]);
    peer.settle(5000);
    expect(provisionals(peer)).toHaveLength(1);
  });
});

describe("reliable provisional responses to our INVITE", () => {
  function calling(): WirePeer {
    const peer = new WirePeer(terms);
    peer.call();
    return peer;
  }
  const reliable = (rseq: number) => ({ lines: ["Require: 100rel", `RSeq: ${rseq}`] });

  it("are acknowledged in order, repeats and those out of turn passed over", () => {
    const peer = calling();
    const invite = peer.requestOf("INVITE");
    const ring = peer.answer(invite, 180, reliable(40));
    peer.put(ring);
    peer.answer(invite, 183, { ...reliable(42), body: "too early" });
    peer.answer(invite, 183, { ...reliable(41), body: "answer" });
    peer.answer(invite, 183, { ...reliable(42), body: "in turn" });
    peer.settle();
    expect(peer.requests("PRACK").map((message) => [message.header("RAck"), message.cseq])).toEqual([
      ["40 1 INVITE", "2 PRACK"],
      ["41 1 INVITE", "3 PRACK"],
      ["42 1 INVITE", "4 PRACK"],
    ]);
    expect(peer.user.told).toEqual(["provisional 180", "provisional 183", "provisional 183"]);
  });

  it("are acknowledged in the dialog of the branch they came from, each branch counted apart", () => {
    const peer = calling();
    const invite = peer.requestOf("INVITE");
    peer.answer(invite, 180, { ...reliable(7), tag: "a" });
    peer.answer(invite, 180, { ...reliable(100), tag: "b" });
    peer.answer(invite, 183, { ...reliable(8), tag: "a" });
    peer.settle();
    expect(
      peer
        .requests("PRACK")
        .map(({ tag, cseq, ...message }) => [
          tag.to,
          cseq,
          new RegExp("RAck: (\\d+)").exec(message.text)?.[1],
        ]),
    ).toEqual([
      ["a", "2 PRACK", "7"],
      ["b", "2 PRACK", "100"],
      ["a", "3 PRACK", "8"],
    ]);
  });

  it.each(["", "x", "-1", "99999999999"])("whose RSeq is %j are taken as unreliable", (rseq) => {
    const peer = calling();
    peer.answer(peer.requestOf("INVITE"), 180, { lines: ["Require: 100rel", `RSeq: ${rseq}`] });
    peer.settle();
    expect(peer.requests("PRACK")).toEqual([]);
    expect(peer.user.told).toEqual(["provisional 180"]);
  });

  it("are acknowledged though the call was given up", () => {
    const peer = calling();
    peer.outgoing?.cancel();
    peer.answer(peer.requestOf("INVITE"), 180, reliable(1));
    peer.settle();
    expect(peer.requests("PRACK")).toHaveLength(1);
    expect(peer.user.told).toEqual([]);
    peer.answer(peer.requestOf("INVITE"), 487);
    expect(peer.remains()).toEqual(nothingRemains);
  });

  it("may be answered by a PRACK that is refused or lost: the call goes on", () => {
    for (const status of [481, 408, 500, undefined]) {
      const peer = calling();
      const invite = peer.requestOf("INVITE");
      peer.answer(invite, 180, reliable(1));
      peer.settle();
      if (status !== undefined) peer.answer(peer.requestOf("PRACK"), status);
      peer.settle(33_000);
      peer.answer(invite, 200, { body: "answer" });
      peer.settle();
      expect(peer.session.state).toBe("established");
      peer.session.bye();
      expect(peer.remains()).toEqual(nothingRemains);
    }
  });

  it("leave the way free for UPDATE with SDP once one brought the answer", () => {
    const peer = calling();
    const invite = peer.requestOf("INVITE");
    peer.answer(invite, 183, { lines: ["Require: 100rel", "RSeq: 1"], body: "answer" });
    peer.settle();
    const update = peer.send("UPDATE", { body: "moved" });
    peer.settle();
    expect(peer.finals(update)).toEqual([200]);
    expect(peer.user.told).toEqual(["provisional 183", "offer moved"]);
  });
});

it("both ends of ours agree: 180, PRACK, 183 with SDP, PRACK, 200, ACK, over a wire that loses every third message", () => {
  const pair = new SessionPair("UDP", { caller: terms, callee: terms });
  let count = 0;
  pair.network.drop = () => ++count % 3 === 0;
  pair.caller.user.onAnsweredReceived = ({ cseq }) => pair.outgoing?.session.acknowledge(cseq.sequence);
  pair.invite({ sdp: "offer", headers: [["Require", "100rel"]] });
  pair.clock.advance(1000);
  pair.received.progress(180);
  pair.clock.advance(10_000);
  pair.received.progress(183, "answer");
  pair.received.accept("answer");
  pair.clock.advance(30_000);
  expect(pair.caller.user.told).toEqual(["provisional 180", "provisional 183", "answered "]);
  expect(pair.callee.user.told).toEqual(["acknowledged"]);
  pair.network.drop = () => false;
  pair.outgoing?.session.bye();
  expect(pair.remains()).toEqual(nothing);
});
