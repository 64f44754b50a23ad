import { describe, expect, it } from "vitest";
import { callTransitions } from "../../src/b2bua/call/call-state.ts";
import type { FarEnd } from "../support/b2bua-bench.ts";
import { callPlaces, type Phase } from "../support/call-places.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import { branchOf, HandWritten, type SideName } from "../support/hand-written.ts";
import { seeded } from "../support/seeded.ts";
import { sessionOf, WholeCall, type Standing } from "../support/whole-call.ts";

/**
 * Duplicate, late and crossing messages at every state of a whole call, from either side: a protocol answer each, the
 * other leg is over if and only if this one is, and nothing is left. A single session's are in
 * test/sip/session/crossing.test.ts.
 */

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

const over = (standing: Standing): boolean => standing === "over" || standing === "none";

const cases = Object.keys(callPlaces).flatMap((place) =>
  (["SIP Server", "the browser"] as const).flatMap((side) =>
    Object.keys(events).map((event) => ({ place, side, event })),
  ),
);

it("the places cover every state of the call's table", () => {
  const covered = new Set(Object.values(callPlaces).map(({ state }) => state));
  expect([...covered].toSorted()).toEqual(Object.keys(callTransitions).toSorted());
});

describe("a call", () => {
  it.each(cases)(
    "$place: $event from $side gets its answer, and both legs agree",
    async ({ place, side, event }) => {
      const at = callPlaces[place];
      if (!at) throw new Error(place);
      const call = new WholeCall(at.options);
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

const rows = 12;

describe("rows of three to eight such messages", () => {
  const names = Object.keys(events);
  const sides = ["SIP Server", "the browser"] as const;

  it.each(Object.keys(callPlaces))("leave nothing, and one record: %s", async (place) => {
    const at = callPlaces[place];
    for (let row = 0; row < rows; row++) {
      const pick = seeded(row * 31 + place.length);
      const call = new WholeCall(at?.options);
      await at?.reach(call);
      const hands = sides.map((side) => new HandWritten(call, side));
      const put: string[] = [];
      for (let left = 3 + pick(6); left > 0; left--) {
        const index = pick(2);
        const [hand, side, name] = [hands[index], sides[index], names[pick(names.length)] ?? ""];
        if (!hand || !side) continue;
        put.push(`${name} of ${side}`);
        const asked = events[name]?.(hand, "confirmed", side) ?? [];
        await call.pass([1, 3, 30, 600][pick(4)]);
        if (pick(3) > 0) acknowledge(hand, asked, side);
        // A CANCEL is the same each time: 200 while its INVITE's transaction lives, 481 after it.
        if (name !== "CANCEL")
          for (const [text] of asked) expect(hand.finals(text).length, put.join("; ")).toBeLessThanOrEqual(1);
      }
      for (const end of [call.trunk, call.browser]) hangUp(end);
      await call.clock.advanceAsync(80_000, 250);
      // What was ended by hand, or made up, knows no hang-up of its own stack's.
      call.b2bua.close("test is over");
      await call.pass();
      const left = await call.remains(240_000);
      const nothing = { calls: 0, media: 0, retained: 0, dialogs: 0, transactions: 0, timers: 0 };
      expect(left, put.join("; ")).toEqual(nothing);
      expect(call.layer.counters.handlerErrors, put.join("; ")).toBe(0);
      expect(call.records.length, put.join("; ")).toBe(call.media.opened.length);
    }
  });
});
