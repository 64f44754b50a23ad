import { describe, expect, it } from "vitest";
import { createResponse } from "../../../src/sip/index.ts";
import { header, incoming, setUp } from "./support.ts";

function invited() {
  const world = setUp();
  world.receive(incoming({ sequence: 3 }));
  const { transaction } = world.user;
  const respond = (status: number): void =>
    transaction.respond(createResponse(transaction.request, status, { toTag: "ours" }));
  // SIP Server's CANCEL: To without tag even when the 180 carried one
  const cancel = (): void => world.receive(incoming({ method: "CANCEL", sequence: 3 }));
  return { ...world, transaction, respond, cancel };
}

describe("CANCEL for an INVITE", () => {
  it("that rings is answered 200 with the dialog's tag and told to the user, who answers 487", () => {
    const { cancel, clock, flow, layer, receive, respond, transaction, user } = invited();
    respond(180);
    transaction.onCancel = (request) => {
      user.events.push(`cancel ${request.cseq.method} ${request.cseq.sequence}`);
      respond(487);
    };
    cancel();
    expect(user.events).toEqual(["cancel CANCEL 3"]);
    expect(flow.lines).toEqual(["SIP/2.0 180 Ringing", "SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    expect(header(flow.sent[1]?.text ?? "", "To")).toBe("sip:5001@192.0.2.10:5060;tag=ours");
    expect(header(flow.sent[1]?.text ?? "", "CSeq")).toBe("3 CANCEL");
    expect(user.requests).toHaveLength(1);
    receive(incoming({ method: "ACK", sequence: 3, toTag: "ours" }));
    clock.advance(32_000);
    expect(layer.counts.server).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("that has not even been tried is answered with a tag all the same", () => {
    const { cancel, flow, user } = invited();
    cancel();
    expect(user.events).toEqual(["cancel"]);
    expect(header(flow.last(), "To")).toMatch(/;tag=[0-9a-f]{16}$/);
  });

  it("repeated gets the same 200 again and is told once", () => {
    const { cancel, flow, user } = invited();
    cancel();
    cancel();
    expect(user.events).toEqual(["cancel"]);
    expect(flow.sent).toHaveLength(2);
    expect(flow.sent[1]?.text).toBe(flow.sent[0]?.text);
  });

  it("crossing our 200 is answered 200 and changes nothing", () => {
    const { cancel, flow, receive, respond, user } = invited();
    respond(200);
    cancel();
    expect(user.events).toEqual([]);
    expect(flow.lines).toEqual(["SIP/2.0 200 OK", "SIP/2.0 200 OK"]);
    expect(header(flow.last(), "CSeq")).toBe("3 CANCEL");
    receive(incoming({ method: "ACK", sequence: 3, toTag: "ours", branch: "z9hG4bK-ack" }));
    expect(user.acks).toHaveLength(1);
  });

  it("after our failure is answered 200 and changes nothing", () => {
    const { cancel, respond, user } = invited();
    respond(486);
    cancel();
    expect(user.events).toEqual([]);
  });

  it("crossing timers: the late user answers 200 after CANCEL and wins", () => {
    const { cancel, flow, respond, user } = invited();
    cancel();
    respond(200);
    expect(user.events).toEqual(["cancel"]);
    expect(flow.lines.at(-1)).toBe("SIP/2.0 200 OK");
    expect(header(flow.last(), "CSeq")).toBe("3 INVITE");
  });

  it("throwing in the user's hands is counted, the 200 is out already", () => {
    const { cancel, flow, layer, transaction } = invited();
    transaction.onCancel = () => {
      throw new Error("user's fault");
    };
    expect(cancel).not.toThrow();
    expect(layer.counters.handlerErrors).toBe(1);
    expect(flow.lines).toEqual(["SIP/2.0 200 OK"]);
  });
});

describe("CANCEL that matches no INVITE", () => {
  it.each([
    ["another branch", { branch: "z9hG4bK-other" }],
    ["another sent-by", { via: "SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bK-b1" }],
  ])("by %s is answered 481 and leaves nothing behind", (_name, difference) => {
    const { clock, flow, layer, receive, user } = invited();
    receive(incoming({ method: "CANCEL", sequence: 3, ...difference }));
    const sent = [...flow.sent, ...(flow.toPort?.(5070).sent ?? [])];
    expect(sent.map(({ text }) => text.slice(0, 11))).toEqual(["SIP/2.0 481"]);
    expect(user.events).toEqual([]);
    expect(layer.counters.strayCancels).toBe(1);
    expect(layer.counts.server).toBe(1);
    clock.advance(1000);
    expect(user.requests).toHaveLength(1);
  });

  it("never reaches a non-INVITE transaction", () => {
    const { flow, receive, user } = setUp();
    receive(incoming({ method: "OPTIONS" }));
    receive(incoming({ method: "CANCEL" }));
    expect(flow.lines).toEqual(["SIP/2.0 481 Call/Transaction Does Not Exist"]);
    expect(user.events).toEqual([]);
  });
});

describe("a client without the magic cookie (RFC 2543)", () => {
  const via = "SIP/2.0/UDP 192.0.2.10:5060";

  it("has its repetitions absorbed by tags, Call-ID, CSeq, Request-URI and Via", () => {
    const { receive, user, layer } = setUp();
    receive(incoming({ via }));
    receive(incoming({ via }));
    expect(user.requests).toHaveLength(1);
    expect(layer.counters.retransmissionsAbsorbed).toBe(1);
  });

  it.each([
    ["CSeq", { sequence: 2 }],
    ["Call-ID", { callId: "other" }],
    ["From tag", { fromTag: "other" }],
    ["Via", { via: `${via};branch=7` }],
    ["Request-URI", { uri: "sip:5002@192.0.2.20:5060", toTag: "x" }],
  ])("has a request with another %s taken as a new one", (name, difference) => {
    const { layer, receive, user } = setUp();
    receive(incoming({ method: "OPTIONS", via }));
    receive(incoming({ method: "OPTIONS", via, ...difference }));
    // The same request by another Via is a merged one (RFC 3261 8.2.2.2): new, but not served.
    expect(user.requests.length + layer.counters.mergedRequests).toBe(2);
    expect(layer.counters.mergedRequests).toBe(name === "Via" ? 1 : 0);
    expect(layer.counters.retransmissionsAbsorbed).toBe(0);
  });

  it("has its CANCEL and ACK matched too", () => {
    const { flow, layer, receive, user } = setUp();
    receive(incoming({ via }));
    receive(incoming({ via, method: "CANCEL" }));
    expect(user.events).toEqual(["cancel"]);
    user.transaction.respond(createResponse(user.transaction.request, 487, { toTag: "ours" }));
    receive(incoming({ via, method: "ACK", toTag: "ours" }));
    expect(user.events).toEqual(["cancel", "acknowledged"]);
    expect(user.acks).toEqual([]);
    expect(flow.lines).toEqual(["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    expect(layer.counters.strayAcks).toBe(0);
  });
});
