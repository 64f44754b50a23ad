import { describe, expect, it } from "vitest";
import {
  createDigestClient,
  createRequest,
  createResponse,
  type HeaderPair,
} from "../../../src/sip/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { nothing, SessionPair } from "../../support/session-pair.ts";

const ignored = { onResponse() {}, onTimeout() {}, onTransportError() {} };

/** A pair whose INVITE rings. */
function ringing() {
  const pair = new SessionPair();
  const outgoing = pair.invite();
  pair.received.progress(180);
  pair.clock.advance(10);
  return { pair, outgoing };
}

/** Final statuses of a request of the caller's within the dialog. */
function ask(pair: SessionPair, method: string, body?: string, type = "application/sdp"): number[] {
  const statuses: number[] = [];
  const contact: HeaderPair = ["Contact", "<sip:x@192.0.2.1:5060>"];
  const headers: HeaderPair[] = body === undefined ? [contact] : [contact, ["Content-Type", type]];
  const request = pair.outgoing?.session.dialog?.createRequest(method, headers, body);
  if (!request) throw new Error("no dialog");
  pair.caller.layer.request(request, pair.caller.flow, {
    ...ignored,
    onResponse: ({ status }) => {
      if (status >= 200) statuses.push(status);
    },
  });
  pair.clock.advance(10);
  return statuses;
}

describe("a BYE in an early dialog", () => {
  it("of the caller's ends the INVITE with 487, as RFC 3261 15.1.2 asks, and leaves nothing", () => {
    const { pair } = ringing();
    expect(ask(pair, "BYE")).toEqual([200]);
    expect(pair.caller.user.told.at(-1)).toBe("failed 487");
    expect(pair.callee.user.told).toEqual(["failed 487"]);
    expect(pair.received.pending).toBe(false);
    expect(pair.remains()).toEqual(nothing);
  });

  it("of the called side's cancels our INVITE", () => {
    const { pair } = ringing();
    const bye = pair.received.session.dialog?.createRequest("BYE");
    if (bye) pair.callee.layer.request(bye, pair.callee.flow, ignored);
    pair.clock.advance(10);
    expect(pair.network.startLines("192.0.2.1:5060").some((line) => line.startsWith("CANCEL "))).toBe(true);
    expect(pair.caller.user.told.at(-1)).toBe("failed 487");
    expect(pair.remains()).toEqual(nothing);
  });
});

describe("an offer at the wrong time", () => {
  it("is refused with 500 and Retry-After while the first INVITE rings", () => {
    const { pair } = ringing();
    expect(ask(pair, "INVITE", "too early")).toEqual([500]);
    expect(ask(pair, "UPDATE", "too early")).toEqual([500]);
    expect(pair.callee.user.told).toEqual([]);
    expect(pair.received.pending).toBe(true);
  });

  it("is refused with 491 while the ACK with the answer to our own offer is still to come", () => {
    const pair = new SessionPair();
    pair.invite({});
    pair.received.accept("our offer");
    pair.clock.advance(10);
    expect(ask(pair, "INVITE", "overtook the ACK")).toEqual([491]);
    pair.outgoing?.session.acknowledge(1, "the answer");
    pair.clock.advance(10);
    expect(pair.callee.user.told).toEqual(["acknowledged the answer"]);
    expect(pair.received.session.state).toBe("established");
  });

  it("does not end the session when an UPDATE comes before the ACK of a re-INVITE", () => {
    const pair = new SessionPair();
    pair.establish();
    pair.network.drop = (_from, text) => text.startsWith("ACK ");
    pair.outgoing?.session.reinvite(() => "moved", { onAnswer: () => undefined });
    pair.clock.advance(10);
    expect(ask(pair, "UPDATE", "moved again")).toEqual([200]);
    pair.network.drop = () => false;
    pair.clock.advance(60_000);
    expect(pair.callee.user.told).toEqual(["offer moved", "offer moved again"]);
    expect(pair.received.session.state).toBe("established");
  });

  it("is taken from a re-INVITE that overtook the ACK of the one before", () => {
    const pair = new SessionPair();
    pair.establish();
    pair.network.drop = (_from, text) => text.startsWith("ACK ");
    pair.outgoing?.session.reinvite(() => "first", { onAnswer: () => undefined });
    pair.clock.advance(10);
    expect(ask(pair, "INVITE", "second")).toEqual([200]);
    expect(pair.callee.user.told).toEqual(["offer first", "offer second"]);
  });

  it("is refused with 415 when its body is no SDP", () => {
    const pair = new SessionPair();
    pair.establish();
    expect(ask(pair, "INVITE", "hello", "text/plain")).toEqual([415]);
    expect(pair.callee.user.told).toEqual([]);
  });
});

describe("what is under way when the session ends", () => {
  it("gets 487 when it is a re-INVITE that its user was still answering", () => {
    const pair = new SessionPair();
    pair.establish();
    const replies: (() => void)[] = [];
    pair.callee.user.onOfferReceived = (_sdp, reply) =>
      void replies.push(
        () => reply.accept("late"),
        () => reply.reject(488),
      );
    const statuses = ask(pair, "INVITE", "slow");
    pair.outgoing?.session.bye();
    pair.clock.advance(10);
    expect(statuses).toEqual([487]);
    for (const reply of replies) reply();
    pair.clock.advance(10);
    expect(statuses).toEqual([487]);
    expect(pair.remains()).toEqual(nothing);
  });

  it.each([200, 487])(
    "gets its ACK when it is a re-INVITE of ours that is answered %i after the BYE",
    (status) => {
      const pair = new SessionPair();
      pair.establish();
      let answer = (): void => {};
      pair.callee.user.onOfferReceived = (_sdp, reply) => {
        answer = () => (status === 200 ? reply.accept("late") : reply.reject(status));
      };
      pair.caller.user.told.length = 0;
      pair.outgoing?.session.reinvite(() => "slow", { onAnswer: () => undefined });
      pair.clock.advance(300);
      // The caller hangs up; its BYE is lost for a while, so that the late answer crosses it.
      pair.network.drop = (_from, text) => text.startsWith("BYE ") || text.startsWith("CANCEL ");
      pair.outgoing?.session.bye();
      answer();
      pair.clock.advance(10);
      const acks = pair.network.sent.filter(({ text }) => /^ACK [^]*CSeq: 2 ACK/.test(text));
      expect(acks).toHaveLength(1);
      pair.network.drop = () => false;
      expect(pair.remains()).toEqual(nothing);
    },
  );
});

describe("an INVITE that was challenged", () => {
  it("is acknowledged with the credentials that opened it, a re-INVITE without is not", () => {
    const pair = new SessionPair();
    pair.authentication = {
      client: createDigestClient({ random: new CountingRandom("digest") }),
      credentials: { username: "1003", password: "secret" },
    };
    pair.caller.user.onAnsweredReceived = ({ cseq }) => pair.outgoing?.session.acknowledge(cseq.sequence);
    pair.invite();
    const challenge = ["WWW-Authenticate", 'Digest realm="r", nonce="n", algorithm=MD5'] as const;
    pair.received.reject(401, undefined, [challenge]);
    pair.clock.advance(10);
    pair.received.accept("answer");
    pair.clock.advance(10);
    pair.outgoing?.session.reinvite(() => "hold", { onAnswer: () => undefined });
    pair.clock.advance(10);
    const credentials = (pattern: RegExp) =>
      pair.network.sent.flatMap(({ text }) =>
        pattern.test(text) ? [/^Authorization: .*$/m.exec(text)?.[0]] : [],
      );
    const [, opened] = credentials(/^INVITE /);
    expect(opened).toContain('username="1003"');
    // The ACK of the 401, which the transaction sends, the one of the 200, and the one of the re-INVITE's 200.
    expect(credentials(/^ACK /)).toEqual([undefined, opened, undefined]);
  });
});

describe("an INVITE that is given up", () => {
  it("is not repeated with credentials when a challenge crosses the CANCEL", () => {
    const pair = new SessionPair();
    pair.authentication = {
      client: createDigestClient({ random: new CountingRandom("digest") }),
      credentials: { username: "1003", password: "secret" },
    };
    const outgoing = pair.invite();
    outgoing.cancel();
    const challenge = ["WWW-Authenticate", 'Digest realm="r", nonce="n", algorithm=MD5'] as const;
    pair.received.reject(401, undefined, [challenge]);
    pair.clock.advance(10);
    const invites = pair.network.startLines("192.0.2.1:5060").filter((line) => line.startsWith("INVITE "));
    expect(invites).toHaveLength(1);
    expect(pair.caller.user.told).toEqual(["failed 401"]);
    expect(pair.remains()).toEqual(nothing);
  });

  it("is heard of no more when it was left, and a 200 that crosses is hung up", () => {
    const { pair, outgoing } = ringing();
    pair.received.accept("answer");
    outgoing.leave();
    pair.clock.advance(20);
    expect(pair.caller.user.told).toEqual(["provisional 180"]);
    expect(pair.callee.user.told).toEqual(["acknowledged", "ended BYE"]);
    expect(pair.remains()).toEqual(nothing);
  });
});

describe("a peer's bad Contact", () => {
  it.each(["*", "<tel:+4930123>"])("%s is passed over: requests go to From's URI", (contact) => {
    const pair = new SessionPair();
    const invite = createRequest({
      method: "INVITE",
      uri: "sip:5001@192.0.2.2:5060",
      headers: [
        ["From", "<sip:1003@192.0.2.1>;tag=1"],
        ["To", "<sip:5001@192.0.2.2>"],
        ["Call-ID", "bad-contact"],
        ["CSeq", "1 INVITE"],
        ["Contact", contact],
      ],
    });
    pair.caller.layer.request(invite, pair.caller.flow, ignored);
    pair.clock.advance(10);
    pair.received.accept("answer");
    const target = pair.received.session.dialog;
    expect(target?.remoteTarget).toBe("sip:1003@192.0.2.1");
    target?.refreshTarget(createResponse(invite, 200, { headers: [["Contact", contact]] }));
    expect(target?.remoteTarget).toBe("sip:1003@192.0.2.1");
    expect(() => target?.createRequest("BYE")).not.toThrow();
    pair.received.session.close();
  });
});

describe("a peer that forks without end", () => {
  it("has 32 early dialogs and no more, and can still answer", () => {
    const pair = new SessionPair();
    pair.invite();
    const { request } = pair.received;
    for (let fork = 0; fork < 100; fork++) {
      const ring = createResponse(request, 180, { toTag: `fork-${fork}` });
      pair.callee.flow.send(Buffer.from(wire(ring)));
    }
    pair.clock.advance(10);
    expect(pair.caller.dispatcher.size).toBe(32);
    pair.received.accept("answer");
    pair.clock.advance(10);
    expect(pair.caller.user.told.at(-1)).toBe("answered answer");
    pair.outgoing?.session.close();
    expect(pair.caller.dispatcher.size).toBe(0);
  });
});

function wire(response: ReturnType<typeof createResponse>): string {
  const lines = [...response.headers.entries()].map(([name, value]) => `${name}: ${value}`);
  return [`SIP/2.0 ${response.status} ${response.reason}`, ...lines, "Content-Length: 0", "", ""].join(
    "\r\n",
  );
}
