import { describe, expect, it } from "vitest";
import { createResponse, type SipRequest } from "../../src/sip/index.ts";
import { nothingLeft } from "../support/b2bua-bench.ts";
import { genesysSdp } from "../support/descriptions.ts";
import { browserAnswer, replacesFor, statusesOf, TransferBench } from "../support/transfer-bench.ts";

type Headers = readonly (readonly [string, string])[];
const dn = "sip:5001@192.0.2.20:5070";
const referTo = ["Refer-To", "<sip:1004@192.0.2.10>"] as const;
const contact = ["Contact", "<sip:192.0.2.10:5060>"] as const;

/** The NOTIFYs SIP Server got, as `Event Subscription-State fragment`. */
const notifies = (bench: TransferBench): string[] =>
  bench.trunk.events.map(({ headers, body }) =>
    [headers.get("Event"), headers.get("Subscription-State"), body.toString().trim()].join(" "),
  );

/** SIP Server's stand-in answers NOTIFYs within the REFER's dialog, which its dispatcher does not list. */
class MakeCallBench extends TransferBench {
  constructor(options?: { allowEvents?: string[] }) {
    super(options);
    const user = this.trunk.dispatcher;
    const receive = user.onRequest.bind(user);
    user.onRequest = (request: SipRequest, transaction) => {
      if (request.method !== "NOTIFY") return receive(request, transaction);
      this.trunk.events.push(request);
      transaction.respond(createResponse(request, 200));
    };
  }

  async refer(headers: Headers = [referTo], uri = dn): Promise<number[]> {
    const statuses = this.trunk.send("REFER", uri, [contact, ...headers]);
    await this.pass();
    return statuses;
  }
}

describe("REFER of SIP Server's outside any dialog (make call)", () => {
  it("rings the browser with talk, calls the number when it answers and tells SIP Server of all of it", async () => {
    const bench = new MakeCallBench();
    expect(await bench.refer([referTo, ["Referred-By", "<sip:5001@192.0.2.10>"]])).toEqual([202]);
    expect(notifies(bench)).toEqual(["refer active;expires=185 SIP/2.0 100 Trying"]);
    expect(bench.trunk.incoming).toBeUndefined();
    expect(bench.browser.received.request.from.uri.user).toBe("1004");
    expect(bench.browser.events.map(({ headers }) => headers.get("Event"))).toEqual(["talk"]);
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    const far = bench.trunk.received;
    expect(far.request.uri.raw).toBe("sip:1004@192.0.2.10:5060");
    expect(far.request.headers.get("Referred-By")).toBe("<sip:5001@192.0.2.10>");
    far.progress(180);
    await bench.pass();
    far.accept(genesysSdp());
    await bench.pass();
    expect(statusesOf(notifies(bench))).toEqual([100, 180, 200]);
    expect(bench.media.last.told).toEqual([
      "browser opus sendrecv",
      "trunk 192.0.2.30:8000 pcmu sendrecv",
      "connect",
    ]);
    expect(bench.b2bua.calls()).toMatchObject([{ state: "established", farNumber: "1004" }]);
    far.session.bye();
    await bench.pass();
    expect(bench.browser.user.told.at(-1)).toBe("ended BYE");
    expect(bench.records).toMatchObject([{ direction: "from-agent", dn: "5001", status: 200 }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("calls the number where SIP Server listens, not at the port that its connection came from", async () => {
    const bench = new MakeCallBench();
    const peer = bench.addPeer();
    const statuses = bench.trunk.send("REFER", dn, [["Contact", "<sip:192.0.2.11:5060>"], referTo]);
    await bench.pass();
    expect(statuses).toEqual([202]);
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    expect(peer.received.request.uri.raw).toBe("sip:1004@192.0.2.11:5060");
    expect(bench.trunk.incoming).toBeUndefined();
  });

  it("lets the agent hear early media, and may name a dialog to replace", async () => {
    const bench = new MakeCallBench();
    const value = encodeURIComponent("c1;to-tag=a;from-tag=b");
    await bench.refer([["Refer-To", `<sip:1004@192.0.2.10?Replaces=${value}>`]]);
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    expect(bench.trunk.received.request.headers.get("Replaces")).toBe("c1;to-tag=a;from-tag=b");
    bench.trunk.received.progress(183, genesysSdp());
    await bench.pass();
    expect(bench.media.last.told.at(-1)).toBe("connect");
    bench.trunk.received.accept("");
    await bench.pass();
    expect(bench.b2bua.calls()).toMatchObject([{ state: "established" }]);
    await bench.hangUp();
    expect(statusesOf(notifies(bench)).at(-1)).toBe(200);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("tells 487 when the agent hangs up while the number rings", async () => {
    const bench = new MakeCallBench();
    await bench.refer();
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    bench.trunk.received.progress(180);
    await bench.pass();
    await bench.hangUp();
    expect(statusesOf(notifies(bench)).at(-1)).toBe(487);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("tells of a number that is busy, and hangs the agent up with the reason", async () => {
    const bench = new MakeCallBench();
    await bench.refer();
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    bench.trunk.received.reject(486);
    await bench.pass();
    expect(statusesOf(notifies(bench))).toEqual([100, 486]);
    expect(bench.browser.user.told.at(-1)).toMatch(/^ended BYE.*486/);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("tells of an agent who refuses, and calls nobody", async () => {
    const bench = new MakeCallBench();
    await bench.refer();
    bench.browser.received.reject(603);
    await bench.pass();
    expect(statusesOf(notifies(bench))).toEqual([100, 603]);
    expect(bench.trunk.incoming).toBeUndefined();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is given up when nobody answers, on either side", async () => {
    const bench = new MakeCallBench();
    await bench.refer();
    bench.browser.received.progress(180);
    await bench.pass(186_000);
    expect(statusesOf(notifies(bench))).toEqual([100, 480]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("leaves nothing when SIP Server is gone by the time the agent answers", async () => {
    const bench = new MakeCallBench();
    await bench.refer();
    bench.network.drop = (from) => from.startsWith("192.0.2.10");
    bench.browser.received.accept(browserAnswer);
    await bench.pass(40_000);
    expect(bench.browser.user.told.at(-1)).toMatch(/^ended BYE/);
    bench.trunk.incoming?.session.close();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("with Refer-Sub: false is told of by nothing", async () => {
    const bench = new MakeCallBench();
    expect(await bench.refer([referTo, ["Refer-Sub", "false"]])).toEqual([202]);
    await bench.hangUp();
    bench.browser.received.reject(603);
    await bench.pass();
    expect(notifies(bench)).toEqual([]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("makes a call like any other: INVITE with Replaces may take it over while the number rings", async () => {
    const bench = new MakeCallBench();
    await bench.refer();
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    bench.trunk.received.progress(180);
    await bench.pass();
    await bench.replace(replacesFor(bench.trunk.received.session));
    expect(bench.b2bua.calls()).toMatchObject([{ state: "established" }]);
    expect(statusesOf(notifies(bench)).at(-1)).toBe(200);
    await bench.hangUp();
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("a REFER outside any dialog that is refused", () => {
  it.each([
    ["has no Refer-To", [], dn, 400],
    ["has no number in it", [["Refer-To", "<sip:192.0.2.10>"]], dn, 400],
    ["leads to a web page", [["Refer-To", "<https://x.example>"]], dn, 416],
    ["requires what nobody knows", [referTo, ["Require", "magic"]], dn, 420],
    ["is for a DN that is not signed in", [referTo], "sip:5002@192.0.2.20", 480],
  ] as const)("%s", async (_name, headers, uri, status) => {
    const bench = new MakeCallBench();
    expect(await bench.refer(headers, uri)).toEqual([status]);
    expect(bench.browser.incoming).toBeUndefined();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("finds all lines of the DN taken: 486", async () => {
    const bench = new MakeCallBench();
    for (let line = 0; line < 3; line++) await bench.refer();
    expect(await bench.refer()).toEqual([486]);
  });

  it("comes while the gateway stops: 503 with Retry-After", async () => {
    const bench = new MakeCallBench();
    bench.b2bua.close("stopping");
    expect(await bench.refer()).toEqual([503]);
  });

  it("comes from a browser: 405", async () => {
    const bench = new MakeCallBench();
    const statuses = bench.browser.send("REFER", "sip:5001@jackfield", [contact, referTo]);
    await bench.pass();
    expect(statuses).toEqual([405]);
  });
});
