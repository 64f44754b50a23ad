import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/index.ts";
import {
  createRequest,
  createResponse,
  createTransactionLayer,
  type Flow,
  type ServerTransaction,
  type SipRequest,
  type SipResponse,
  type TransactionUser,
} from "../../../src/sip/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { TestHandlers, wire } from "./support.ts";

const idle: TransactionUser = { onRequest() {}, onAck() {} };

function request(method: string, callId: string, toTag = ""): SipRequest {
  return createRequest({
    method,
    uri: "sip:1003@192.0.2.10:5060",
    headers: [
      ["Max-Forwards", "70"],
      ["From", "<sip:5001@192.0.2.20>;tag=ours"],
      ["To", `<sip:1003@192.0.2.10>${toTag && `;tag=${toTag}`}`],
      ["Call-ID", callId],
      ["CSeq", `1 ${method}`],
    ],
  });
}

/** Far user: rings at once and repeats its 200 until the ACK comes, as a dialog does. */
class FarUser implements TransactionUser {
  readonly served: string[] = [];
  readonly cancelled: string[] = [];
  readonly acknowledged = new Set<string>();
  readonly #clock: FakeClock;
  readonly #answerAfterMs: number;

  constructor(clock: FakeClock, answerAfterMs: number) {
    this.#clock = clock;
    this.#answerAfterMs = answerAfterMs;
  }

  onRequest(incoming: SipRequest, transaction: ServerTransaction): void {
    this.served.push(`${incoming.method} ${incoming.callId}`);
    const respond = (status: number): void =>
      transaction.respond(createResponse(incoming, status, { toTag: "far" }));
    if (incoming.method !== "INVITE") return respond(200);
    respond(180);
    transaction.onCancel = () => {
      this.cancelled.push(incoming.callId);
      respond(487);
    };
    const accept = (interval: number): void => {
      if (this.acknowledged.has(incoming.callId) || this.cancelled.includes(incoming.callId)) return;
      if (interval > 16_000) return;
      respond(200);
      this.#clock.setTimer(interval, () => accept(interval * 2));
    };
    this.#clock.setTimer(this.#answerAfterMs, () => accept(500));
  }

  onAck(ack: SipRequest): void {
    this.acknowledged.add(ack.callId);
  }
}

function joined(options: { protocol: "UDP" | "WS"; loss: number; seed: string; answerAfterMs: number }) {
  const clock = new FakeClock();
  const dice = new CountingRandom(options.seed);
  const link = wire(clock, {
    protocol: options.protocol,
    delayMs: 20,
    loses: () => dice.fraction() < options.loss,
  });
  const log = silentLogger;
  const farUser = new FarUser(clock, options.answerAfterMs);
  const near = createTransactionLayer({ clock, log, random: new CountingRandom("near"), user: idle });
  const far = createTransactionLayer({ clock, log, random: new CountingRandom("far"), user: farUser });
  link.connect(near, far);
  const settle = (): void => {
    clock.advance(120_000);
    expect(near.counts).toEqual({ client: 0, server: 0 });
    expect(far.counts).toEqual({ client: 0, server: 0 });
    expect(clock.pendingTimers).toBe(0);
    expect(near.counters.handlerErrors + far.counters.handlerErrors).toBe(0);
  };
  return { clock, link, near, far, farUser, settle };
}

/** Near user of an INVITE: acknowledges each 2xx, as a dialog does. */
class Caller extends TestHandlers {
  readonly #sendAck: (response: SipResponse) => void;
  #ack: SipRequest | undefined;

  constructor(callId: string, flow: Flow, sendAck: (ack: SipRequest, flow: Flow) => void) {
    super();
    this.#sendAck = (response) => {
      this.#ack ??= request("ACK", callId, response.to.tag);
      sendAck(this.#ack, flow);
    };
  }

  override onResponse(response: SipResponse): void {
    super.onResponse(response);
    if (response.status >= 200 && response.status < 300) this.#sendAck(response);
  }
}

const seeds = Array.from({ length: 20 }, (_, i) => `seed ${i}`);

describe("two layers over a wire that loses 30 %", () => {
  it("bring every non-INVITE request to exactly one serving and one final response", () => {
    let lost = 0;
    for (const seed of seeds) {
      const { far, farUser, link, near, settle } = joined({
        protocol: "UDP",
        loss: 0.3,
        seed,
        answerAfterMs: 0,
      });
      const all = Array.from({ length: 10 }, (_, i) => {
        const handlers = new TestHandlers();
        near.request(request("OPTIONS", `o${i}`), link.near, handlers);
        return handlers;
      });
      settle();
      // 11 sends with 51 % of failure each: a time-out is possible, more than a few in 200 are not.
      for (const handlers of all) expect([["200"], ["timeout"]]).toContainEqual(handlers.events);
      const answered = all.filter(({ events }) => events[0] === "200").length;
      expect(answered).toBeGreaterThanOrEqual(9);
      expect(new Set(farUser.served).size).toBe(farUser.served.length);
      expect(farUser.served.length).toBeGreaterThanOrEqual(answered);
      expect(far.counters.responsesRefused).toBe(0);
      lost += link.lost();
    }
    expect(lost).toBeGreaterThan(150);
  });

  it("set up every call: one serving, one acknowledged 200", () => {
    for (const seed of seeds) {
      const { farUser, link, near, settle } = joined({
        protocol: "UDP",
        loss: 0.3,
        seed,
        answerAfterMs: 3000,
      });
      const callers = Array.from({ length: 5 }, (_, i) => {
        const caller = new Caller(`c${i}`, link.near, (ack, flow) => near.sendAck(ack, flow));
        near.request(request("INVITE", `c${i}`), link.near, caller);
        return caller;
      });
      settle();
      for (const caller of callers) expect(caller.events.at(-1)).toBe("200");
      expect(farUser.served.toSorted()).toEqual([
        "INVITE c0",
        "INVITE c1",
        "INVITE c2",
        "INVITE c3",
        "INVITE c4",
      ]);
      expect(farUser.acknowledged.size).toBe(5);
    }
  });

  it("cancel every call that still rings, with 487 for the caller", () => {
    for (const seed of seeds) {
      const { clock, farUser, link, near, settle } = joined({
        protocol: "UDP",
        loss: 0.3,
        seed,
        answerAfterMs: 1_000_000,
      });
      const handlers = new TestHandlers();
      const transaction = near.request(request("INVITE", "c"), link.near, handlers);
      clock.advance(10);
      transaction.cancel();
      clock.advance(120_000);
      expect(handlers.events.at(-1)).toBe("487");
      expect(farUser.cancelled).toEqual(["c"]);
      clock.advance(1_000_000);
      settle();
    }
  });

  it("agree on how a call ended whenever CANCEL and 200 cross", () => {
    const ends = new Set<string>();
    for (const seed of seeds) {
      for (const cancelAt of [960, 980, 1000, 1010, 1020, 1040]) {
        const { clock, farUser, link, near, settle } = joined({
          protocol: "UDP",
          loss: 0.3,
          seed,
          answerAfterMs: 980,
        });
        const caller = new Caller("c", link.near, (ack, flow) => near.sendAck(ack, flow));
        const transaction = near.request(request("INVITE", "c"), link.near, caller);
        clock.advance(cancelAt);
        transaction.cancel();
        settle();
        const end = caller.events.at(-1) ?? "";
        expect(end).toBe(farUser.cancelled.length > 0 ? "487" : "200");
        expect(caller.events.filter((event) => event === "487").length).toBe(end === "487" ? 1 : 0);
        if (end === "200") expect(farUser.acknowledged.has("c")).toBe(true);
        ends.add(end);
      }
    }
    expect([...ends].toSorted()).toEqual(["200", "487"]);
  });
});

describe("two layers over a wire that loses everything", () => {
  it("end with time-outs and nothing left", () => {
    const { farUser, link, near, settle } = joined({ protocol: "UDP", loss: 1, seed: "x", answerAfterMs: 0 });
    const handlers = [new TestHandlers(), new TestHandlers()];
    near.request(request("INVITE", "a"), link.near, handlers[0] ?? new TestHandlers());
    near.request(request("OPTIONS", "b"), link.near, handlers[1] ?? new TestHandlers());
    settle();
    expect(handlers.map(({ events }) => events)).toEqual([["timeout"], ["timeout"]]);
    expect(farUser.served).toEqual([]);
  });
});

describe("two layers over a connection", () => {
  it("send each message once", () => {
    const { clock, far, farUser, link, near, settle } = joined({
      protocol: "WS",
      loss: 0,
      seed: "x",
      answerAfterMs: 3000,
    });
    const caller = new Caller("c", link.near, (ack, flow) => near.sendAck(ack, flow));
    near.request(request("INVITE", "c"), link.near, caller);
    clock.advance(5000);
    const bye = new TestHandlers();
    near.request(request("BYE", "c", "far"), link.near, bye);
    settle();
    expect(caller.events).toEqual(["180", "200"]);
    expect(bye.events).toEqual(["200"]);
    expect(farUser.acknowledged.has("c")).toBe(true);
    for (const layer of [near, far]) {
      expect(layer.counters.retransmissionsSent).toBe(0);
      expect(layer.counters.retransmissionsAbsorbed).toBe(0);
    }
  });
});
