import { describe, expect, it } from "vitest";
import { createResponse } from "../../../src/sip/index.ts";
import { sessionTransitions, type SessionState } from "../../../src/sip/session/session.ts";
import { nothingRemains, WireMessage, WirePeer } from "../../support/wire-peer.ts";

/** Duplicate, late and crossing messages at every state of a session: each gets the protocol's answer. */

const known = ["INFO", "NOTIFY", "REFER"];

/** A peer whose session's user answers what it knows, as the legs do. */
function newPeer(): WirePeer {
  const peer = new WirePeer({ options: ["timer", "100rel"] });
  peer.user.onRequestReceived = (request, transaction) =>
    transaction.respond(createResponse(request, known.includes(request.method) ? 200 : 405));
  return peer;
}

interface Place {
  readonly session: SessionState;
  readonly role: "uac" | "uas";
  readonly reach: (peer: WirePeer) => void;
}

function invited(peer: WirePeer): void {
  invite = peer.send("INVITE", { body: "offer", toTag: "", lines: [`Allow: ${peer.allow}`] });
  peer.settle(300);
}

function called(peer: WirePeer): void {
  peer.call();
  invite = "";
}

function calledEstablished(peer: WirePeer): void {
  called(peer);
  answer = peer.answer(peer.requestOf("INVITE"), 200, { body: "answer" });
  peer.settle();
}

function accepted(peer: WirePeer): void {
  invited(peer);
  peer.incoming?.progress(180);
  peer.incoming?.accept("answer");
  peer.settle();
}

function established(peer: WirePeer): void {
  accepted(peer);
  ack = peer.send("ACK", { cseq: 1 });
  peer.settle();
}

function reinvite(peer: WirePeer): void {
  peer.session.reinvite(() => "hold", { onAnswer: () => undefined });
  peer.settle();
}

function beingAnswered(peer: WirePeer): void {
  peer.user.onOfferReceived = () => {};
  invite = peer.send("INVITE", { body: "moved" });
  peer.settle(300);
}

/** The INVITE the peer sent last, our last answer of its to ours, its last ACK: what can come twice. */
let invite = "";
let answer = "";
let ack = "";

const places: Readonly<Record<string, Place>> = {
  inviting: { session: "inviting", role: "uac", reach: called },
  "early, we called": {
    session: "inviting",
    role: "uac",
    reach(peer) {
      called(peer);
      peer.answer(peer.requestOf("INVITE"), 180);
      peer.settle();
    },
  },
  invited: { session: "invited", role: "uas", reach: invited },
  "early, they called": {
    session: "invited",
    role: "uas",
    reach(peer) {
      invited(peer);
      peer.incoming?.progress(180);
      peer.settle();
    },
  },
  "accepted, not acknowledged": { session: "accepted", role: "uas", reach: accepted },
  "established, they called": { session: "established", role: "uas", reach: established },
  "established, we called": { session: "established", role: "uac", reach: calledEstablished },
  "our re-INVITE is out, they called": {
    session: "established",
    role: "uas",
    reach(peer) {
      established(peer);
      reinvite(peer);
    },
  },
  "our re-INVITE is out, we called": {
    session: "established",
    role: "uac",
    reach(peer) {
      calledEstablished(peer);
      reinvite(peer);
    },
  },
  "their re-INVITE is being answered": {
    session: "established",
    role: "uas",
    reach(peer) {
      established(peer);
      beingAnswered(peer);
    },
  },
  "our 200 to their re-INVITE is not acknowledged": {
    session: "established",
    role: "uas",
    reach(peer) {
      established(peer);
      invite = peer.send("INVITE", { body: "moved" });
      peer.settle();
    },
  },
  "BYE is sent, they called": {
    session: "terminated",
    role: "uas",
    reach(peer) {
      established(peer);
      peer.session.bye();
      peer.settle();
    },
  },
  "BYE is sent, we called": {
    session: "terminated",
    role: "uac",
    reach(peer) {
      calledEstablished(peer);
      peer.session.bye();
      peer.settle();
    },
  },
  "terminated by their BYE": {
    session: "terminated",
    role: "uas",
    reach(peer) {
      established(peer);
      peer.send("BYE");
      peer.settle();
    },
  },
};

type PlaceName = string;
type Statuses = readonly number[];

/** Where an offer of the peer's stands: what an UPDATE with SDP, and a re-INVITE, gets. */
function offerStatus(place: PlaceName): number {
  const byPlace: Readonly<Record<string, number>> = {
    "early, we called": 491,
    "early, they called": 500,
    "our re-INVITE is out, they called": 491,
    "our re-INVITE is out, we called": 491,
    "their re-INVITE is being answered": 500,
  };
  return byPlace[place] ?? (unknown(place) ? 481 : 200);
}

function over(place: PlaceName): boolean {
  return places[place]?.session === "terminated";
}

/** Not a dialog that the peer could name: it is over, or one of the two tags was not told yet. */
function unknown(place: PlaceName): boolean {
  return over(place) || place === "inviting" || place === "invited";
}

const inDialog =
  (method: string, status = 200, options: { body?: string; lines?: string[] } = {}) =>
  (peer: WirePeer, place: PlaceName): readonly (readonly [text: string, expected: Statuses])[] => [
    [peer.send(method, options), [unknown(place) ? 481 : status]],
  ];

/** Each puts one message, or two, and says which final statuses they must get. */
const events: Readonly<
  Record<string, (peer: WirePeer, place: PlaceName) => readonly (readonly [string, Statuses])[]>
> = {
  "the INVITE again": (peer) => {
    if (invite === "") return [];
    const before = peer.finals(invite);
    const told = peer.user.told.length;
    peer.put(invite);
    peer.settle();
    expect(peer.user.told.length).toBe(told);
    // What was answered stays answered so; a 2xx is repeated by its own timer, not by the request.
    return [[invite, before]];
  },
  "180 late": (peer) => respond(peer, 180),
  "200 again": (peer) => {
    if (answer === "") return [];
    const acks = peer.requests("ACK").length;
    peer.put(answer);
    peer.settle();
    // RFC 3261 13.2.2.4: each repeat of the 200 gets its ACK, even behind a BYE of ours.
    expect(peer.requests("ACK").length).toBe(acks + 1);
    return [];
  },
  "200 of another branch": (peer, place) => {
    if (places[place]?.role !== "uac") return [];
    const [first] = peer.requests("INVITE");
    if (!first) throw new Error("no INVITE");
    if (peer.outgoing?.pending) return [];
    peer.answer(first, 200, { body: "answer", tag: "other" });
    peer.settle();
    const hungUp = peer.requests("BYE").some((bye) => bye.tag.to === "other");
    const acknowledged = peer.requests("ACK").some((message) => message.tag.to === "other");
    expect([acknowledged, hungUp]).toEqual([true, true]);
    return [];
  },
  "ACK late": (peer) => {
    peer.send("ACK", { cseq: 1 });
    return [];
  },
  "ACK again": (peer) => {
    if (ack !== "") peer.put(ack);
    return [];
  },
  "ACK of an INVITE that never was": (peer) => {
    peer.send("ACK", { cseq: 77, body: "answer" });
    return [];
  },
  CANCEL: (peer) => cancel(peer, peer.ourTag),
  "CANCEL without To tag": (peer) => cancel(peer, ""),
  "PRACK of nothing": (peer) => [[peer.send("PRACK", { lines: ["RAck: 1 1 INVITE"] }), [481]]],
  "PRACK without RAck": (peer) => [[peer.send("PRACK"), [481]]],
  BYE: (peer, place) => [[peer.send("BYE"), [unknown(place) ? 481 : 200]]],
  "BYE, and another BYE": (peer, place) => {
    const first = peer.send("BYE");
    peer.settle();
    return [
      [first, [unknown(place) ? 481 : 200]],
      // Our CANCEL is under way; the INVITE's 487 will end the dialog.
      [peer.send("BYE"), [place === "early, we called" ? 200 : 481]],
    ];
  },
  "UPDATE without SDP": inDialog("UPDATE"),
  "UPDATE with SDP": (peer, place) => [[peer.send("UPDATE", { body: "new" }), [offerStatus(place)]]],
  "re-INVITE": (peer, place) => [[peer.send("INVITE", { body: "new" }), [offerStatus(place)]]],
  "re-INVITE without SDP": (peer, place) => [[peer.send("INVITE"), [offerStatus(place)]]],
  INFO: inDialog("INFO"),
  NOTIFY: inDialog("NOTIFY", 200, { lines: ["Event: talk"] }),
  REFER: inDialog("REFER", 200, { lines: ["Refer-To: <sip:5002@jackfield>"] }),
  "a method nobody knows": inDialog("BREW", 405),
  "a Require nobody knows": inDialog("INFO", 420, { lines: ["Require: uui"] }),
  "a request older than the last": (peer, place) => [
    // The far side of a call of ours has sent none yet, so that 0 is its first.
    [peer.send("INFO", { cseq: 0 }), [unknown(place) ? 481 : places[place]?.role === "uas" ? 500 : 200]],
  ],
  "481 to what is out": (peer) => respond(peer, 481),
  "408 to what is out": (peer) => respond(peer, 408),
  "491 to what is out": (peer) => respond(peer, 491),
  "500 to what is out": (peer) => respond(peer, 500),
  "200 without Contact or body to what is out": (peer) => respond(peer, 200),
};

/** A response to the last request of ours, in whatever state its transaction is. */
function respond(peer: WirePeer, status: number): [] {
  const request = peer.heard.findLast((message) => message.status === 0 && message.method !== "ACK");
  if (request) peer.answer(request, status);
  return [];
}

/** CANCEL is answered 200 as long as its INVITE's transaction lives, and changes something only before the final response. */
function cancel(peer: WirePeer, toTag: string): (readonly [string, Statuses])[] {
  const of = new WireMessage(invite);
  const branch = /branch=(\S+)/.exec(of.header("Via") ?? "")?.[1] ?? "z9hG4bK-none";
  const before = invite === "" ? [] : peer.finals(invite);
  const cancelling = peer.send("CANCEL", { cseq: Number.parseInt(of.cseq || "1", 10), branch, toTag });
  if (invite === "") return [[cancelling, [481]]];
  return [
    [cancelling, [200]],
    [invite, before.length > 0 ? before : [487]],
  ];
}

/** States the table leads to from `state`, itself among them. */
function reachable(state: SessionState, seen = new Set<SessionState>()): Set<SessionState> {
  if (seen.has(state)) return seen;
  seen.add(state);
  for (const next of Object.values(sessionTransitions[state])) reachable(next, seen);
  return seen;
}

/** As the leg that owns the session would end it. */
function end(peer: WirePeer): void {
  if (peer.outgoing?.pending) peer.outgoing.cancel();
  else if (peer.incoming?.pending) peer.incoming.reject(480);
  else peer.session.bye();
}

const cases = Object.keys(places).flatMap((place) =>
  Object.keys(events).map((event) => [place, event] as const),
);

it("the places below cover every state of the session's table", () => {
  const covered = new Set(Object.values(places).map(({ session }) => session));
  expect([...covered].toSorted()).toEqual(Object.keys(sessionTransitions).toSorted());
});

describe.each([
  ["falls silent", undefined],
  ["answers all that follows", 200],
])("a session whose peer %s, in the state", (_words, autoAnswer) => {
  it.each(cases)("%s: %s gets its answer, leads nowhere illegal and leaves nothing", (place, event) => {
    [invite, answer, ack] = ["", "", ""];
    const peer = newPeer();
    places[place]?.reach(peer);
    const before = peer.session.state;
    expect(before).toBe(places[place]?.session);
    peer.autoAnswer = autoAnswer;
    const expected = events[event]?.(peer, place) ?? [];
    peer.settle(100);
    const got = expected.map(([text]) => [text, peer.finals(text)]);
    expect(got).toEqual(expected);
    expect(reachable(before)).toContain(peer.session.state);
    end(peer);
    expect(peer.remains()).toEqual(nothingRemains);
    expect(peer.session.state).toBe("terminated");
  });
});
