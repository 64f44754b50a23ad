import { describe, expect, it } from "vitest";
import { createResponse } from "../../../src/sip/index.ts";
import {
  glareDelay,
  offerRefusals,
  retryAfterSeconds,
  type OfferStanding,
} from "../../../src/sip/session/offer-rules.ts";
import { nothingRemains, WirePeer } from "../../support/wire-peer.ts";

const terms = { options: ["timer", "100rel"] };

function theyCalled(lines: readonly string[] = [], body = "offer"): WirePeer {
  const peer = new WirePeer(terms);
  peer.send("INVITE", { toTag: "", lines, body });
  peer.settle();
  return peer;
}

function weCalled(): WirePeer {
  const peer = new WirePeer(terms);
  peer.call();
  return peer;
}

function established(role: "they called" | "we called"): WirePeer {
  if (role === "we called") {
    const peer = weCalled();
    peer.answer(peer.requestOf("INVITE"), 200, { body: "answer" });
    peer.settle();
    return peer;
  }
  const peer = theyCalled();
  peer.incoming?.accept("answer");
  peer.settle();
  peer.send("ACK", { cseq: 1 });
  peer.settle();
  return peer;
}

function hold(peer: WirePeer): { answers: string[]; failures: number[] } {
  const heard = { answers: new Array<string>(), failures: new Array<number>() };
  peer.session.reinvite(() => "hold", {
    onAnswer: (sdp) => void heard.answers.push(sdp),
    onFailed: (status) => heard.failures.push(status),
  });
  peer.settle();
  return heard;
}

/** Where an offer of the peer's can meet us, early and late, and how the exchange stands there. */
const standings: Readonly<Record<string, readonly [OfferStanding, () => WirePeer]>> = {
  "our INVITE rings": [
    "ours-unanswered",
    () => {
      const peer = weCalled();
      peer.answer(peer.requestOf("INVITE"), 180);
      return peer;
    },
  ],
  "our INVITE has an early answer that could get lost": [
    "ours-unanswered",
    () => {
      const peer = weCalled();
      peer.answer(peer.requestOf("INVITE"), 183, { body: "early" });
      return peer;
    },
  ],
  "our INVITE has a reliable early answer": [
    "free",
    () => {
      const peer = weCalled();
      const lines = ["Require: 100rel", "RSeq: 1"];
      peer.answer(peer.requestOf("INVITE"), 183, { body: "early", lines });
      return peer;
    },
  ],
  "their INVITE rings": [
    "theirs-unanswered",
    () => {
      const peer = theyCalled();
      peer.incoming?.progress(180);
      return peer;
    },
  ],
  "their INVITE had an early answer that could get lost": [
    "theirs-unanswered",
    () => {
      const peer = theyCalled();
      peer.incoming?.progress(183, "answer");
      return peer;
    },
  ],
  "their INVITE had a reliable early answer": [
    "free",
    () => {
      const peer = theyCalled(["Require: 100rel"]);
      peer.incoming?.progress(183, "answer");
      return peer;
    },
  ],
  "their offerless INVITE rings with our offer": [
    "ours-unanswered",
    () => {
      const peer = theyCalled(["Require: 100rel"], "");
      peer.incoming?.progress(180, "our offer");
      return peer;
    },
  ],
  "our 200 with an answer waits for its ACK": [
    "free",
    () => {
      const peer = theyCalled();
      peer.incoming?.accept("answer");
      return peer;
    },
  ],
  "our 200 with an offer waits for its ACK": [
    "ours-unanswered",
    () => {
      const peer = theyCalled([], "");
      peer.incoming?.accept("our offer");
      return peer;
    },
  ],
  "the session is established": ["free", () => established("they called")],
  "a re-INVITE of ours is out": [
    "ours-unanswered",
    () => {
      const peer = established("they called");
      hold(peer);
      return peer;
    },
  ],
  "a re-INVITE of ours waits after 491": [
    "free",
    () => {
      const peer = established("we called");
      hold(peer);
      peer.answer(peer.requestOf("INVITE"), 491);
      return peer;
    },
  ],
  "a re-INVITE of theirs is being answered": [
    "theirs-unanswered",
    () => {
      const peer = established("they called");
      peer.user.onOfferReceived = () => {};
      peer.send("INVITE", { body: "slow" });
      return peer;
    },
  ],
  "our 200 with an offer to their re-INVITE waits for its ACK": [
    "ours-unanswered",
    () => {
      const peer = established("they called");
      peer.send("INVITE");
      return peer;
    },
  ],
  "our 200 with an answer to their re-INVITE waits for its ACK": [
    "free",
    () => {
      const peer = established("they called");
      peer.send("INVITE", { body: "moved" });
      return peer;
    },
  ],
};

const cases = Object.entries(standings).map(([words, [standing, reach]]) => ({ words, standing, reach }));

describe("an offer of the peer's", () => {
  it.each(cases)("in an UPDATE, when $words ($standing)", ({ standing, reach }) => {
    const peer = reach();
    peer.settle();
    const update = peer.send("UPDATE", { body: "new" });
    peer.settle();
    expect(peer.finals(update)).toEqual([offerRefusals[standing] ?? 200]);
    expect(peer.user.told.includes("offer new")).toBe(standing === "free");
    const [reply] = peer.responses(new RegExp("CSeq: (.*)").exec(update)?.[1] ?? "");
    const seconds = Number(reply?.header("Retry-After") ?? Number.NaN);
    expect(seconds >= 0 && seconds <= 10).toBe(standing === "theirs-unanswered");
    if (standing === "free") expect(reply?.body).toBe("answer to new");
  });

  it.each(cases)("in an UPDATE without SDP is none: 200, when $words", ({ reach }) => {
    const peer = reach();
    peer.settle();
    const update = peer.send("UPDATE");
    peer.settle();
    expect(peer.finals(update)).toEqual([200]);
  });

  it.each(cases)("in a re-INVITE, when $words", ({ standing, reach }) => {
    const peer = reach();
    peer.settle();
    const early = ["inviting", "invited"].includes(peer.session.state);
    const ours = peer.session.state === "inviting";
    const again = peer.send("INVITE", { body: "new" });
    peer.settle();
    // RFC 3261 14.2: before the first INVITE's final response a second one is refused whatever was described.
    const expected = early ? (ours ? 491 : 500) : (offerRefusals[standing] ?? 200);
    expect(peer.finals(again)).toEqual([expected]);
  });
});

describe("a wait after 491", () => {
  const fractions = [0, 0.25, 0.5, 0.999_999_9];
  it("is 2.1 to 4 s for who made the Call-ID, 0 to 2 s for the other, in steps of 10 ms", () => {
    const own = fractions.map((fraction) => glareDelay(true, fraction));
    const other = fractions.map((fraction) => glareDelay(false, fraction));
    expect([own[0], own.at(-1), other[0], other.at(-1)]).toEqual([2100, 4000, 0, 2000]);
    expect([...own, ...other].every((delay) => delay % 10 === 0)).toBe(true);
  });

  it("of a 500 is 0 to 10 s", () => {
    expect(fractions.map(retryAfterSeconds)).toEqual([0, 2, 5, 10]);
  });

  it.each([
    ["we called", 2100, 4000],
    ["they called", 0, 2000],
  ] as const)("is kept where %s: %i to %i ms", (role, least, most) => {
    const peer = established(role);
    const heard = hold(peer);
    const before = peer.requests("INVITE").length;
    peer.answer(peer.requestOf("INVITE"), 491);
    if (least > 0) peer.settle(least - 1);
    expect(peer.requests("INVITE")).toHaveLength(before);
    peer.settle(most - least + 12);
    expect(peer.requests("INVITE").length).toBeGreaterThan(before);
    peer.answer(peer.requestOf("INVITE"), 200, { body: "held" });
    peer.settle();
    expect(heard).toEqual({ answers: ["held"], failures: [] });
    peer.session.bye();
    expect(peer.remains()).toEqual(nothingRemains);
  });
});

describe("a hold of ours", () => {
  it("that meets SIP Server's re-INVITE lets that one through first, then goes out again and is taken", () => {
    const peer = established("they called");
    const heard = hold(peer);
    const theirs = peer.send("INVITE", { body: "moved" });
    peer.settle();
    expect(peer.finals(theirs)).toEqual([491]);
    peer.answer(peer.requestOf("INVITE"), 491);
    // Theirs comes again while ours waits.
    const second = peer.send("INVITE", { body: "moved" });
    peer.settle();
    expect(peer.finals(second)).toEqual([200]);
    peer.settle(2100);
    // The ACK is not here yet: ours still waits.
    expect(peer.requests("INVITE").map(({ cseq }) => cseq)).toEqual(["1 INVITE"]);
    peer.send("ACK", { cseq: 3 });
    peer.settle();
    expect(peer.requestOf("INVITE").cseq).toBe("2 INVITE");
    peer.answer(peer.requestOf("INVITE"), 200, { body: "held" });
    peer.settle();
    expect(heard.answers).toEqual(["held"]);
    expect(peer.user.told).toContain("offer moved");
    peer.session.bye();
    expect(peer.remains()).toEqual(nothingRemains);
  });

  it("asked for while SIP Server's re-INVITE is being answered goes out once its ACK came", () => {
    const peer = established("they called");
    let accept = (): void => {};
    peer.user.onOfferReceived = (_sdp, reply) => (accept = () => reply.accept("answer"));
    peer.send("INVITE", { body: "moved" });
    peer.settle();
    hold(peer);
    accept();
    peer.settle();
    expect(peer.requests("INVITE")).toEqual([]);
    peer.send("ACK", { cseq: 2 });
    peer.settle();
    expect(peer.requests("INVITE")).toHaveLength(1);
    peer.session.close();
  });

  it("asked for before the ACK of our first 200 goes out once that came", () => {
    const peer = theyCalled();
    peer.incoming?.accept("answer");
    hold(peer);
    expect(peer.requests("INVITE")).toEqual([]);
    peer.send("ACK", { cseq: 1 });
    peer.settle();
    expect(peer.requests("INVITE")).toHaveLength(1);
    peer.session.close();
  });

  it.each([
    ["500 with Retry-After", 500, ["Retry-After: 3"], 3000],
    ["503 with Retry-After", 503, ["Retry-After: 1 (busy)"], 1000],
    ["500 with Retry-After 0", 500, ["Retry-After: 0"], 500],
  ] as const)("refused with %s goes out again after that time", (_words, status, lines, delay) => {
    const peer = established("they called");
    const heard = hold(peer);
    peer.answer(peer.requestOf("INVITE"), status, { lines });
    peer.settle(delay - 10);
    expect(peer.requests("INVITE")).toHaveLength(1);
    peer.settle(20);
    expect(peer.requests("INVITE")).toHaveLength(2);
    expect(heard.failures).toEqual([]);
    peer.session.close();
  });

  it.each([
    [500, []],
    [500, ["Retry-After: 3600"]],
    [488, ["Retry-After: 1"]],
    [603, []],
  ] as const)("refused with %i and %j has failed; the session goes on", (status, lines) => {
    const peer = established("they called");
    const heard = hold(peer);
    peer.answer(peer.requestOf("INVITE"), status, { lines });
    peer.settle(60_000);
    expect(heard.failures).toEqual([status]);
    expect(peer.requests("INVITE")).toHaveLength(1);
    expect(peer.session.state).toBe("established");
    peer.session.close();
  });

  it("that meets 491 goes out as long as the peer's own re-INVITE may be lost, 37 s, and is given up then", () => {
    const peer = established("they called");
    const heard = hold(peer);
    let givenUpAt = 0;
    for (const start = peer.clock.now(); heard.failures.length === 0; givenUpAt = peer.clock.now() - start) {
      peer.answer(peer.requestOf("INVITE"), 491);
      peer.settle(2100);
    }
    expect(givenUpAt).toBeGreaterThan(37_000);
    expect(givenUpAt).toBeLessThan(42_000);
    expect(heard.failures).toEqual([491]);
    peer.session.bye();
    expect(peer.remains()).toEqual(nothingRemains);
  });
});

describe("a request of ours within the dialog", () => {
  const requests = ["INFO", "UPDATE", "PRACK", "BYE", "re-INVITE"] as const;
  const outcomes = [481, 408, 491, 500, undefined] as const;
  const cells = requests.flatMap((method) => outcomes.map((status) => [method, status] as const));

  it.each(cells)("%s, answered %s: 481 and silence end the session, all else does not", (method, status) => {
    const peer = established("we called");
    if (method === "re-INVITE") hold(peer);
    else if (method === "BYE") peer.session.bye();
    else peer.session.request(method);
    peer.settle();
    const sent = peer.requestOf(method === "re-INVITE" ? "INVITE" : method);
    if (status !== undefined) peer.answer(sent, status);
    peer.settle(33_000);
    const ends = method === "BYE" || status === 481 || status === 408 || status === undefined;
    expect(peer.session.state).toBe(ends ? "terminated" : "established");
    peer.session.bye();
    expect(peer.remains()).toEqual(nothingRemains);
  });
});

describe("forks of our INVITE", () => {
  it("keep their CSeq numbers each, and the losers' BYE does not end the session", () => {
    const peer = weCalled();
    const invite = peer.requestOf("INVITE");
    for (const tag of ["a", "b", "a"]) {
      peer.answer(invite, 180, { tag });
      peer.session.request("INFO");
    }
    peer.settle();
    expect(peer.requests("INFO").map(({ tag, cseq }) => `${tag.to} ${cseq}`)).toEqual([
      "a 2 INFO",
      "b 2 INFO",
      "a 3 INFO",
    ]);
    peer.answer(invite, 200, { tag: "peer", body: "answer" });
    peer.settle();
    const bye = peer.send("BYE", { fromTag: "a" });
    const info = peer.send("INFO", { fromTag: "b" });
    peer.settle();
    expect([peer.finals(bye), peer.finals(info)]).toEqual([[200], [481]]);
    expect(peer.session.state).toBe("established");
    peer.session.bye();
    expect(peer.remains()).toEqual(nothingRemains);
  });
});

describe("a Require that is not supported", () => {
  const ask = (peer: WirePeer, method: string, require: string, lines: readonly string[] = []) => {
    const text = peer.send(method, { lines: [`Require: ${require}`, ...lines] });
    peer.settle();
    return { statuses: peer.finals(text), reply: peer.heard.at(-1) };
  };

  it.each(["INFO", "UPDATE", "INVITE", "NOTIFY", "REFER", "BREW"])(
    "gets 420 within a dialog: %s",
    (method) => {
      const peer = established("they called");
      const { statuses, reply } = ask(peer, method, "timer, uui, 100REL, norefersub");
      expect(statuses).toEqual([420]);
      expect(reply?.header("Unsupported")).toBe("uui, norefersub");
      expect(peer.session.state).toBe("established");
      expect(peer.user.told.some((words) => words.startsWith("request"))).toBe(false);
      peer.session.close();
    },
  );

  it("does not keep a BYE from ending the call", () => {
    const peer = established("they called");
    expect(ask(peer, "BYE", "uui").statuses).toEqual([200]);
    expect(peer.session.state).toBe("terminated");
  });

  it("is none when all its tags are supported, in any case", () => {
    const peer = established("they called");
    peer.user.onRequestReceived = (request, transaction) => transaction.respond(createResponse(request, 200));
    expect(ask(peer, "INFO", "Timer, 100Rel").statuses).toEqual([200]);
    peer.session.close();
  });
});
