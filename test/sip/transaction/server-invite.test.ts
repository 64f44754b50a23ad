import { describe, expect, it } from "vitest";
import { createResponse } from "../../../src/sip/index.ts";
import { header, incoming, setUp, TestFlow } from "./support.ts";

function invited(protocol: "UDP" | "WS" = "UDP") {
  const world = setUp(protocol);
  const text = incoming();
  world.receive(text);
  const { transaction } = world.user;
  const respond = (status: number, toTag = "ours"): void =>
    transaction.respond(createResponse(transaction.request, status, { toTag }));
  const ack = (): void => world.receive(incoming({ method: "ACK", toTag: "ours" }));
  return { ...world, text, transaction, respond, ack, again: () => world.receive(text) };
}

const ok = "SIP/2.0 200";

describe("INVITE server transaction", () => {
  it("hands the request up once and sends nothing of its own at first", () => {
    const { flow, layer, user } = invited();
    expect(user.requests).toHaveLength(1);
    expect(flow.sent).toEqual([]);
    expect(layer.counts).toEqual({ client: 0, server: 1 });
  });

  it.each(["UDP", "WS"] as const)("sends 100 Trying after 200 ms of silence (%s)", (protocol) => {
    const { clock, flow } = invited(protocol);
    clock.advance(199);
    expect(flow.sent).toEqual([]);
    clock.advance(1);
    expect(flow.lines).toEqual(["SIP/2.0 100 Trying"]);
    expect(header(flow.last(), "To")).toBe("sip:5001@192.0.2.10:5060");
    clock.advance(60_000);
    expect(flow.sent).toHaveLength(1);
  });

  it("sends no 100 Trying once the user has responded", () => {
    const { clock, flow, respond } = invited();
    respond(180);
    clock.advance(60_000);
    expect(flow.lines).toEqual(["SIP/2.0 180 Ringing"]);
  });

  it("repeats a 180 four times where 100 went before it: the caller repeats its INVITE no more", () => {
    const { clock, flow, respond } = invited();
    clock.advance(250);
    respond(180);
    const sentAfter = (ms: number): number => {
      clock.advance(ms);
      return flow.lines.filter((line) => line === "SIP/2.0 180 Ringing").length;
    };
    expect([499, 1, 999, 1, 1999, 1, 3999, 1, 60_000].map(sentAfter)).toEqual([1, 2, 2, 3, 3, 4, 4, 5, 5]);
  });

  it.each(["a final response", "a connection", "a PRACK to come"])(
    "repeats no 180 behind 100 with %s",
    (what) => {
      const { clock, flow, respond, transaction } = invited(what === "a connection" ? "WS" : "UDP");
      clock.advance(250);
      if (what === "a PRACK to come")
        transaction.respond(
          createResponse(transaction.request, 180, { toTag: "ours", headers: [["RSeq", "1"]] }),
        );
      else respond(180);
      if (what === "a final response") respond(200);
      clock.advance(10_000);
      expect(flow.lines.filter((line) => line === "SIP/2.0 180 Ringing")).toHaveLength(1);
    },
  );

  it("absorbs repetitions: silent before any response, the last provisional after", () => {
    const { again, flow, layer, respond, user } = invited();
    again();
    expect(flow.sent).toEqual([]);
    respond(180);
    respond(183);
    again();
    expect(flow.lines).toEqual([
      "SIP/2.0 180 Ringing",
      "SIP/2.0 183 Session Progress",
      "SIP/2.0 183 Session Progress",
    ]);
    expect(user.requests).toHaveLength(1);
    expect(layer.counters.retransmissionsAbsorbed).toBe(2);
    expect(layer.counters.retransmissionsSent).toBe(1);
  });

  it("stays pending as long as it rings and no longer", () => {
    const { clock, respond, transaction } = invited();
    respond(180);
    clock.advance(180_000);
    expect(transaction.pending).toBe(true);
    respond(200);
    expect(transaction.pending).toBe(false);
  });
});

describe("INVITE server transaction after a 2xx (RFC 6026 Accepted)", () => {
  it("absorbs the repeated INVITE without an answer of its own for 32 s (timer L)", () => {
    const { again, clock, flow, layer, respond } = invited();
    respond(200);
    clock.advance(20_000);
    again();
    clock.advance(11_999);
    again();
    expect(flow.timesOf(ok)).toEqual([0]);
    expect(layer.counts.server).toBe(1);
    clock.advance(1);
    expect(layer.counts.server).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("sends the 2xx as often as the user gives it", () => {
    const { clock, flow, respond } = invited();
    respond(200);
    clock.advance(500);
    respond(200);
    clock.advance(1000);
    respond(200);
    expect(flow.timesOf(ok)).toEqual([0, 500, 1500]);
  });

  it("does not prolong timer L with repeated 2xx", () => {
    const { clock, layer, respond } = invited();
    respond(200);
    clock.advance(31_000);
    respond(200);
    clock.advance(1000);
    expect(layer.counts.server).toBe(0);
  });

  it("passes the ACK up, also one that carries the INVITE's branch", () => {
    const { ack, layer, receive, respond, user } = invited();
    respond(200);
    receive(incoming({ method: "ACK", toTag: "ours", branch: "z9hG4bK-own" }));
    ack();
    expect(user.acks).toHaveLength(2);
    expect(user.events).toEqual([]);
    expect(layer.counts.server).toBe(1);
  });

  it("refuses a provisional or a failure, and any response after its end", () => {
    const { clock, flow, layer, respond } = invited();
    respond(200);
    respond(180);
    respond(500);
    expect(layer.counters.responsesRefused).toBe(2);
    clock.advance(32_000);
    respond(200);
    expect(layer.counters.responsesRefused).toBe(3);
    expect(flow.sent).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("INVITE server transaction after a failure", () => {
  it("repeats it at 0.5, 1.5, 3.5, 7.5 s and every 4 s (timer G) until timer H says no ACK came", () => {
    const { clock, flow, layer, respond, user } = invited();
    respond(486);
    clock.advance(31_999);
    expect(flow.timesOf("SIP/2.0 486")).toEqual([
      0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]);
    expect(user.events).toEqual([]);
    clock.advance(1);
    expect(user.events).toEqual(["no ack"]);
    expect(layer.counters.ackTimeouts).toBe(1);
    expect(layer.counts.server).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("repeats it for each repeated INVITE", () => {
    const { again, flow, respond } = invited();
    respond(486);
    again();
    again();
    expect(flow.timesOf("SIP/2.0 486")).toEqual([0, 0, 0]);
  });

  it("falls silent on the ACK, absorbs what still comes for 5 s (timer I), then is gone", () => {
    const { ack, again, clock, flow, layer, respond, user } = invited();
    respond(486);
    clock.advance(700);
    ack();
    ack();
    again();
    clock.advance(4999);
    expect(user.events).toEqual(["acknowledged"]);
    expect(user.acks).toEqual([]);
    expect(flow.timesOf("SIP/2.0 486")).toEqual([0, 500]);
    expect(layer.counts.server).toBe(1);
    clock.advance(1);
    expect(layer.counts.server).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("takes an ACK just before timer H for good", () => {
    const { ack, clock, layer, respond, user } = invited();
    respond(486);
    clock.advance(31_000);
    ack();
    clock.advance(5000);
    expect(user.events).toEqual(["acknowledged"]);
    expect(layer.counters.ackTimeouts).toBe(0);
    expect(layer.counts.server).toBe(0);
  });

  it("refuses a second final response", () => {
    const { flow, layer, respond } = invited();
    respond(486);
    respond(200);
    respond(486);
    expect(flow.sent).toHaveLength(1);
    expect(layer.counters.responsesRefused).toBe(2);
  });

  it("over a connection sends it once, waits 32 s for the ACK and ends with it (timer I is zero)", () => {
    const silent = invited("WS");
    silent.respond(486);
    silent.clock.advance(32_000);
    expect(silent.flow.timesOf("SIP/2.0 486")).toEqual([0]);
    expect(silent.user.events).toEqual(["no ack"]);
    expect(silent.layer.counts.server).toBe(0);
    const acknowledged = invited("WS");
    acknowledged.respond(486);
    acknowledged.ack();
    expect(acknowledged.user.events).toEqual(["acknowledged"]);
    expect(acknowledged.layer.counts.server).toBe(0);
    expect(acknowledged.clock.pendingTimers).toBe(0);
  });
});

describe("ACK", () => {
  it("before any final response is counted and dropped", () => {
    const { ack, layer, user } = invited();
    ack();
    expect(user.acks).toEqual([]);
    expect(layer.counters.strayAcks).toBe(1);
    expect(layer.counts.server).toBe(1);
  });

  it("that matches nothing goes up: it belongs to a dialog", () => {
    const { receive, user, flow } = setUp();
    receive(incoming({ method: "ACK", toTag: "ours", branch: "z9hG4bK-alone" }));
    expect(user.acks).toHaveLength(1);
    expect(flow.sent).toEqual([]);
  });

  it("that throws in the user's hands is counted", () => {
    const { layer, receive, user } = setUp();
    user.onAck = () => {
      throw new Error("user's fault");
    };
    expect(() => receive(incoming({ method: "ACK", toTag: "ours" }))).not.toThrow();
    expect(layer.counters.handlerErrors).toBe(1);
  });
});

describe("the flow of an INVITE server transaction", () => {
  it("closing is told when a response finds it closed, not before, and rebind carries on", () => {
    const { clock, flow, layer, respond, transaction, user } = invited("WS");
    respond(180);
    flow.open = false;
    layer.flowClosed(flow);
    expect(user.events).toEqual([]);
    expect(layer.counts.server).toBe(1);
    respond(183);
    expect(user.events).toEqual([]);
    clock.advance(0);
    expect(user.events).toEqual(["transport error: flow closed"]);
    const returned = new TestFlow(clock, "WS", 5061);
    transaction.rebind(returned);
    expect(transaction.flow).toBe(returned);
    expect(returned.lines).toEqual(["SIP/2.0 183 Session Progress"]);
    respond(200);
    expect(returned.lines).toEqual(["SIP/2.0 183 Session Progress", "SIP/2.0 200 OK"]);
    expect(flow.lines).toEqual(["SIP/2.0 180 Ringing"]);
  });

  it("given anew before anything failed repeats nothing", () => {
    const { clock, respond, transaction } = invited("WS");
    respond(180);
    const returned = new TestFlow(clock, "WS", 5061);
    transaction.rebind(returned);
    expect(returned.sent).toEqual([]);
  });

  it("is replaced by the one a repeated INVITE comes by when the first is closed", () => {
    const { clock, flow, receive, respond, text, transaction } = invited("WS");
    flow.open = false;
    const returned = new TestFlow(clock, "WS", 5061);
    receive(text, returned);
    expect(transaction.flow).toBe(returned);
    respond(180);
    expect(returned.lines).toEqual(["SIP/2.0 180 Ringing"]);
  });

  it("failing is told to the user, and the transaction goes on", () => {
    const { clock, flow, layer, respond, user } = invited();
    flow.failure = new Error("EPERM");
    respond(486);
    clock.advance(0);
    expect(user.events).toEqual(["transport error: EPERM"]);
    flow.failure = undefined;
    clock.advance(500);
    expect(flow.timesOf("SIP/2.0 486")).toEqual([500]);
    expect(layer.counters.transportErrors).toBe(1);
  });
});
