import { describe, expect, it } from "vitest";
import { callTransitions, type CallState } from "../../src/b2bua/call-state.ts";
import type { FarEnd } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import { branchOf, HandWritten, type SideName } from "../support/hand-written.ts";
import { sessionOf, WholeCall, type Standing } from "../support/whole-call.ts";

/**
 * Duplicate, late and crossing messages at every state of a whole call, from either side: a protocol answer each, the
 * other leg is over if and only if this one is, and nothing is left. A single session's are in
 * test/sip/session/crossing.test.ts.
 */

/** What a side can know of its leg when the message comes. */
type Phase = "none" | "early" | "confirmed" | "over";

interface Place {
  readonly state: CallState;
  readonly phases: Readonly<Record<SideName, Phase>>;
  readonly reach: (call: WholeCall) => Promise<void>;
}

const phases = (sipServer: Phase, browser: Phase): Place["phases"] => ({
  "SIP Server": sipServer,
  "the browser": browser,
});

async function ringing(call: WholeCall): Promise<void> {
  call.invite();
  await call.pass();
  call.browser.received.progress(180);
  await call.pass();
}

async function answered(call: WholeCall): Promise<void> {
  await ringing(call);
  call.browserAnswers();
  await call.pass();
}

async function dialled(call: WholeCall): Promise<void> {
  await call.dial("1003");
  call.trunk.received.progress(180);
  await call.pass();
}

async function dialledAnswered(call: WholeCall): Promise<void> {
  await dialled(call);
  call.browser.user.onAnsweredReceived = ({ cseq }) =>
    call.browser.outgoing?.session.acknowledge(cseq.sequence);
  call.trunk.received.accept(genesysSdp());
  await call.pass();
}

const places: Readonly<Record<string, Place>> = {
  "to the agent, the browser not reached yet": {
    state: "setting-up",
    phases: phases("none", "none"),
    async reach(call) {
      call.presence.waitForFlow = () =>
        new Promise((resolve) => call.clock.setTimer(4000, () => resolve(call.presence.flow)));
      call.invite();
      await call.pass();
    },
  },
  "to the agent, ringing": { state: "ringing", phases: phases("early", "early"), reach: ringing },
  "to the agent, answered by the client, not by the person": {
    state: "parked",
    phases: phases("early", "confirmed"),
    reach: answered,
  },
  "to the agent, SIP Server holds its ACK back": {
    state: "answering",
    phases: phases("confirmed", "confirmed"),
    async reach(call) {
      call.offerless = true;
      call.acknowledgeAfter(20_000);
      await answered(call);
    },
  },
  "to the agent, SIP Server's ACK is late": {
    state: "established",
    phases: phases("confirmed", "confirmed"),
    async reach(call) {
      call.acknowledgeAfter(3000);
      await answered(call);
    },
  },
  "to the agent, established": {
    state: "established",
    phases: phases("confirmed", "confirmed"),
    reach: answered,
  },
  "to the agent, our hold is on its way": {
    state: "established",
    phases: phases("confirmed", "confirmed"),
    async reach(call) {
      await answered(call);
      call.trunk.user.onOfferReceived = (_sdp, reply) =>
        call.clock.setTimer(2000, () => reply.accept(genesysSdp({ version: 2 })));
      sessionOf(call.trunk)?.request("NOTIFY", [["Event", "hold"]]);
      await call.pass();
    },
  },
  "to the agent, over by SIP Server's CANCEL": {
    state: "ended",
    phases: phases("over", "over"),
    async reach(call) {
      await ringing(call);
      call.trunk.outgoing?.cancel();
      await call.pass();
    },
  },
  "to the agent, over by the browser's BYE": {
    state: "ended",
    phases: phases("over", "over"),
    async reach(call) {
      await answered(call);
      sessionOf(call.browser)?.bye();
      await call.pass();
    },
  },
  "from the agent, SIP Server silent so far": {
    state: "setting-up",
    phases: phases("none", "none"),
    async reach(call) {
      await call.dial("1003");
    },
  },
  "from the agent, ringing": { state: "ringing", phases: phases("early", "early"), reach: dialled },
  "from the agent, early media": {
    state: "ringing",
    phases: phases("early", "early"),
    async reach(call) {
      await dialled(call);
      call.trunk.received.progress(183, genesysSdp());
      await call.pass();
    },
  },
  "from the agent, the browser's ACK is late": {
    state: "established",
    phases: phases("confirmed", "confirmed"),
    async reach(call) {
      await dialled(call);
      call.browser.user.onAnsweredReceived = ({ cseq }) => {
        const { outgoing } = call.browser;
        call.clock.setTimer(3000, () => outgoing?.session.acknowledge(cseq.sequence));
      };
      call.trunk.received.accept(genesysSdp());
      await call.pass();
    },
  },
  "from the agent, established": {
    state: "established",
    phases: phases("confirmed", "confirmed"),
    reach: dialledAnswered,
  },
  "from the agent, over by SIP Server's BYE": {
    state: "ended",
    phases: phases("over", "over"),
    async reach(call) {
      await dialledAnswered(call);
      sessionOf(call.trunk)?.bye();
      await call.pass();
    },
  },
};

/** A request put, and the final statuses it may get. */
type Asked = readonly (readonly [text: string, allowed: readonly number[]])[];
type Event = (hand: HandWritten, phase: Phase, side: SideName) => Asked;

const known = (phase: Phase): boolean => phase === "early" || phase === "confirmed";
const sdpOf = (side: SideName): string =>
  side === "SIP Server" ? genesysSdp({ address: "192.0.2.31", version: 3 }) : browserSdp();

/** Within a dialog that side knows: one of `allowed`; 481 where it knows none. */
const asks =
  (method: string, allowed: readonly number[], lines: readonly string[] = [], body: "" | "sdp" = ""): Event =>
  (hand, phase, side) => [
    [hand.request(method, { lines, body: body === "" ? "" : sdpOf(side) }), known(phase) ? allowed : [481]],
  ];
const responds =
  (status: number, options: { tag?: string; body?: "sdp" | "garbage" } = {}): Event =>
  (hand, _phase, side) => {
    const { tag, body } = options;
    hand.respond(status, {
      ...(tag === undefined ? {} : { tag }),
      body: body === undefined ? "" : body === "sdp" ? sdpOf(side) : "v=0\r\nrubbish",
    });
    return [];
  };

const events: Readonly<Record<string, Event>> = {
  "its last message again": (hand) => {
    const last = hand.sent.at(-1);
    if (last) hand.put(last.text);
    return [];
  },
  "all its messages again": (hand) => {
    for (const { text } of hand.sent) hand.put(text);
    return [];
  },
  "INVITE by another way (merged)": (hand) => {
    const { invite } = hand;
    if (!invite) return [];
    const text = invite.text.replace(branchOf(invite), "z9hG4bK-another-way");
    hand.put(text);
    return [[text, [482]]];
  },
  CANCEL: (hand) => {
    const { invite } = hand;
    if (!invite) return [[hand.request("CANCEL"), [481]]];
    const cseq = Number.parseInt(invite.cseq, 10);
    return [[hand.request("CANCEL", { branch: branchOf(invite), cseq, toTag: "" }), [200]]];
  },
  BYE: asks("BYE", [200]),
  "BYE without To tag": (hand) => [[hand.request("BYE", { toTag: "" }), [405, 481]]],
  "BYE twice": (hand, phase, side) => [
    ...asks("BYE", [200])(hand, phase, side),
    [hand.request("BYE"), [200, 481]],
  ],
  "BYE with a Reason and rubbish as a body": asks("BYE", [200], ['Reason: SIP;cause=403;text="x"'], "sdp"),
  "180": responds(180),
  "183 with SDP": responds(183, { body: "sdp" }),
  "200 with SDP": responds(200, { body: "sdp" }),
  "200 with rubbish": responds(200, { body: "garbage" }),
  "200 of another branch": responds(200, { tag: "another", body: "sdp" }),
  "302": responds(302),
  "404": responds(404),
  "486": responds(486),
  "491": responds(491),
  "503": responds(503),
  "ACK of its INVITE": (hand) => {
    hand.request("ACK", { cseq: 1, body: "" });
    return [];
  },
  "ACK of nothing, with SDP": (hand, _phase, side) => {
    hand.request("ACK", { cseq: 77, body: sdpOf(side) });
    return [];
  },
  "NOTIFY talk": asks("NOTIFY", [200, 405], ["Event: talk", "Subscription-State: active"]),
  "NOTIFY hold": asks("NOTIFY", [200, 405], ["Event: hold"]),
  "NOTIFY dtmf": asks("NOTIFY", [200, 405], ["Event: dtmf"]),
  "NOTIFY of an unknown event": asks("NOTIFY", [489, 405], ["Event: weather"]),
  "re-INVITE": asks("INVITE", [200, 488, 491, 500], [], "sdp"),
  "re-INVITE without SDP": asks("INVITE", [200, 488, 491, 500]),
  UPDATE: asks("UPDATE", [200]),
  "UPDATE with SDP": asks("UPDATE", [200, 488, 491, 500], [], "sdp"),
  PRACK: asks("PRACK", [481], ["RAck: 1 1 INVITE"]),
  INFO: asks("INFO", [200]),
  "INFO with something": asks("INFO", [415], [], "sdp"),
  REFER: asks("REFER", [202, 400, 405, 491, 603], ["Refer-To: <sip:5002@jackfield>"]),
  OPTIONS: asks("OPTIONS", [200]),
  MESSAGE: asks("MESSAGE", [200]),
  "a method nobody knows": asks("BREW", [405]),
  "a Require nobody knows": asks("INFO", [420], ["Require: uui"]),
  "INFO older than its last": (hand, phase) => [
    [hand.request("INFO", { cseq: 0 }), known(phase) ? [200, 500] : [481]],
  ],
  garbage: (hand) => {
    for (const text of [
      "\r\n\r\n",
      "rubbish",
      "INVITE\r\n\r\n",
      "BYE sip:x SIP/2.0\r\nVia: \r\n\r\n",
      "SIP/2.0 200 OK\r\n\r\n",
      "\u0000\u0001\u0002".repeat(40),
    ])
      hand.put(text);
    return [];
  },
};

/** ACKs each INVITE written by hand that was answered 2xx. */
function acknowledge(hand: HandWritten, asked: Asked, side: SideName): void {
  for (const [text] of asked)
    if (text.startsWith("INVITE ") && hand.finals(text).some((status) => status < 300)) {
      const offerless = !text.includes("m=audio");
      const cseq = Number(/CSeq: (\d+)/.exec(text)?.[1]);
      hand.request("ACK", { cseq, body: offerless ? sdpOf(side) : "" });
    }
}

/** As its user would end it. */
function hangUp(end: FarEnd): void {
  if (end.outgoing?.pending) end.outgoing.cancel();
  else if (end.incoming?.pending) end.incoming.reject(480);
  else sessionOf(end)?.bye();
}

const preanswer = { clients: [{ match: "*", answerBy: "preanswer" }] } as const;
const over = (standing: Standing): boolean => standing === "over" || standing === "none";

const cases = Object.keys(places).flatMap((place) =>
  (["SIP Server", "the browser"] as const).flatMap((side) =>
    Object.keys(events).map((event) => ({ place, side, event })),
  ),
);

it("the places below cover every state of the call's table", () => {
  const covered = new Set(Object.values(places).map(({ state }) => state));
  expect([...covered].toSorted()).toEqual(Object.keys(callTransitions).toSorted());
});

describe("a call", () => {
  it.each(cases)(
    "$place: $event from $side gets its answer, and both legs agree",
    async ({ place, side, event }) => {
      const at = places[place];
      if (!at) throw new Error(place);
      const call = new WholeCall(at.state === "parked" ? preanswer : {});
      await at.reach(call);
      expect(call.b2bua.calls().map(({ state }) => state)).toEqual(at.state === "ended" ? [] : [at.state]);
      const hand = new HandWritten(call, side);
      const asked = events[event]?.(hand, at.phases[side], side) ?? [];
      await call.pass(300);
      for (const [text, allowed] of asked) {
        const finals = hand.finals(text);
        expect(finals, text).toHaveLength(1);
        expect(allowed, text).toContain(finals[0]);
      }
      acknowledge(hand, asked, side);
      // Past each time-out, and past the longest ring where it still rings.
      await call.clock.advanceAsync(80_000, 100);
      if (call.standings.gateway === "being set up") await call.clock.advanceAsync(120_000, 200);
      const other = side === "SIP Server" ? call.browser : call.trunk;
      const { gateway, sipServer, browser } = call.standings;
      const otherStanding = side === "SIP Server" ? browser : sipServer;
      expect(over(otherStanding), `gateway ${gateway}, other ${otherStanding}`).toBe(over(gateway));
      // What answered or ended the call by hand is no news to this side's own stack.
      if (over(gateway) && !/^(BYE|200|[3-6]\d\d$)/.test(event))
        expect([sipServer, browser].map(over), `${sipServer} ${browser}`).toEqual([true, true]);
      hangUp(other);
      await call.pass();
      const left = await call.remains(240_000);
      expect(left).toEqual({ calls: 0, media: 0, retained: 0, dialogs: 0, transactions: 0, timers: 0 });
      expect(call.layer.counters.handlerErrors).toBe(0);
      expect(call.records).toHaveLength(1);
    },
  );
});
