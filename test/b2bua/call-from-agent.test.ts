import { describe, expect, it } from "vitest";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";

describe("a call the agent dials", () => {
  it("goes to SIP Server as the DN with our own SDP, rings, is answered and ends", async () => {
    const bench = new B2buaBench();
    await bench.dial("1003");
    const { request } = bench.trunk.received;
    expect(request.uri.raw).toBe("sip:1003@192.0.2.10:5060");
    expect(request.from.uri.raw).toBe("sip:5001@192.0.2.10:5060");
    expect(request.contacts[0]?.uri.raw).toBe("sip:5001@192.0.2.20:5070");
    expect(request.body.toString()).toContain("m=audio 10000 RTP/AVP 0 8 101");
    bench.trunk.received.progress(180);
    await bench.pass();
    bench.trunk.received.accept(genesysSdp({ payloads: "0 101" }));
    await bench.pass();
    expect(bench.browser.user.told).toEqual(["provisional 180", expect.stringMatching(/^answered v=0/)]);
    expect(bench.browser.user.told[1]).toContain("a=setup:passive");
    expect(bench.media.last.told).toEqual([
      "browser opus sendrecv",
      "trunk 192.0.2.30:8000 pcmu sendrecv",
      "connect",
    ]);
    bench.browser.outgoing?.session.bye();
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["acknowledged", "ended BYE"]);
    expect(bench.records).toMatchObject([{ direction: "from-agent", farNumber: "1003", endedBy: "agent" }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("carries early media, keeps the same SDP for the answer, and follows the latest of several", async () => {
    const bench = new B2buaBench();
    await bench.dial("1003");
    bench.trunk.received.progress(183, genesysSdp({ port: 7000 }));
    await bench.pass();
    bench.trunk.received.progress(183, genesysSdp({ port: 7002 }));
    await bench.pass();
    bench.trunk.received.accept(genesysSdp({ port: 7004 }));
    await bench.pass();
    expect(bench.media.last.told).toEqual([
      "browser opus sendrecv",
      "trunk 192.0.2.30:7000 pcmu sendrecv",
      "connect",
      "trunk 192.0.2.30:7002 pcmu sendrecv",
      "connect",
      "trunk 192.0.2.30:7004 pcmu sendrecv",
      "connect",
    ]);
    const sent = bench.network.sent.filter(({ text }) => /^SIP\/2.0 (183|200)[^]*INVITE[^]*v=0/.test(text));
    const bodies = sent
      .filter(({ from }) => from.startsWith("gateway"))
      .map(({ text }) => text.split("\r\n\r\n")[1]);
    expect(new Set(bodies).size).toBe(1);
  });

  it("carries the agent's name in From where one is configured", async () => {
    const bench = new B2buaBench();
    bench.displayName = 'Ann "Annie" Lee';
    await bench.dial("1003");
    expect(bench.trunk.received.request.from.displayName).toBe("Ann 'Annie' Lee");
    expect(bench.trunk.received.request.from.uri.raw).toBe("sip:5001@192.0.2.10:5060");
  });

  it("is cancelled at SIP Server when the agent gives up", async () => {
    const bench = new B2buaBench();
    await bench.dial("1003");
    bench.trunk.received.progress(180);
    await bench.pass();
    bench.browser.outgoing?.cancel();
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["failed 487"]);
    expect(bench.browser.user.told).toEqual(["provisional 180", "failed 487"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it.each([
    [486, 486],
    [404, 404],
    [603, 603],
    [401, 503],
    [302, 480],
    [503, 503],
  ])("tells the browser %i of SIP Server as %i, with the Reason kept", async (fromSipServer, toBrowser) => {
    const bench = new B2buaBench();
    await bench.dial("1003");
    bench.trunk.received.reject(fromSipServer, undefined, [["Reason", "Q.850;cause=21"]]);
    await bench.pass();
    expect(bench.browser.user.told).toEqual([`failed ${toBrowser}`]);
    expect(
      bench.network.sent.some(
        ({ from, text }) => from.startsWith("gateway") && text.includes("Reason: Q.850;cause=21"),
      ),
    ).toBe(true);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is refused with 480 and the reason in words while the DN is not in service", async () => {
    const bench = new B2buaBench();
    bench.trunkStatus = { state: "rejected", reason: "404 Not Found: DN not configured" };
    await bench.dial("1003");
    expect(bench.browser.user.told).toEqual(["failed 480"]);
    expect(bench.network.sent.some(({ text }) => text.includes("DN not configured"))).toBe(true);
    expect(bench.trunk.incoming).toBeUndefined();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is refused with the proper status when it cannot be served", async () => {
    const bench = new B2buaBench();
    const failures = () => bench.browser.user.told.at(-1);
    await bench.dial("1003", browserSdp({ payloads: "18" }));
    expect(failures()).toBe("failed 488");
    await bench.dial("1003", "v=0 nonsense");
    expect(failures()).toBe("failed 400");
    bench.media.exhausted = true;
    await bench.dial("1003");
    expect(failures()).toBe("failed 503");
    bench.media.exhausted = false;
    bench.serverUp = false;
    await bench.dial("1003");
    expect(failures()).toBe("failed 503");
    bench.signedIn = false;
    await bench.dial("1003");
    expect(failures()).toBe("failed 403");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("may only be made as the DN that this connection signed in with", async () => {
    const bench = new B2buaBench();
    bench.browser.call("sip:1003@jackfield", "<sip:5002@jackfield>", browserSdp());
    await bench.pass();
    expect(bench.browser.user.told).toEqual(["failed 403"]);
  });

  it("hangs up at SIP Server when the answer has no codec of ours", async () => {
    const bench = new B2buaBench();
    await bench.dial("1003");
    bench.trunk.received.accept(genesysSdp({ payloads: "18" }));
    await bench.pass();
    expect(bench.browser.user.told).toEqual(["failed 488"]);
    expect(bench.trunk.user.told.at(-1)).toMatch(/^ended BYE/);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("the state of the registration at SIP Server", () => {
  it("is told to a page that asked for it, at sign-in and at each change", async () => {
    const bench = new B2buaBench({ allowEvents: ["x-jackfield-trunk"] });
    bench.trunkStatus = { state: "registering", reason: "" };
    bench.registrarEvents.emit("signed-in", bench.presence);
    await bench.pass();
    bench.trunkStatus = { state: "in-service", reason: "" };
    bench.trunkEvents.emit("status", "5001", bench.trunkStatus);
    await bench.pass();
    const bodies = bench.browser.events.map(({ body, headers }) => [headers.get("Event"), body.toString()]);
    expect(bodies).toEqual([
      ["x-jackfield-trunk", '{"state":"registering","reason":""}'],
      ["x-jackfield-trunk", '{"state":"in-service","reason":""}'],
    ]);
  });

  it("is told to every browser of a DN that has several, until it signs out", async () => {
    const bench = new B2buaBench({ allowEvents: ["x-jackfield-trunk"] });
    const other = { ...bench.presence, instance: "urn:uuid:2" };
    bench.registrarEvents.emit("signed-in", other);
    bench.registrarEvents.emit("signed-in", bench.presence);
    await bench.pass();
    const told = bench.browser.events.length;
    bench.trunkEvents.emit("status", "5001", bench.trunkStatus);
    await bench.pass();
    expect(bench.browser.events).toHaveLength(told + 2);
    bench.registrarEvents.emit("signed-out", other, "signed out");
    bench.trunkEvents.emit("status", "5001", bench.trunkStatus);
    await bench.pass();
    expect(bench.browser.events).toHaveLength(told + 3);
  });

  it("tells a tab that another browser took its place", async () => {
    const bench = new B2buaBench({ allowEvents: ["x-jackfield-trunk"] });
    bench.presence.gone = true;
    bench.registrarEvents.emit("signed-out", bench.presence, "replaced");
    await bench.pass();
    expect(bench.browser.events.map(({ body }) => body.toString())).toEqual([
      '{"state":"idle","reason":"another browser has signed in with this DN"}',
    ]);
  });

  it("is not pushed on clients that did not ask", async () => {
    const bench = new B2buaBench();
    bench.registrarEvents.emit("signed-in", bench.presence);
    await bench.pass();
    expect(bench.browser.events).toEqual([]);
  });
});

describe("closing", () => {
  it("ends every call on both sides and leaves nothing", async () => {
    const bench = new B2buaBench();
    await bench.established();
    await bench.dial("1003");
    bench.b2bua.close("shutting down");
    await bench.pass();
    expect(bench.records).toHaveLength(2);
    expect(await bench.remains()).toEqual(nothingLeft);
    expect(bench.registrarEvents.listenerCount + bench.trunkEvents.listenerCount).toBe(0);
  });
});

describe("a GRUU that an agent dials", () => {
  it("is its client's DN at SIP Server", async () => {
    const bench = new B2buaBench();
    bench.browser.call("sip:anything@jackfield;gr=urn:uuid:1", "<sip:5001@jackfield>", browserSdp());
    await bench.pass();
    expect(bench.trunk.received.request.uri.raw).toBe("sip:5001@192.0.2.10:5060");
  });

  it("gets 404 when its client is signed out", async () => {
    const bench = new B2buaBench();
    bench.browser.call("sip:5002@jackfield;gr=urn:uuid:9", "<sip:5001@jackfield>", browserSdp());
    await bench.pass();
    expect(bench.browser.user.told).toEqual(["failed 404"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});
