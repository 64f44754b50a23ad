import { describe, expect, it } from "vitest";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";

const answer = browserSdp({ setup: "active", payloads: "111 110" });

describe("a call from SIP Server to a signed-in agent", () => {
  it("rings the browser with our own SDP and SIP Server with 180 once the browser was reached", async () => {
    const bench = new B2buaBench();
    await bench.callAgent();
    expect(bench.trunk.user.told).toEqual(["provisional 180"]);
    const { request } = bench.browser.received;
    expect(request.uri.raw).toBe("sip:abc@xyz.invalid;transport=ws");
    expect(request.from.uri.user).toBe("1003");
    const sdp = request.body.toString();
    expect(sdp).toContain("a=setup:actpass");
    expect(sdp).not.toContain("Genesys");
  });

  it("answers SIP Server when the browser answered, then lets sound run", async () => {
    const bench = new B2buaBench();
    await bench.callAgent();
    bench.browser.received.accept(answer);
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["provisional 180", expect.stringMatching(/^answered v=0/)]);
    const sdp = bench.trunk.user.told[1] ?? "";
    expect(sdp).toContain("m=audio 10000 RTP/AVP 0 101");
    expect(bench.browser.user.told).toEqual(["acknowledged"]);
    expect(bench.media.last.told).toEqual([
      "browser opus sendrecv",
      "trunk 192.0.2.30:8000 pcmu sendrecv",
      "connect",
    ]);
  });

  it("shows the page the call's data and nothing that is not on the list", async () => {
    const bench = new B2buaBench();
    await bench.callAgent(genesysSdp(), [
      ["X-Genesys-CallUUID", "UIVB8J6JE91C53UIM3VI59VHQ4000015"],
      ["P-Asserted-Identity", "<sip:1003@192.0.2.10>"],
      ["X-Secret-Route", "inner"],
    ]);
    const { headers } = bench.browser.received.request;
    expect(headers.get("X-Genesys-CallUUID")).toBe("UIVB8J6JE91C53UIM3VI59VHQ4000015");
    expect(headers.get("P-Asserted-Identity")).toBe("<sip:1003@192.0.2.10>");
    expect(headers.has("X-Secret-Route")).toBe(false);
  });

  it("ends both legs and writes one record when SIP Server hangs up", async () => {
    const bench = new B2buaBench();
    await bench.established();
    await bench.pass(2000);
    bench.trunk.outgoing?.session.bye([["Reason", 'SIP;cause=403;text="Forbidden"']]);
    await bench.pass();
    expect(bench.browser.user.told).toEqual(['ended BYE (SIP;cause=403;text="Forbidden")']);
    expect(bench.records).toMatchObject([
      {
        direction: "to-agent",
        dn: "5001",
        farNumber: "1003",
        endedBy: "sip-server",
        reason: 'SIP Server: BYE (SIP;cause=403;text="Forbidden")',
        talkSeconds: 2,
        agentLeg: { client: "test softphone", codec: "opus" },
        trunkLeg: { codec: "pcmu" },
      },
    ]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("ends both legs when the agent hangs up", async () => {
    const bench = new B2buaBench();
    await bench.established();
    bench.browser.received.session.bye();
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["ended BYE"]);
    expect(bench.records).toMatchObject([{ endedBy: "agent", status: 200 }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("stops ringing when the caller gives up", async () => {
    const bench = new B2buaBench();
    await bench.callAgent();
    bench.browser.received.progress(180);
    await bench.pass();
    bench.trunk.outgoing?.cancel('SIP;cause=200;text="Call completed elsewhere"');
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["provisional 180", "failed 487"]);
    expect(bench.browser.user.told).toEqual(["failed 487"]);
    expect(
      bench.network.sent.some(({ text }) => text.startsWith("CANCEL") && text.includes("elsewhere")),
    ).toBe(true);
    expect(bench.records).toMatchObject([{ endedBy: "sip-server", status: 487 }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("frees everything when the caller gives up before the media worker has answered", async () => {
    const bench = new B2buaBench();
    bench.trunk.call("sip:5001@192.0.2.20:5070", "<sip:1003@192.0.2.10:5060>", genesysSdp());
    bench.clock.advance(1);
    bench.trunk.outgoing?.cancel();
    expect(await bench.remains()).toEqual(nothingLeft);
    expect(bench.trunk.user.told.at(-1)).toBe("failed 487");
  });

  it.each([
    [486, 486],
    [603, 603],
    [480, 480],
    // Only who has sent a CANCEL may be told 487.
    [487, 480],
    [403, 480],
    [500, 480],
    [600, 486],
  ])("tells SIP Server %i of the browser as %i", async (fromBrowser, toSipServer) => {
    const bench = new B2buaBench();
    await bench.callAgent();
    bench.browser.received.reject(fromBrowser);
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toBe(`failed ${toSipServer}`);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("refuses what it cannot serve with the proper status", async () => {
    const bench = new B2buaBench();
    await bench.callAgent(genesysSdp({ payloads: "18" }));
    expect(bench.trunk.user.told).toEqual(["failed 488"]);
    await bench.callAgent("this is not SDP");
    expect(bench.trunk.user.told.at(-1)).toBe("failed 400");
    bench.media.exhausted = true;
    await bench.callAgent();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 503");
    bench.signedIn = false;
    await bench.callAgent();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 480");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("answers 480 when the browser's socket does not come back, and never 180", async () => {
    const bench = new B2buaBench();
    bench.presence.flow = undefined;
    await bench.callAgent();
    expect(bench.trunk.user.told).toEqual(["failed 480"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("takes three calls for one DN and refuses the fourth with 486", async () => {
    const bench = new B2buaBench();
    for (let call = 0; call < 4; call++) await bench.callAgent();
    expect(bench.b2bua.size).toBe(3);
    expect(bench.trunk.user.told.at(-1)).toBe("failed 486");
  });

  it("refuses a required extension with 420 and names that one only", async () => {
    const bench = new B2buaBench();
    await bench.callAgent(genesysSdp(), [["Require", "timer, UUI, 100rel"]]);
    expect(bench.trunk.user.told).toEqual(["failed 420"]);
    const sent = bench.network.sent.find(({ text }) => text.startsWith("SIP/2.0 420"))?.text;
    expect(sent).toContain("\r\nUnsupported: UUI\r\n");
  });

  it("finds the DN in To when SIP Server's request URI has no user part", async () => {
    const bench = new B2buaBench();
    const invite = bench.trunk.call("sip:192.0.2.20:5070", "<sip:1003@192.0.2.10>", genesysSdp());
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["failed 480"]);
    expect(invite.pending).toBe(false);
  });
});

describe("NOTIFY talk", () => {
  const talk = async (bench: B2buaBench) => {
    const statuses: number[] = [];
    bench.trunk.outgoing?.session.request(
      "NOTIFY",
      [
        ["Event", "talk"],
        ["Subscription-State", "active"],
      ],
      undefined,
      {
        onResponse: ({ status }) => statuses.push(status),
      },
    );
    await bench.pass();
    return statuses;
  };

  it("is answered 200 at once and asks the page to answer the ringing leg", async () => {
    const bench = new B2buaBench({ allowEvents: ["talk"] });
    await bench.callAgent();
    expect(await talk(bench)).toEqual([200]);
    const [notify] = bench.browser.events;
    expect(notify?.headers.get("Event")).toBe("talk");
    expect(notify?.headers.get("X-Jackfield-Call-ID")).toBe(bench.browser.received.request.callId);
    expect(bench.trunk.user.told).toEqual(["provisional 180"]);
    bench.browser.received.accept(answer);
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toMatch(/^answered/);
    expect(bench.media.last.told).toContain("connect");
  });

  it("makes no difference when it comes twice, or after the answer", async () => {
    const bench = new B2buaBench({ allowEvents: ["talk"] });
    await bench.callAgent();
    await talk(bench);
    await talk(bench);
    bench.browser.received.accept(answer);
    await bench.pass();
    expect(await talk(bench)).toEqual([200]);
    expect(bench.trunk.user.told.filter((entry) => entry.startsWith("offer"))).toEqual([]);
    await bench.pass(10_000);
    expect(bench.b2bua.size).toBe(1);
  });

  it("refuses the call with 480 when a page that answers on talk does not within 8 s", async () => {
    const bench = new B2buaBench({ allowEvents: ["talk"] });
    await bench.callAgent();
    await talk(bench);
    await bench.pass(8100);
    expect(bench.trunk.user.told).toEqual(["provisional 180", "failed 480"]);
    expect(bench.browser.user.told).toEqual(["failed 487"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("leaves a softphone that knows no talk to its user", async () => {
    const bench = new B2buaBench();
    await bench.callAgent();
    await talk(bench);
    await bench.pass(12_000);
    expect(bench.b2bua.size).toBe(1);
  });

  it("answers an unknown event with 489 and what is allowed", async () => {
    const bench = new B2buaBench();
    await bench.callAgent();
    const seen: (string | undefined)[] = [];
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "presence"]], undefined, {
      onResponse: ({ status, headers }) => seen.push(`${status}`, headers.get("Allow-Events")),
    });
    await bench.pass();
    expect(seen).toEqual(["489", "talk, hold, dtmf, beep"]);
  });
});

describe("a 3pcc make call: offerless INVITE", () => {
  it("offers G.711 in the 200 and takes the answer from an ACK that comes 20 s later", async () => {
    const bench = new B2buaBench();
    await bench.callAgentOfferless();
    bench.trunk.user.onAnsweredReceived = () => {};
    bench.browser.received.accept(answer);
    await bench.pass();
    expect(bench.trunk.user.told[1]).toContain("m=audio 10000 RTP/AVP 0 8 101");
    await bench.pass(20_000);
    expect(bench.media.last.told).toEqual(["browser opus sendrecv"]);
    bench.trunk.outgoing?.session.acknowledge(1, genesysSdp());
    await bench.pass();
    expect(bench.media.last.told.slice(1)).toEqual(["trunk 192.0.2.30:8000 pcmu sendrecv", "connect"]);
    expect(bench.b2bua.size).toBe(1);
  });

  it("takes ACK with 0.0.0.0 and BYE in one millisecond as a failed call, not as a fault", async () => {
    const bench = new B2buaBench();
    await bench.callAgentOfferless();
    bench.trunk.user.onAnsweredReceived = () => {};
    bench.browser.received.accept(answer);
    await bench.pass(1000);
    bench.trunk.outgoing?.session.acknowledge(1, genesysSdp({ address: "0.0.0.0", port: 10_000 }));
    bench.trunk.outgoing?.session.bye([["Reason", 'SIP;cause=403;text="Forbidden"']]);
    await bench.pass();
    expect(bench.browser.user.told.at(-1)).toBe('ended BYE (SIP;cause=403;text="Forbidden")');
    expect(bench.records).toMatchObject([{ endedBy: "sip-server" }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("an established call", () => {
  it("absorbs SIP Server's re-INVITEs: the relay moves, the browser hears of none", async () => {
    const bench = new B2buaBench();
    await bench.established();
    const answers: string[] = [];
    const session = bench.trunk.outgoing?.session;
    session?.reinvite(() => undefined, {
      onAnswer: (offer) => {
        answers.push(offer);
        return genesysSdp({ address: "192.0.2.31", port: 9000, payloads: "8" });
      },
    });
    await bench.pass();
    session?.reinvite(() => genesysSdp({ address: "192.0.2.32", port: 9002, direction: "sendonly" }), {
      onAnswer: (sdp) => void answers.push(sdp),
    });
    await bench.pass();
    expect(bench.media.last.told).toEqual([
      "trunk 192.0.2.31:9000 pcma sendrecv",
      "trunk 192.0.2.32:9002 pcmu recvonly",
    ]);
    expect(answers[0]).toContain("RTP/AVP 0 8 101");
    expect(answers[1]).toContain("a=recvonly");
    expect(bench.browser.user.told).toEqual([]);
  });

  it("holds on NOTIFY hold and retrieves on NOTIFY talk by re-INVITE", async () => {
    const bench = new B2buaBench();
    await bench.established();
    const offers: string[] = [];
    bench.trunk.user.onOfferReceived = (sdp, reply) => {
      offers.push(/a=(send\w+|recvonly|inactive)/.exec(sdp)?.[1] ?? "");
      reply.accept(genesysSdp({ direction: offers.at(-1) === "sendonly" ? "recvonly" : "sendrecv" }));
    };
    const session = bench.trunk.outgoing?.session;
    session?.request("NOTIFY", [["Event", "hold"]]);
    await bench.pass();
    session?.request("NOTIFY", [["Event", "talk"]]);
    await bench.pass();
    expect(offers).toEqual(["sendonly", "sendrecv"]);
    expect(bench.media.last.told).toEqual([
      "trunk direction recvonly",
      "trunk 192.0.2.30:8000 pcmu inactive",
      "trunk direction sendonly",
      "trunk 192.0.2.30:8000 pcmu sendrecv",
    ]);
  });

  it("sends the digits of NOTIFY dtmf toward SIP Server", async () => {
    const bench = new B2buaBench();
    await bench.established();
    bench.trunk.outgoing?.session.request(
      "NOTIFY",
      [
        ["Event", "dtmf"],
        ["Content-Type", "application/dtmf-relay"],
      ],
      "Signal=12#\r\nDuration=200\r\n",
    );
    await bench.pass();
    expect(bench.media.last.told).toEqual(["dtmf trunk 12# 200"]);
  });

  it("tells SIP Server when the browser holds and answers the browser itself", async () => {
    const bench = new B2buaBench();
    await bench.established();
    const offers: string[] = [];
    bench.trunk.user.onOfferReceived = (sdp, reply) => {
      offers.push(/a=(send\w+|recvonly|inactive)/.exec(sdp)?.[1] ?? "");
      reply.accept(genesysSdp({ direction: "recvonly" }));
    };
    const answers: string[] = [];
    bench.browser.received.session.reinvite(() => browserSdp({ direction: "sendonly" }), {
      onAnswer: (sdp) => void answers.push(sdp),
    });
    await bench.pass();
    expect(answers[0]).toContain("a=recvonly");
    expect(offers).toEqual(["sendonly"]);
    expect(bench.media.last.told).toContain("browser opus recvonly");
  });

  it("asks the page to retrieve on NOTIFY talk when it was the browser that held", async () => {
    const bench = new B2buaBench({ allowEvents: ["talk"] });
    await bench.established();
    bench.trunk.user.onOfferReceived = (_sdp, reply) => reply.accept(genesysSdp({ direction: "recvonly" }));
    bench.browser.received.session.reinvite(() => browserSdp({ direction: "sendonly" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "talk"]]);
    await bench.pass();
    const talk = bench.browser.events.find(({ headers }) => headers.get("Event") === "talk");
    expect(talk?.headers.get("X-Jackfield-Call-ID")).toBe(bench.browser.received.request.callId);
  });

  it("answers an ICE restart locally and tells SIP Server nothing", async () => {
    const bench = new B2buaBench();
    await bench.established();
    const answers: string[] = [];
    bench.browser.received.session.reinvite(() => browserSdp({ ufrag: "moved" }), {
      onAnswer: (sdp) => void answers.push(sdp),
    });
    await bench.pass();
    expect(bench.media.last.told).toEqual(["restart ICE", "browser opus sendrecv"]);
    expect(answers[0]).toContain("a=ice-ufrag:new-ufrag");
    expect(bench.trunk.user.told).toEqual([]);
  });

  it("turns INFO digits of a browser into RFC 4733 events and refuses an unknown body with 415", async () => {
    const bench = new B2buaBench();
    await bench.established();
    const statuses: number[] = [];
    const { session } = bench.browser.received;
    const onResponse = ({ status }: { status: number }) => statuses.push(status);
    session.request("INFO", [["Content-Type", "application/dtmf-relay"]], "Signal=5\r\nDuration=100", {
      onResponse,
    });
    session.request("INFO", [["Content-Type", "text/plain"]], "hello", { onResponse });
    await bench.pass();
    expect(statuses).toEqual([200, 415]);
    expect(bench.media.last.told).toEqual(["dtmf trunk 5 100"]);
  });

  it("lives through a lost socket, and hears the BYE by the new one", async () => {
    const bench = new B2buaBench();
    await bench.established();
    bench.presence.flow = undefined;
    bench.registrarEvents.emit("flow-lost", bench.presence);
    await bench.pass(3000);
    expect(bench.b2bua.size).toBe(1);
    bench.presence.flow = bench.toBrowser;
    bench.registrarEvents.emit("flow-resumed", bench.presence);
    bench.trunk.outgoing?.session.bye();
    await bench.pass();
    expect(bench.browser.user.told).toEqual(["ended BYE"]);
  });

  it("ends with BYE and a reason when the browser never comes back", async () => {
    const bench = new B2buaBench();
    await bench.established();
    bench.presence.flow = undefined;
    bench.signedIn = false;
    bench.presence.reachable = false;
    bench.presence.gone = true;
    bench.registrarEvents.emit("signed-out", bench.presence, "socket lost for 30 s");
    await bench.pass();
    expect(bench.trunk.user.told).toEqual([expect.stringMatching(/^ended BYE \(SIP;cause=480.*socket lost/)]);
    expect(bench.records).toMatchObject([{ endedBy: "jackfield" }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("goes on after a sign-out or a newer tab took the DN, until its own connection closes", async () => {
    const bench = new B2buaBench();
    await bench.established();
    bench.presence.gone = true;
    bench.registrarEvents.emit("signed-out", bench.presence, "replaced");
    await bench.pass();
    expect(bench.b2bua.size).toBe(1);
    bench.presence.reachable = false;
    bench.presence.flow = undefined;
    bench.b2bua.connectionLost();
    await bench.pass();
    expect(bench.trunk.user.told).toEqual([expect.stringMatching(/^ended BYE/)]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("ends with BYE on both sides when its media worker died", async () => {
    const bench = new B2buaBench();
    await bench.established();
    bench.media.last.close("media worker failed");
    await bench.pass();
    expect(bench.trunk.user.told).toEqual([expect.stringContaining("media worker failed")]);
    expect(bench.browser.user.told).toEqual([expect.stringContaining("media worker failed")]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("refuses a request of another connection within the dialog", async () => {
    const bench = new B2buaBench();
    await bench.established();
    const stranger = bench.network.flow(
      "x.invalid:1",
      "y",
      () => bench.layer,
      () => ({ ...bench.toBrowser, id: "other" }),
      "WSS",
    );
    const bye = bench.browser.received.session.dialog?.createRequest("BYE");
    if (bye)
      bench.browser.layer.request(bye, stranger, { onResponse() {}, onTimeout() {}, onTransportError() {} });
    await bench.pass();
    expect(bench.b2bua.size).toBe(1);
    expect(bench.network.sent.some(({ text }) => text.startsWith("SIP/2.0 403"))).toBe(true);
  });
});

describe("other requests of SIP Server", () => {
  it("answers OPTIONS to any user with what is really handled", async () => {
    const bench = new B2buaBench();
    const statuses = bench.trunk.send("OPTIONS", "sip:Any_Trunk_Name@192.0.2.20:5070");
    await bench.pass();
    expect(statuses).toEqual([200]);
    const sent = bench.network.sent.find(({ text }) => text.startsWith("SIP/2.0 200"))?.text ?? "";
    expect(sent).toContain(
      "Allow: INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, NOTIFY, INFO, OPTIONS, MESSAGE, REFER",
    );
    expect(sent).toContain("Accept: application/sdp");
    expect(sent).toMatch(/\r\nSupported: .*timer.*replaces/);
  });

  it("answers what it does not handle with 405, and NOTIFY for an unknown dialog with 481", async () => {
    const bench = new B2buaBench();
    const publish = bench.trunk.send("PUBLISH", "sip:5001@192.0.2.20");
    const register = bench.trunk.send("REGISTER", "sip:192.0.2.20");
    const talk = bench.trunk.send("NOTIFY", "sip:5001@192.0.2.20", [["Event", "talk"]]);
    const mwi = bench.trunk.send("NOTIFY", "sip:5001@192.0.2.20", [["Event", "message-summary"]]);
    await bench.pass();
    expect([publish, register, talk, mwi]).toEqual([[405], [405], [481], [200]]);
  });
});
