import { describe, expect, it } from "vitest";
import { header, outgoing, responseTo, setUp, TestFlow, TestHandlers } from "./support.ts";

function invite(protocol: "UDP" | "WS" = "UDP", extra: [string, string][] = []) {
  const world = setUp(protocol);
  const handlers = new TestHandlers();
  const transaction = world.layer.request(outgoing("INVITE", extra), world.flow, handlers);
  const sent = world.flow.last();
  const reply = (status: number, tag?: string): void => world.receive(responseTo(sent, status, tag));
  return { ...world, handlers, transaction, sent, reply };
}

describe("INVITE client transaction over UDP", () => {
  it("puts one Via of ours on the request, with rport and an unguessable branch", () => {
    const { sent } = invite();
    expect(sent.match(/^Via:/gm)).toHaveLength(1);
    expect(header(sent, "Via")).toMatch(
      /^SIP\/2\.0\/UDP 192\.0\.2\.20:5060;branch=z9hG4bK[0-9a-f]{16};rport$/,
    );
  });

  it("repeats the request at 0.5, 1.5, 3.5 ... s (timer A) and gives up at 32 s (timer B)", () => {
    const { clock, flow, handlers, layer } = invite();
    clock.advance(31_999);
    expect(flow.timesOf("INVITE")).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(handlers.events).toEqual([]);
    clock.advance(1);
    expect(handlers.events).toEqual(["timeout"]);
    expect(layer.counts).toEqual({ client: 0, server: 0 });
    expect(layer.counters.clientTimeouts).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it("repeats the very same bytes", () => {
    const { clock, flow, sent } = invite();
    clock.advance(1500);
    expect(new Set(flow.sent.map(({ text }) => text))).toEqual(new Set([sent]));
  });

  it("stops repeating and waits without limit after a provisional response", () => {
    const { clock, flow, handlers, layer, reply } = invite();
    clock.advance(600);
    reply(100);
    reply(180);
    clock.advance(300_000);
    expect(flow.timesOf("INVITE")).toEqual([0, 500]);
    expect(handlers.events).toEqual(["100", "180"]);
    expect(layer.counts.client).toBe(1);
  });

  it("acknowledges a failure with the same branch, the response's To and the request's Route", () => {
    const { flow, reply, sent, handlers } = invite("UDP", [
      ["Route", "<sip:a.example;lr>"],
      ["Route", "<sip:b.example;lr>"],
    ]);
    reply(486, "busy-tag");
    const ack = flow.last();
    expect(ack.split("\r\n")[0]).toBe("ACK sip:1003@192.0.2.10:5060 SIP/2.0");
    expect(header(ack, "Via")).toBe(header(sent, "Via"));
    expect(header(ack, "To")).toBe("<sip:1003@192.0.2.10>;tag=busy-tag");
    expect(header(ack, "From")).toBe(header(sent, "From"));
    expect(header(ack, "Call-ID")).toBe("call-1");
    expect(header(ack, "CSeq")).toBe("7 ACK");
    expect(ack.match(/^Route: .*$/gm)).toEqual(["Route: <sip:a.example;lr>", "Route: <sip:b.example;lr>"]);
    expect(handlers.events).toEqual(["486"]);
  });

  it("acknowledges each repetition of a failure for 32 s (timer D), telling the user once", () => {
    const { clock, flow, handlers, layer, reply } = invite();
    reply(486);
    clock.advance(10_000);
    reply(486);
    clock.advance(21_999);
    reply(486);
    expect(flow.timesOf("ACK")).toEqual([0, 10_000, 31_999]);
    expect(handlers.events).toEqual(["486"]);
    expect(layer.counters.retransmissionsAbsorbed).toBe(2);
    expect(layer.counts.client).toBe(1);
    clock.advance(1);
    expect(layer.counts.client).toBe(0);
    expect(clock.pendingTimers).toBe(0);
    reply(486);
    expect(flow.timesOf("ACK")).toHaveLength(3);
    expect(layer.counters.strayResponses).toBe(1);
  });

  it("passes up every 2xx, repeated or of another branch of the call, for 32 s (timer M)", () => {
    const { clock, flow, handlers, layer, reply } = invite();
    reply(180);
    reply(200, "first");
    clock.advance(500);
    reply(200, "first");
    reply(200, "second");
    expect(handlers.events).toEqual(["180", "200", "200", "200"]);
    expect(handlers.responses.map(({ to }) => to.tag)).toEqual(["theirs", "first", "first", "second"]);
    expect(flow.timesOf("ACK")).toEqual([]);
    clock.advance(31_499);
    expect(layer.counts.client).toBe(1);
    clock.advance(1);
    expect(layer.counts.client).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("keeps a failure or a late provisional after a 2xx from the user", () => {
    const { handlers, layer, reply } = invite();
    reply(200);
    reply(180);
    reply(486);
    expect(handlers.events).toEqual(["200"]);
    expect(layer.counters.strayResponses).toBe(2);
  });

  it("keeps a late provisional after a failure from the user", () => {
    const { handlers, reply } = invite();
    reply(404);
    reply(183);
    expect(handlers.events).toEqual(["404"]);
  });

  it("ends without a word when abandoned, in whatever state", () => {
    for (const statuses of [[], [180], [200], [486]]) {
      const { clock, handlers, layer, reply, transaction } = invite();
      for (const status of statuses) reply(status);
      transaction.abandon();
      transaction.abandon();
      expect(layer.counts.client).toBe(0);
      expect(clock.pendingTimers).toBe(0);
      clock.advance(60_000);
      expect(handlers.events).toEqual(statuses.map(String));
    }
  });

  it("shortens timer B by timeoutMs", () => {
    const { clock, layer, flow } = setUp();
    const handlers = new TestHandlers();
    layer.request(outgoing("INVITE"), flow, handlers, { timeoutMs: 4000 });
    clock.advance(4000);
    expect(handlers.events).toEqual(["timeout"]);
  });
});

describe("INVITE client transaction over a connection", () => {
  it("sends once, without rport, and still gives up at 32 s", () => {
    const { clock, flow, handlers, sent } = invite("WS");
    expect(header(sent, "Via")).toMatch(/^SIP\/2\.0\/WS gw\.invalid;branch=z9hG4bK[0-9a-f]{16}$/);
    clock.advance(32_000);
    expect(flow.timesOf("INVITE")).toEqual([0]);
    expect(handlers.events).toEqual(["timeout"]);
  });

  it("is over at once after a failure was acknowledged (timer D is zero)", () => {
    const { clock, flow, handlers, layer, reply } = invite("WS");
    reply(486);
    expect(flow.lines.at(-1)).toMatch(/^ACK /);
    expect(handlers.events).toEqual(["486"]);
    expect(layer.counts.client).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("CANCEL of an INVITE", () => {
  it("goes out at once after a provisional response, like the INVITE in all that identifies it", () => {
    const { flow, reply, sent, transaction } = invite("UDP", [["Route", "<sip:a.example;lr>"]]);
    reply(180);
    transaction.cancel('SIP;cause=200;text="Call completed elsewhere"');
    const cancel = flow.last();
    expect(cancel.split("\r\n")[0]).toBe("CANCEL sip:1003@192.0.2.10:5060 SIP/2.0");
    for (const name of ["Via", "From", "To", "Call-ID", "Route"])
      expect(header(cancel, name)).toBe(header(sent, name));
    expect(header(cancel, "CSeq")).toBe("7 CANCEL");
    expect(header(cancel, "Reason")).toBe('SIP;cause=200;text="Call completed elsewhere"');
  });

  it("waits for a provisional response (RFC 3261 9.1)", () => {
    const { clock, flow, reply, transaction } = invite();
    transaction.cancel();
    clock.advance(400);
    expect(flow.timesOf("CANCEL")).toEqual([]);
    reply(100);
    expect(flow.timesOf("CANCEL")).toEqual([400]);
    expect(header(flow.last(), "Reason")).toBe("");
  });

  it("is sent once however often it is asked for, and repeated only by its own timer E", () => {
    const { clock, flow, reply, transaction } = invite();
    reply(180);
    transaction.cancel();
    transaction.cancel("again");
    reply(183);
    expect(flow.timesOf("CANCEL")).toEqual([0]);
    clock.advance(500);
    expect(flow.timesOf("CANCEL")).toEqual([0, 500]);
  });

  it("ends with 487: both transactions go, the user hears of the INVITE's only", () => {
    const { clock, flow, handlers, layer, receive, reply, transaction } = invite();
    reply(180);
    transaction.cancel();
    receive(responseTo(flow.last(), 200));
    reply(487);
    expect(handlers.events).toEqual(["180", "487"]);
    expect(flow.lines.at(-1)).toMatch(/^ACK /);
    clock.advance(32_000);
    expect(layer.counts.client).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("crossing a 200 changes nothing: the 200 goes up, to be acknowledged and ended by BYE", () => {
    const { clock, flow, handlers, layer, receive, reply, transaction } = invite();
    reply(180);
    transaction.cancel();
    const cancel = flow.last();
    reply(200);
    receive(responseTo(cancel, 481));
    expect(handlers.events).toEqual(["180", "200"]);
    clock.advance(32_000);
    expect(handlers.events).toEqual(["180", "200"]);
    expect(layer.counts.client).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("asked for before a 200 that comes without any provisional is never sent", () => {
    const { clock, flow, handlers, reply, transaction } = invite();
    transaction.cancel();
    reply(200);
    clock.advance(40_000);
    expect(flow.timesOf("CANCEL")).toEqual([]);
    expect(handlers.events).toEqual(["200"]);
  });

  it("does nothing after a final response", () => {
    const { flow, reply, transaction } = invite();
    reply(486);
    transaction.cancel();
    expect(flow.timesOf("CANCEL")).toEqual([]);
  });

  it("gives the INVITE up when no final response came 32 s after it", () => {
    const { clock, handlers, layer, reply, transaction } = invite();
    reply(180);
    clock.advance(50_000);
    transaction.cancel();
    clock.advance(31_999);
    expect(handlers.events).toEqual(["180"]);
    clock.advance(1);
    expect(handlers.events).toEqual(["180", "timeout"]);
    expect(layer.counts.client).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("transport failure of an INVITE", () => {
  it("is told after `request` returned, once, and ends the transaction", () => {
    const { clock, flow, layer } = setUp();
    const handlers = new TestHandlers();
    flow.failure = new Error("ENETUNREACH");
    layer.request(outgoing("INVITE"), flow, handlers);
    expect(handlers.events).toEqual([]);
    clock.advance(0);
    expect(handlers.events).toEqual(["transport error: ENETUNREACH"]);
    expect(layer.counts.client).toBe(0);
    clock.advance(60_000);
    expect(handlers.events).toHaveLength(1);
    expect(layer.counters.transportErrors).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it("is told for a flow that is closed already", () => {
    const { clock, flow, layer } = setUp("WS");
    const handlers = new TestHandlers();
    flow.open = false;
    layer.request(outgoing("INVITE"), flow, handlers);
    clock.advance(0);
    expect(handlers.events).toEqual(["transport error: flow closed"]);
    expect(flow.sent).toEqual([]);
  });

  it("is told when the flow closes while a response is awaited, and to nobody else", () => {
    const { flow, handlers, layer, reply, clock } = invite("WS");
    reply(180);
    flow.open = false;
    layer.flowClosed(new TestFlow(clock, "WS", 5061));
    expect(handlers.events).toEqual(["180"]);
    layer.flowClosed(flow);
    expect(handlers.events).toEqual(["180", "transport error: flow closed"]);
    expect(layer.counts.client).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("is not told after a final response: the transaction just ends", () => {
    for (const status of [200, 486]) {
      const { clock, flow, handlers, layer, reply } = invite("UDP");
      reply(status);
      flow.open = false;
      layer.flowClosed(flow);
      expect(handlers.events).toEqual([String(status)]);
      expect(layer.counts.client).toBe(0);
      expect(clock.pendingTimers).toBe(0);
    }
  });

  it("of the ACK leaves the transaction, so that the next repetition can be acknowledged", () => {
    const { clock, flow, handlers, layer, reply } = invite();
    flow.failure = new Error("EPERM");
    reply(486);
    clock.advance(100);
    flow.failure = undefined;
    reply(486);
    expect(flow.timesOf("ACK")).toEqual([100]);
    expect(handlers.events).toEqual(["486"]);
    expect(layer.counts.client).toBe(1);
  });
});
