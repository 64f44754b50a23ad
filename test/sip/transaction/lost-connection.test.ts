import { describe, expect, it } from "vitest";
import { createResponse } from "../../../src/sip/index.ts";
import { header, incoming, outgoing, responseTo, setUp, TestFlow, TestHandlers } from "./support.ts";

describe("a request of ours on a connection to SIP Server that is lost", () => {
  it.each(["REGISTER", "INVITE"])(
    "%s unanswered goes out again, the very same, and its answer counts",
    (method) => {
      const { flow, layer, receive, clock } = setUp("TCP");
      const handlers = new TestHandlers();
      layer.request(outgoing(method), flow, handlers);
      clock.advance(3000);
      expect(flow.lines).toHaveLength(1);
      layer.flowInterrupted?.(flow);
      expect(flow.sent[1]?.text).toBe(flow.sent[0]?.text);
      receive(responseTo(flow.last(), 200));
      expect(handlers.events).toEqual(["200"]);
    },
  );

  it("that was heard of is not sent again: its answer comes by another connection (RFC 3261 18.2.2)", () => {
    const { clock, flow, layer, receive } = setUp("TCP");
    const handlers = new TestHandlers();
    layer.request(outgoing("INVITE"), flow, handlers);
    const sent = flow.last();
    receive(responseTo(sent, 180));
    layer.flowInterrupted?.(flow);
    expect(flow.lines).toHaveLength(1);
    receive(responseTo(sent, 200), new TestFlow(clock, "TCP", 40_000));
    expect(handlers.events).toEqual(["180", "200"]);
  });

  it("on another flow goes on as it was", () => {
    const { clock, flow, layer } = setUp("TCP");
    layer.request(outgoing("REGISTER"), flow, new TestHandlers());
    layer.flowInterrupted?.(new TestFlow(clock, "TCP", 5061));
    expect(flow.lines).toHaveLength(1);
  });

  it("takes no answer from a browser or by UDP, be it right to the last letter", () => {
    const { clock, flow, layer, receive } = setUp("TCP");
    const handlers = new TestHandlers();
    layer.request(outgoing("REGISTER"), flow, handlers);
    receive(responseTo(flow.last(), 200), new TestFlow(clock, "WS"));
    receive(responseTo(flow.last(), 200), new TestFlow(clock, "UDP"));
    expect(handlers.events).toEqual([]);
    expect(layer.counters.strayResponses).toBe(2);
  });

  it("fails with a transport error when nothing takes it in time, which its user turns into 503 (8.1.3.1)", () => {
    const { clock, flow, layer } = setUp("TCP");
    const handlers = new TestHandlers();
    flow.failure = new Error("no connection in time");
    layer.request(outgoing("REGISTER"), flow, handlers);
    clock.advance(0);
    expect(handlers.events).toEqual(["transport error: no connection in time"]);
    expect(layer.counts.client).toBe(0);
  });
});

describe("a request of SIP Server's whose connection is gone", () => {
  it("is answered by a new one to the Via's sent-by port, 5060 where none stands", () => {
    const { flow, user, receive } = setUp("TCP");
    receive(incoming({ branch: "z9hG4bK-1" }));
    const [first] = user.requests;
    if (!first) throw new Error("no request");
    flow.open = false;
    const home = flow.toPort?.(5060);
    first.transaction.respond(createResponse(first.request, 180, { toTag: "ours" }));
    expect(flow.lines).toEqual([]);
    expect(home?.lines).toEqual(["SIP/2.0 180 Ringing"]);
    expect(user.events).toEqual([]);
  });

  it("may come once more by another, and is then answered by that", () => {
    const { clock, flow, user, receive } = setUp("TCP");
    const invite = incoming({ branch: "z9hG4bK-1" });
    receive(invite);
    user.transaction.respond(createResponse(user.transaction.request, 180, { toTag: "ours" }));
    expect(flow.lines).toEqual(["SIP/2.0 180 Ringing"]);
    flow.open = false;
    const next = new TestFlow(clock, "TCP", 40_001);
    receive(invite, next);
    expect(user.requests).toHaveLength(1);
    expect(next.lines).toEqual(["SIP/2.0 180 Ringing"]);
  });

  it("never meets one of a browser's, be it alike to the last letter", () => {
    const { clock, user, receive } = setUp("TCP");
    receive(incoming());
    receive(incoming(), new TestFlow(clock, "WS"));
    expect(user.requests).toHaveLength(2);
  });
});

describe("SIP Server's one connection", () => {
  it("is not bounded as a browser's is: all DNs share it", () => {
    const { user, receive } = setUp("TCP", { serverTransactionsPerConnection: 1 });
    receive(incoming({ branch: "z9hG4bK-1", callId: "c1" }));
    receive(incoming({ branch: "z9hG4bK-2", callId: "c2" }));
    expect(user.requests).toHaveLength(2);
  });

  it("is named in the Via and asks for no rport", () => {
    const { flow, layer } = setUp("TCP");
    layer.request(outgoing("OPTIONS"), flow, new TestHandlers());
    expect(header(flow.last(), "Via")).toMatch(
      /^SIP\/2\.0\/TCP 192\.0\.2\.20:5060;branch=z9hG4bK[0-9a-f]{16}$/,
    );
  });
});
