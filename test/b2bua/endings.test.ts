import { describe, expect, it } from "vitest";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";

const answer = browserSdp({ setup: "active", payloads: "111 110" });
const methods = ["toString", "constructor", "valueOf", "__proto__"];

describe("a call that nobody ends", () => {
  it("is given up when the browser never answers anything", async () => {
    const bench = new B2buaBench();
    bench.network.drop = (from) => from.startsWith("browser");
    await bench.callAgent();
    await bench.pass(33_000);
    expect(bench.trunk.user.told).toEqual(["provisional 180", "failed 480"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is given up when the browser rings for ever and SIP Server has died", async () => {
    const bench = new B2buaBench();
    await bench.callAgent();
    bench.browser.received.progress(180);
    bench.network.drop = (from) => from.startsWith("192.0.2.10");
    await bench.pass(184_000);
    expect(bench.b2bua.size).toBe(1);
    await bench.pass(2000);
    expect(bench.records).toMatchObject([{ endedBy: "jackfield", status: 480 }]);
    expect(bench.browser.user.told).toEqual(["failed 487"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is given up when SIP Server rings for ever, counted from its last word", async () => {
    const bench = new B2buaBench();
    await bench.dial("1003");
    bench.trunk.received.progress(180);
    await bench.pass(170_000);
    bench.trunk.received.progress(180);
    await bench.pass(170_000);
    expect(bench.b2bua.size).toBe(1);
    // Its 180 came four times again, within 13 s.
    await bench.pass(33_000);
    expect(bench.browser.user.told.at(-1)).toBe("failed 480");
    expect(bench.trunk.user.told).toEqual(["failed 487"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is not given up once it is established", async () => {
    const bench = new B2buaBench();
    await bench.established();
    await bench.pass(400_000);
    expect(bench.b2bua.size).toBe(1);
  });
});

describe("a BYE instead of a CANCEL", () => {
  it("of SIP Server's ends the ringing call and leaves nothing", async () => {
    const bench = new B2buaBench();
    await bench.callAgent();
    bench.browser.received.progress(180);
    await bench.pass();
    bench.trunk.outgoing?.session.request("BYE");
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 487");
    expect(bench.browser.user.told).toEqual(["failed 487"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("of the browser's ends the call it dials and leaves nothing", async () => {
    const bench = new B2buaBench();
    await bench.dial("1003");
    bench.trunk.received.progress(180);
    await bench.pass();
    bench.browser.outgoing?.session.request("BYE");
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["failed 487"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("the media worker's death", () => {
  it.each(["setting-up", "ringing", "answering"])("ends a call that is %s on both sides", async (state) => {
    const bench = new B2buaBench();
    bench.trunk.user.onAnsweredReceived = () => {};
    await bench.callAgentOfferless();
    if (state === "answering") bench.browser.received.accept(answer);
    if (state !== "setting-up") await bench.pass();
    bench.media.last.close("media worker failed");
    if (state === "answering") bench.trunk.outgoing?.session.acknowledge(1, genesysSdp());
    await bench.pass();
    expect(bench.records).toMatchObject([{ endedBy: "jackfield", reason: "media: media worker failed" }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("in the middle of an ICE restart ends the call and answers the browser's re-INVITE", async () => {
    const bench = new B2buaBench();
    await bench.established();
    const statuses: number[] = [];
    let lose = (): void => {};
    bench.media.last.restartIce = () =>
      new Promise((_resolve, reject) => {
        lose = () => reject(new Error("media session is closed"));
      });
    bench.browser.received.session.reinvite(() => browserSdp({ ufrag: "moved" }), {
      onAnswer: () => undefined,
      onFailed: (status) => statuses.push(status),
    });
    await bench.pass();
    lose();
    await bench.pass();
    expect(statuses).toEqual([500]);
    bench.media.last.close("media worker failed");
    await bench.pass();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("leaves nothing when the browser hangs up while its re-INVITE waits for the worker", async () => {
    const bench = new B2buaBench();
    await bench.established();
    bench.media.last.restartIce = () => new Promise(() => {});
    bench.browser.received.session.reinvite(() => browserSdp({ ufrag: "moved" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    bench.browser.received.session.bye();
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["ended BYE"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("bad requests", () => {
  it.each(methods)("%s is refused with 405, wherever it comes", async (method) => {
    const bench = new B2buaBench();
    await bench.established();
    const statuses = [
      bench.trunk.send(method, "sip:5001@192.0.2.20"),
      bench.browser.send(method, "sip:x@jackfield"),
    ];
    const inDialog: number[] = [];
    const onResponse = ({ status }: { status: number }) => inDialog.push(status);
    bench.trunk.outgoing?.session.request(method, [], undefined, { onResponse });
    bench.browser.received.session.request(method, [], undefined, { onResponse });
    await bench.pass();
    expect(statuses).toEqual([[405], [405]]);
    expect(inDialog).toEqual([405, 405]);
  });

  it("an INVITE with Contact: * can be hung up like any other, and leaves no trace", async () => {
    const bench = new B2buaBench();
    await bench.dial("1003");
    const [first] = bench.network.sent.filter(({ from }) => from.startsWith("browser"));
    bench.browser.outgoing?.cancel();
    const hostile = (first?.text ?? "")
      .replace(/^Contact: .*$/m, "Contact: *")
      .replace(/branch=[^;\s]+/, "branch=z9hG4bKhostile")
      .replace(/^Call-ID: .*$/m, "Call-ID: hostile");
    bench.browser.flow.send(Buffer.from(hostile));
    await bench.pass(300);
    expect(bench.b2bua.size).toBe(1);
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    // It never acknowledges: our 200 runs out and we hang up on both sides.
    await bench.pass(40_000);
    expect(bench.trunk.user.told.at(-1)).toMatch(/^ended BYE/);
    expect(bench.network.startLines("gateway.invalid:0").at(-1)).toMatch(/^BYE sip:5001@jackfield /);
    expect(bench.records).toHaveLength(2);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("an INVITE whose body is no SDP gets 415 and what is taken, from either side", async () => {
    const bench = new B2buaBench();
    const headers = [["Content-Type", "text/plain"]] as const;
    const statuses = [
      bench.trunk.send("INVITE", "sip:5001@192.0.2.20:5070", headers, "hello"),
      bench.browser.send("INVITE", "sip:1003@jackfield", headers, "hello"),
    ];
    await bench.pass();
    expect(statuses).toEqual([[415], [415]]);
    const refusals = bench.network.sent.filter(({ text }) => text.startsWith("SIP/2.0 415"));
    expect(refusals.every(({ text }) => text.includes("Accept: application/sdp"))).toBe(true);
    expect(bench.b2bua.size).toBe(0);
  });

  it("a Reason that would not fit into a datagram is not handed on", async () => {
    const bench = new B2buaBench();
    await bench.established();
    bench.browser.received.session.bye([["Reason", `SIP;cause=200;text="${"x".repeat(4000)}"`]]);
    await bench.pass();
    expect(bench.b2bua.size).toBe(0);
    expect(bench.network.sent.filter(({ text }) => text.startsWith("BYE")).at(-1)?.text.length).toBeLessThan(
      800,
    );
  });
});

describe("statuses", () => {
  it("503 of a browser is 480 to SIP Server, which would take 503 for an outage of ours", async () => {
    const bench = new B2buaBench();
    await bench.callAgent();
    bench.browser.received.reject(503);
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 480");
  });

  it("183 without SDP stays 183: nobody has rung yet", async () => {
    const bench = new B2buaBench();
    await bench.dial("1003");
    bench.trunk.received.progress(183);
    await bench.pass();
    bench.trunk.received.progress(180);
    await bench.pass();
    expect(bench.browser.user.told).toEqual(["provisional 183", "provisional 180"]);
  });
});

describe("a stopping gateway", () => {
  it("takes no new call and says so to OPTIONS, with the time to wait", async () => {
    const bench = new B2buaBench();
    bench.b2bua.close("shutting down");
    await bench.callAgent();
    await bench.dial("1003");
    expect(bench.trunk.user.told).toEqual(["failed 503"]);
    expect(bench.browser.user.told).toEqual(["failed 503"]);
    expect(bench.network.sent.some(({ text }) => /^SIP\/2.0 503[^]*Retry-After: 10/.test(text))).toBe(true);
    const options = bench.trunk.send("OPTIONS", "sip:5001@192.0.2.20:5070");
    await bench.pass();
    expect(options).toEqual([503]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("holds faster than SIP Server answers", () => {
  it("wait as one re-INVITE that tells the last of them", async () => {
    const bench = new B2buaBench();
    await bench.established();
    const offers: string[] = [];
    const replies: (() => void)[] = [];
    bench.trunk.user.onOfferReceived = (sdp, reply) => {
      offers.push(/a=(send\w+|recvonly|inactive)/.exec(sdp)?.[1] ?? "");
      replies.push(() => reply.accept(genesysSdp()));
    };
    const notify = (event: string) => bench.trunk.outgoing?.session.request("NOTIFY", [["Event", event]]);
    for (let turn = 0; turn < 20; turn++) {
      notify("hold");
      notify("talk");
      await bench.pass(5);
    }
    expect(offers).toEqual(["sendonly"]);
    replies[0]?.();
    await bench.pass();
    replies[1]?.();
    await bench.pass();
    expect(offers).toEqual(["sendonly", "sendrecv"]);
  });
});
