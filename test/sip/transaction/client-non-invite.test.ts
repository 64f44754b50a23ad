import { describe, expect, it } from "vitest";
import { header, outgoing, responseTo, setUp, TestFlow, TestHandlers } from "./support.ts";

function register(protocol: "UDP" | "WS" = "UDP", timeoutMs?: number) {
  const world = setUp(protocol);
  const handlers = new TestHandlers();
  const options = timeoutMs === undefined ? undefined : { timeoutMs };
  const transaction = world.layer.request(outgoing("REGISTER"), world.flow, handlers, options);
  const sent = world.flow.last();
  const reply = (status: number): void => world.receive(responseTo(sent, status));
  return { ...world, handlers, transaction, sent, reply };
}

describe("non-INVITE client transaction over UDP", () => {
  it("repeats at 0.5, 1.5, 3.5, 7.5 s and every 4 s then (timer E), and gives up at 32 s (timer F)", () => {
    const { clock, flow, handlers, layer } = register();
    clock.advance(31_999);
    expect(flow.timesOf("REGISTER")).toEqual([
      0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]);
    expect(layer.counters.retransmissionsSent).toBe(10);
    clock.advance(1);
    expect(handlers.events).toEqual(["timeout"]);
    expect(layer.counts.client).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("slows down to every 4 s after a provisional response, and timer F still counts", () => {
    const { clock, flow, handlers, reply } = register();
    clock.advance(600);
    reply(100);
    clock.advance(31_400);
    expect(flow.timesOf("REGISTER")).toEqual([
      0, 500, 1500, 5500, 9500, 13_500, 17_500, 21_500, 25_500, 29_500,
    ]);
    expect(handlers.events).toEqual(["100", "timeout"]);
  });

  it("gives up at timeoutMs where that is earlier than timer F", () => {
    const { clock, flow, handlers, layer } = register("UDP", 4000);
    clock.advance(3999);
    expect(handlers.events).toEqual([]);
    clock.advance(1);
    expect(handlers.events).toEqual(["timeout"]);
    clock.advance(60_000);
    expect(flow.timesOf("REGISTER")).toEqual([0, 500, 1500, 3500]);
    expect(layer.counts.client).toBe(0);
  });

  it("never waits longer than timer F, whatever timeoutMs says", () => {
    const { clock, handlers } = register("UDP", 100_000);
    clock.advance(32_000);
    expect(handlers.events).toEqual(["timeout"]);
  });

  it("absorbs repetitions of the final response for 5 s (timer K)", () => {
    const { clock, flow, handlers, layer, reply } = register();
    reply(200);
    clock.advance(4999);
    reply(200);
    reply(100);
    expect(handlers.events).toEqual(["200"]);
    expect(layer.counters.retransmissionsAbsorbed).toBe(2);
    expect(layer.counts.client).toBe(1);
    clock.advance(1);
    expect(layer.counts.client).toBe(0);
    expect(flow.timesOf("REGISTER")).toEqual([0]);
    expect(clock.pendingTimers).toBe(0);
    reply(200);
    expect(layer.counters.strayResponses).toBe(1);
  });

  it("counts a response that comes after the time-out as stray", () => {
    const { clock, handlers, layer, reply } = register("UDP", 4000);
    clock.advance(4000);
    reply(200);
    expect(handlers.events).toEqual(["timeout"]);
    expect(layer.counters.strayResponses).toBe(1);
  });

  it("cannot be cancelled", () => {
    const { flow, reply, transaction } = register();
    reply(100);
    transaction.cancel();
    expect(flow.lines).toEqual(["REGISTER sip:1003@192.0.2.10:5060 SIP/2.0"]);
  });

  it("ends without a word when abandoned", () => {
    const { clock, handlers, layer, transaction } = register();
    transaction.abandon();
    clock.advance(60_000);
    expect(handlers.events).toEqual([]);
    expect(layer.counts.client).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("tells a transport failure of a repetition, once", () => {
    const { clock, flow, handlers, layer } = register();
    flow.failure = new Error("EHOSTUNREACH");
    clock.advance(60_000);
    expect(handlers.events).toEqual(["transport error: EHOSTUNREACH"]);
    expect(layer.counts.client).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("stays to absorb repetitions when the flow closes after the final response", () => {
    const { clock, flow, handlers, layer, reply } = register();
    reply(200);
    layer.flowClosed(flow);
    expect(handlers.events).toEqual(["200"]);
    clock.advance(5000);
    expect(layer.counts.client).toBe(0);
  });
});

describe("non-INVITE client transaction over a connection", () => {
  it("sends once and is over with the final response (timer K is zero)", () => {
    const { clock, flow, handlers, layer, reply } = register("WS");
    clock.advance(10_000);
    reply(200);
    expect(flow.timesOf("REGISTER")).toEqual([0]);
    expect(handlers.events).toEqual(["200"]);
    expect(layer.counts.client).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("tells a flow that closes", () => {
    const { flow, handlers, layer, clock } = register("WS");
    layer.flowClosed(flow);
    expect(handlers.events).toEqual(["transport error: flow closed"]);
    expect(layer.counts.client).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a client handler that throws", () => {
  it("is counted and harms neither the transaction nor the socket's handler", () => {
    const { clock, flow, layer, receive } = setUp("WS");
    layer.request(outgoing("OPTIONS"), flow, {
      onResponse() {
        throw new Error("user's fault");
      },
      onTimeout() {},
      onTransportError() {},
    });
    expect(() => receive(responseTo(flow.last(), 200))).not.toThrow();
    expect(layer.counters.handlerErrors).toBe(1);
    expect(layer.counts.client).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("what a response must show to be taken", () => {
  const cases: [string, (response: string) => string][] = [
    ["another branch", (text) => text.replace(/branch=z9hG4bK/, "branch=z9hG4bKx")],
    ["no branch", (text) => text.replace(/;branch=z9hG4bK[0-9a-f]+/, "")],
    ["a foreign sent-by host", (text) => text.replace("UDP 192.0.2.20:5060", "UDP 192.0.2.99:5060")],
    ["a foreign sent-by port", (text) => text.replace("UDP 192.0.2.20:5060", "UDP 192.0.2.20:5070")],
    ["another method in CSeq", (text) => text.replace("7 REGISTER", "7 OPTIONS")],
    [
      "a second Via",
      (text) => text.replace(/\r\nVia:/, "\r\nVia: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bKother\r\nVia:"),
    ],
    ["a second Via behind ours", (text) => text.replace(/(Via:.*)\r\n/, "$1, SIP/2.0/UDP 198.51.100.1\r\n")],
  ];
  it.each(cases)("drops and counts one with %s", (_name, edit) => {
    const { flow, handlers, layer, receive } = register();
    receive(edit(responseTo(flow.last(), 200)));
    expect(handlers.events).toEqual([]);
    expect(layer.counters.strayResponses).toBe(1);
  });

  it("takes a Via with valueless rport, received added, parameters in another order, at the end of the headers", () => {
    const { flow, handlers, receive } = register();
    const branch = /branch=([^;\r]+)/.exec(header(flow.last(), "Via"))?.[1];
    const via = `SIP/2.0/UDP 192.0.2.20:5060;rport;branch=${branch};received=192.0.2.20`;
    receive(responseTo(flow.last(), 200, "theirs", () => via));
    expect(handlers.events).toEqual(["200"]);
  });

  it("takes a sent-by whose default port was left out on the way", () => {
    const { flow, handlers, receive } = register();
    receive(responseTo(flow.last(), 200, "theirs", (via) => via.replace(":5060", "")));
    expect(handlers.events).toEqual(["200"]);
  });

  it("takes it from another address over UDP, never by another connection or kind of transport", () => {
    const udp = register();
    const connection = register("WS");
    udp.receive(responseTo(udp.sent, 200), connection.flow);
    expect(udp.handlers.events).toEqual([]);
    udp.receive(responseTo(udp.sent, 200), udp.flow.toPort?.(5999) ?? udp.flow);
    expect(udp.handlers.events).toEqual(["200"]);
    connection.receive(responseTo(connection.sent, 200), udp.flow);
    connection.receive(responseTo(connection.sent, 200), new TestFlow(connection.clock, "WS", 5061));
    expect(connection.handlers.events).toEqual([]);
    expect(connection.layer.counters.strayResponses).toBe(2);
  });
});
