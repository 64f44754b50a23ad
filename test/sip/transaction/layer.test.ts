import { describe, expect, it } from "vitest";
import { createRequest, createResponse, type SipRequest } from "../../../src/sip/index.ts";
import { header, incoming, outgoing, responseTo, setUp, TestFlow, TestHandlers } from "./support.ts";

const accept = (request: SipRequest, transaction: { respond(response: unknown): void }): void =>
  transaction.respond(createResponse(request, 200, { toTag: "ours" }));

describe("what arrives and is no message", () => {
  it("is counted as keep-alive when it is line ends only", () => {
    const { flow, layer, receive } = setUp();
    receive("\r\n\r\n");
    receive("\r\n");
    receive("");
    expect(layer.counters.keepAlives).toBe(3);
    expect(layer.counters.parseErrors).toBe(0);
    expect(flow.sent).toEqual([]);
  });

  it("is answered 400 with a tag when it is a request that says where to answer, leaving nothing behind", () => {
    const { clock, flow, layer, receive, user } = setUp();
    receive(incoming().replace("CSeq: 1 INVITE", "CSeq: one INVITE"));
    expect(flow.lines[0]).toMatch(/^SIP\/2\.0 400 /);
    expect(header(flow.last(), "To")).toMatch(/;tag=[0-9a-f]{16}$/);
    expect(header(flow.last(), "Via")).toBe("SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-b1");
    expect(user.requests).toEqual([]);
    expect(layer.counters.parseErrors).toBe(1);
    expect(layer.counters.parseErrorsAnswered).toBe(1);
    expect(layer.counts.server).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("is answered 505 for another version", () => {
    const { flow, receive } = setUp();
    receive(incoming().replace("SIP/2.0\r\n", "SIP/7.0\r\n"));
    expect(flow.lines).toEqual(["SIP/2.0 505 Version Not Supported"]);
  });

  it("gets the same answer for each copy, and the ACK to it goes no further", () => {
    const { flow, receive, user } = setUp();
    const broken = incoming().replace("CSeq: 1 INVITE", "CSeq: one INVITE");
    receive(broken);
    receive(broken);
    expect(flow.sent[1]?.text).toBe(flow.sent[0]?.text);
    const toTag = /tag=([0-9a-f]+)/.exec(header(flow.last(), "To"))?.[1] ?? "";
    receive(incoming({ method: "ACK", toTag }));
    expect(user.acks).toEqual([]);
  });

  it("is dropped and counted when it is a response, an ACK or noise", () => {
    const { flow, layer, receive } = setUp();
    receive("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bKx\r\nCSeq: ?\r\n\r\n");
    receive(incoming({ method: "ACK" }).replace("CSeq: 1 ACK", "CSeq: one ACK"));
    receive("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    receive("\u0000\u0001\u0002");
    expect(layer.counters.parseErrors).toBe(4);
    expect(layer.counters.parseErrorsAnswered).toBe(0);
    expect(flow.sent).toEqual([]);
  });

  it("never throws out of receive, whatever is cut off or turned over", () => {
    const { layer, flow } = setUp();
    const whole = Buffer.from(incoming());
    for (let cut = 0; cut < whole.length; cut++) {
      const turned = Buffer.from(whole);
      turned[cut] = (turned[cut] ?? 0) ^ 0xff;
      expect(() => {
        layer.receive(flow, whole.subarray(0, cut), "datagram");
        layer.receive(flow, turned, "datagram");
      }).not.toThrow();
    }
    expect(layer.counters.handlerErrors).toBe(0);
  });
});

describe("the top Via of a request (RFC 3261 18.2.1, RFC 3581)", () => {
  const vias: [string, string, string][] = [
    [
      "stays as it is when it tells the truth and asks for nothing",
      "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-v",
      "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-v",
    ],
    [
      "gets received when the host is another",
      "SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK-v",
      "SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK-v;received=192.0.2.10",
    ],
    [
      "gets received when the host is a name",
      "SIP/2.0/UDP sips.example:5060;branch=z9hG4bK-v",
      "SIP/2.0/UDP sips.example:5060;branch=z9hG4bK-v;received=192.0.2.10",
    ],
    [
      "has rport filled, and received with it, when asked",
      "SIP/2.0/UDP 192.0.2.10:5070;rport;branch=z9hG4bK-v",
      "SIP/2.0/UDP 192.0.2.10:5070;rport=5060;branch=z9hG4bK-v;received=192.0.2.10",
    ],
    [
      "has a forged received and rport replaced",
      "SIP/2.0/UDP 10.0.0.7 ; received = 198.51.100.1 ; rport=9 ; branch=z9hG4bK-v",
      "SIP/2.0/UDP 10.0.0.7;rport=5060; branch=z9hG4bK-v;received=192.0.2.10",
    ],
    [
      "loses a forged received it did not need",
      "SIP/2.0/UDP 192.0.2.10:5060;received=198.51.100.1;branch=z9hG4bK-v",
      "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-v",
    ],
  ];
  it.each(vias)("%s", (_name, via, stamped) => {
    const { flow, receive, user } = setUp();
    user.answer = accept;
    receive(incoming({ method: "OPTIONS", via }));
    const port = /rport/.test(via) ? 5060 : Number(/:(\d+)/.exec(via)?.[1] ?? 5060);
    const reply = port === 5060 ? flow : flow.toPort?.(port);
    expect(header(reply?.last() ?? "", "Via")).toBe(stamped);
  });

  it("is stamped alone: the Vias behind it, in its own line or another, stay and keep their order", () => {
    const { flow, receive, user } = setUp();
    user.answer = accept;
    const first = "SIP/2.0/UDP 10.0.0.7;branch=z9hG4bK-v";
    const via = `${first}, SIP/2.0/UDP b.example;branch=z9hG4bK-2\r\nVia: SIP/2.0/TCP c.example;branch=z9hG4bK-3`;
    receive(incoming({ method: "OPTIONS", via }));
    expect(flow.last().match(/^Via: .*$/gm)).toEqual([
      `Via: ${first};received=192.0.2.10`,
      "Via: SIP/2.0/UDP b.example;branch=z9hG4bK-2",
      "Via: SIP/2.0/TCP c.example;branch=z9hG4bK-3",
    ]);
  });

  it("of a WebSocket client gets the address its .invalid host does not tell", () => {
    const { flow, receive, user } = setUp("WS");
    user.answer = accept;
    receive(incoming({ method: "REGISTER", via: "SIP/2.0/WS tnb7tkjk78in.invalid;branch=z9hG4bK3895616" }));
    expect(header(flow.last(), "Via")).toBe(
      "SIP/2.0/WS tnb7tkjk78in.invalid;branch=z9hG4bK3895616;received=192.0.2.10",
    );
  });
});

describe("the way of a response over UDP", () => {
  const ways: [string, string, number, number][] = [
    [
      "source port when rport was asked for",
      "SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK-w",
      40_000,
      40_000,
    ],
    ["sent-by port when it was not", "SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bK-w", 40_000, 5070],
    ["5060 when the sent-by has no port", "SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK-w", 40_000, 5060],
    [
      "sent-by port, never to maddr",
      "SIP/2.0/UDP 192.0.2.10:5070;maddr=198.51.100.1;branch=z9hG4bK-w",
      40_000,
      5070,
    ],
  ];
  it.each(ways)("is to the %s", (_name, via, source, target) => {
    const { clock, receive, user } = setUp();
    user.answer = accept;
    const flow = new TestFlow(clock, "UDP", source);
    receive(incoming({ method: "OPTIONS", via }), flow);
    const reply = source === target ? flow : flow.toPort?.(target);
    expect(reply).toMatchObject({
      remotePort: target,
      remoteAddress: "192.0.2.10",
      lines: ["SIP/2.0 200 OK"],
    });
  });

  it("is the same for answers without a transaction", () => {
    const { clock, receive } = setUp();
    const flow = new TestFlow(clock, "UDP", 40_000);
    receive(incoming({ method: "CANCEL", via: "SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bK-w" }), flow);
    expect(flow.sent).toEqual([]);
    expect(flow.toPort?.(5070)).toMatchObject({ lines: ["SIP/2.0 481 Call/Transaction Does Not Exist"] });
  });
});

describe("one request by two ways (RFC 3261 8.2.2.2)", () => {
  it("is served once, the copy gets 482 and its ACK stays here", () => {
    const { flow, layer, receive, user } = setUp();
    receive(incoming({ branch: "z9hG4bK-way1" }));
    receive(incoming({ branch: "z9hG4bK-way2" }));
    expect(user.requests).toHaveLength(1);
    expect(flow.lines).toEqual(["SIP/2.0 482 Loop Detected"]);
    expect(layer.counters.mergedRequests).toBe(1);
    expect(layer.counts.server).toBe(1);
    const toTag = /tag=([0-9a-f]+)/.exec(header(flow.last(), "To"))?.[1] ?? "";
    receive(incoming({ method: "ACK", branch: "z9hG4bK-way2", toTag }));
    expect(user.acks).toEqual([]);
  });

  it("is no matter within a dialog, with another CSeq, Call-ID or tag, or by another connection", () => {
    const { clock, layer, receive, user } = setUp("WS");
    receive(incoming({ branch: "z9hG4bK-1" }));
    receive(incoming({ branch: "z9hG4bK-2", toTag: "ours" }));
    receive(incoming({ branch: "z9hG4bK-3", sequence: 2 }));
    receive(incoming({ branch: "z9hG4bK-4", callId: "other" }));
    receive(incoming({ branch: "z9hG4bK-5", fromTag: "other" }));
    receive(incoming({ branch: "z9hG4bK-6" }), new TestFlow(clock, "WS", 5061));
    expect(user.requests).toHaveLength(6);
    expect(layer.counters.mergedRequests).toBe(0);
  });

  it("is forgotten with the transaction", () => {
    const { clock, receive, user } = setUp();
    user.answer = accept;
    receive(incoming({ method: "OPTIONS", branch: "z9hG4bK-1" }));
    clock.advance(32_000);
    receive(incoming({ method: "OPTIONS", branch: "z9hG4bK-2" }));
    expect(user.requests).toHaveLength(2);
  });
});

describe("the limits on transactions", () => {
  it("answer 503 with Retry-After beyond, without a transaction, and let requests in again later", () => {
    const { clock, flow, layer, receive, user } = setUp("UDP", {
      serverTransactions: 2,
      retryAfterSeconds: 9,
    });
    user.answer = accept;
    for (let i = 0; i < 4; i++)
      receive(incoming({ method: "OPTIONS", branch: `z9hG4bK-${i}`, callId: `c${i}` }));
    expect(flow.lines.map((line) => line.slice(8, 11))).toEqual(["200", "200", "503", "503"]);
    expect(header(flow.last(), "Retry-After")).toBe("9");
    expect(layer.counters.overloadRejections).toBe(2);
    expect(layer.counts.server).toBe(2);
    clock.advance(32_000);
    receive(incoming({ method: "OPTIONS", branch: "z9hG4bK-9", callId: "c9" }));
    expect(flow.lines.at(-1)).toBe("SIP/2.0 200 OK");
  });

  it("leave a quarter more to requests within dialogs, so that BYE still gets in", () => {
    const { layer, receive, user } = setUp("UDP", { serverTransactions: 4 });
    const bye = (i: number): string =>
      incoming({ method: "BYE", branch: `z9hG4bK-bye${i}`, toTag: "t", callId: `d${i}` });
    for (let i = 0; i < 5; i++) receive(incoming({ branch: `z9hG4bK-${i}`, callId: `c${i}` }));
    expect(user.requests).toHaveLength(4);
    receive(bye(1));
    receive(bye(2));
    expect(user.requests).toHaveLength(5);
    expect(layer.counters.overloadRejections).toBe(2);
  });

  it("keep a quarter for SIP Server however many connections ask for more", () => {
    const { clock, layer, receive, user } = setUp("UDP", { serverTransactions: 8 });
    for (let i = 0; i < 12; i++)
      receive(incoming({ branch: `z9hG4bK-${i}`, callId: `c${i}` }), new TestFlow(clock, "WS", 6000 + i));
    expect(user.requests).toHaveLength(6);
    receive(incoming({ branch: "z9hG4bK-trunk", callId: "trunk" }));
    expect(user.requests).toHaveLength(7);
    for (const { request, transaction } of user.requests)
      transaction.respond(createResponse(request, 486, { toTag: "ours" }));
    clock.advance(40_000);
    expect(layer.counts.server).toBe(0);
    receive(incoming({ branch: "z9hG4bK-later", callId: "later" }), new TestFlow(clock, "WS", 7000));
    expect(user.requests).toHaveLength(8);
  });

  it("hold for each connection by itself", () => {
    const { clock, flow, receive, user } = setUp("WS", { serverTransactionsPerConnection: 1 });
    receive(incoming({ branch: "z9hG4bK-1", callId: "c1" }));
    receive(incoming({ branch: "z9hG4bK-2", callId: "c2" }));
    expect(flow.lines).toEqual(["SIP/2.0 503 Service Unavailable"]);
    receive(incoming({ branch: "z9hG4bK-3", callId: "c3" }), new TestFlow(clock, "WS", 5061));
    expect(user.requests).toHaveLength(2);
    user.requests[0]?.transaction.respond(createResponse(user.requests[0].request, 486, { toTag: "ours" }));
    receive(incoming({ method: "ACK", branch: "z9hG4bK-1", callId: "c1", toTag: "ours" }));
    receive(incoming({ branch: "z9hG4bK-4", callId: "c4" }));
    expect(user.requests).toHaveLength(3);
  });
});

describe("requests of the datagram side and of connections", () => {
  it("never meet each other's transactions, be they alike to the last letter", () => {
    const { clock, layer, receive, user } = setUp();
    const connection = new TestFlow(clock, "WS", 5061);
    receive(incoming());
    receive(incoming(), connection);
    expect(user.requests).toHaveLength(2);
    expect(layer.counters.retransmissionsAbsorbed).toBe(0);
    const cancelled: string[] = [];
    for (const { transaction } of user.requests)
      transaction.onCancel = () => cancelled.push(transaction.flow.protocol);
    receive(incoming({ method: "CANCEL" }), connection);
    expect(cancelled).toEqual(["WS"]);
    receive(incoming({ method: "CANCEL" }));
    expect(cancelled).toEqual(["WS", "UDP"]);
  });
});

describe("sendAck", () => {
  const ack = (): SipRequest =>
    createRequest({
      method: "ACK",
      uri: "sip:1003@192.0.2.10:5060",
      headers: [
        ["From", "<sip:5001@192.0.2.20>;tag=ours"],
        ["To", "<sip:1003@192.0.2.10>;tag=theirs"],
        ["Call-ID", "call-1"],
        ["CSeq", "7 ACK"],
      ],
    });

  it("sends with a Via of its own, repeats the same bytes, and keeps no transaction", () => {
    const { clock, flow, layer } = setUp();
    const request = ack();
    layer.sendAck(request, flow);
    clock.advance(500);
    layer.sendAck(request, flow);
    expect(flow.timesOf("ACK")).toEqual([0, 500]);
    expect(header(flow.last(), "Via")).toMatch(
      /^SIP\/2\.0\/UDP 192\.0\.2\.20:5060;branch=z9hG4bK[0-9a-f]{16};rport$/,
    );
    expect(flow.sent[1]?.text).toBe(flow.sent[0]?.text);
    expect(layer.counts).toEqual({ client: 0, server: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  it("counts a failure and drops the ACK on a closed flow", () => {
    const { flow, layer } = setUp("WS");
    flow.failure = new Error("EPIPE");
    layer.sendAck(ack(), flow);
    expect(layer.counters.transportErrors).toBe(1);
    flow.failure = undefined;
    flow.open = false;
    expect(() => layer.sendAck(ack(), flow)).not.toThrow();
    expect(flow.sent).toEqual([]);
  });
});

describe("a request sent again as another transaction", () => {
  it("gets a new Via in place of the old", () => {
    const { flow, layer } = setUp();
    const request = outgoing("OPTIONS");
    layer.request(request, flow, new TestHandlers());
    layer.request(request, flow, new TestHandlers());
    const vias = flow.sent.map(({ text }) => text.match(/^Via: .*$/gm));
    expect(vias.map((lines) => lines?.length)).toEqual([1, 1]);
    expect(vias[0]?.[0]).not.toBe(vias[1]?.[0]);
    expect(layer.counts.client).toBe(2);
  });
});

describe("close", () => {
  it("ends every transaction in every state without a word and leaves no timer", () => {
    const { clock, flow, layer, receive, user } = setUp();
    const handlers = new TestHandlers();
    const calls = ["INVITE", "REGISTER", "INVITE", "INVITE", "REGISTER"];
    const sent = calls.map((method) => {
      layer.request(outgoing(method), flow, handlers);
      return flow.last();
    });
    receive(responseTo(sent[2] ?? "", 200));
    receive(responseTo(sent[3] ?? "", 486));
    receive(responseTo(sent[4] ?? "", 200));
    for (const [i, status] of [180, 200, 486, 0].entries()) {
      receive(incoming({ branch: `z9hG4bK-${i}`, callId: `c${i}` }));
      if (status) user.transaction.respond(createResponse(user.transaction.request, status, { toTag: "o" }));
    }
    receive(incoming({ method: "OPTIONS", branch: "z9hG4bK-o", callId: "o" }));
    expect(layer.counts).toEqual({ client: 5, server: 5 });
    const told = handlers.events.length;
    layer.close();
    layer.close();
    expect(layer.counts).toEqual({ client: 0, server: 0 });
    expect(clock.pendingTimers).toBe(0);
    const before = flow.sent.length;
    clock.advance(60_000);
    expect(flow.sent).toHaveLength(before);
    expect(handlers.events).toHaveLength(told);
    expect(user.events).toEqual([]);
  });

  it("makes the layer deaf, and a request given to it dies unheard", () => {
    const { clock, flow, layer, receive, user } = setUp();
    layer.close();
    receive(incoming());
    const handlers = new TestHandlers();
    layer.request(outgoing("INVITE"), flow, handlers);
    clock.advance(60_000);
    expect(user.requests).toEqual([]);
    expect(handlers.events).toEqual([]);
    expect(layer.counts).toEqual({ client: 0, server: 0 });
    expect(clock.pendingTimers).toBe(0);
  });
});
