import { describe, expect, it } from "vitest";
import { createResponse } from "../../../src/sip/index.ts";
import { header, incoming, setUp, TestFlow } from "./support.ts";

function asked(protocol: "UDP" | "WS" = "UDP", method = "OPTIONS") {
  const world = setUp(protocol);
  const text = incoming({ method });
  world.receive(text);
  const { transaction } = world.user;
  const respond = (status: number): void =>
    transaction.respond(createResponse(transaction.request, status, { toTag: "ours" }));
  return { ...world, text, transaction, respond, again: () => world.receive(text) };
}

describe("non-INVITE server transaction over UDP", () => {
  it("absorbs repetitions in silence until there is a response", () => {
    const { again, clock, flow, user } = asked();
    again();
    clock.advance(1000);
    again();
    expect(flow.sent).toEqual([]);
    expect(user.requests).toHaveLength(1);
  });

  it("repeats the last response for each repetition, for 32 s (timer J)", () => {
    const { again, clock, flow, layer, respond, user } = asked();
    respond(100);
    again();
    respond(200);
    again();
    clock.advance(31_999);
    again();
    expect(flow.lines.map((line) => line.slice(8, 11))).toEqual(["100", "100", "200", "200", "200"]);
    expect(layer.counts.server).toBe(1);
    clock.advance(1);
    expect(layer.counts.server).toBe(0);
    expect(clock.pendingTimers).toBe(0);
    again();
    expect(user.requests).toHaveLength(2);
  });

  it("copies what identifies the request verbatim into the response", () => {
    const { flow, respond, text } = asked();
    respond(200);
    for (const name of ["Via", "From", "Call-ID", "CSeq"])
      expect(header(flow.last(), name)).toBe(header(text, name));
    expect(header(flow.last(), "To")).toBe(`${header(text, "To")};tag=ours`);
  });

  it("refuses anything after the final response", () => {
    const { flow, layer, respond } = asked();
    respond(200);
    respond(200);
    respond(100);
    expect(flow.sent).toHaveLength(1);
    expect(layer.counters.responsesRefused).toBe(2);
  });

  it("is dropped, with a count, when the user has not responded after 32 s", () => {
    const { clock, flow, layer, respond } = asked();
    clock.advance(31_999);
    expect(layer.counts.server).toBe(1);
    clock.advance(1);
    expect(layer.counts.server).toBe(0);
    expect(layer.counters.unanswered).toBe(1);
    expect(clock.pendingTimers).toBe(0);
    respond(200);
    expect(flow.sent).toEqual([]);
    expect(layer.counters.responsesRefused).toBe(1);
  });

  it("answered late is not counted as unanswered", () => {
    const { clock, layer, respond } = asked();
    clock.advance(20_000);
    respond(200);
    clock.advance(40_000);
    expect(layer.counters.unanswered).toBe(0);
    expect(layer.counts.server).toBe(0);
  });

  it("is pending until the final response", () => {
    const { respond, transaction } = asked();
    respond(100);
    expect(transaction.pending).toBe(true);
    respond(404);
    expect(transaction.pending).toBe(false);
  });
});

describe("non-INVITE server transaction over a connection", () => {
  it("is over with the response (timer J is zero)", () => {
    const { clock, flow, layer, respond } = asked("WS");
    respond(200);
    expect(flow.lines).toEqual(["SIP/2.0 200 OK"]);
    expect(layer.counts.server).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("keeps a response that found the flow closed for `rebind`", () => {
    const { clock, flow, layer, respond, transaction, user } = asked("WS");
    flow.open = false;
    respond(200);
    clock.advance(10);
    expect(user.events).toEqual(["transport error: flow closed"]);
    const returned = new TestFlow(clock, "WS", 5061);
    transaction.rebind(returned);
    expect(returned.lines).toEqual(["SIP/2.0 200 OK"]);
    clock.advance(32_000);
    expect(layer.counts.server).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a user that throws out of onRequest", () => {
  it("has 500 sent in its name, and is counted", () => {
    const { clock, flow, layer, receive, user } = setUp();
    user.answer = () => {
      throw new Error("user's fault");
    };
    expect(() => receive(incoming({ method: "OPTIONS" }))).not.toThrow();
    expect(flow.lines).toEqual(["SIP/2.0 500 Server Internal Error"]);
    expect(layer.counters.handlerErrors).toBe(1);
    clock.advance(32_000);
    expect(layer.counts.server).toBe(0);
  });

  it("after it responded has nothing added", () => {
    const { flow, layer, receive, user } = setUp();
    user.answer = (request, transaction) => {
      transaction.respond(createResponse(request, 200));
      throw new Error("user's fault");
    };
    receive(incoming({ method: "OPTIONS" }));
    expect(flow.lines).toEqual(["SIP/2.0 200 OK"]);
    expect(layer.counters.responsesRefused).toBe(0);
  });
});
