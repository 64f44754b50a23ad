import { describe, expect, it } from "vitest";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";

const answer = browserSdp({ setup: "active", payloads: "111 110" });
const asking = { allowEvents: ["talk", "hold", "x-jackfield-call"] };
const uuidHeader = "X-Genesys-CallUUID";

/** What the page was told of its call. */
function news(bench: B2buaBench): unknown[] {
  return bench.browser.events
    .filter(({ headers }) => headers.get("Event") === "x-jackfield-call")
    .map(({ body }) => JSON.parse(body.toString()) as unknown);
}

/** A request of SIP Server's within the dialog, as written on the wire. */
async function request(
  bench: B2buaBench,
  method: string,
  headers: readonly (readonly [string, string])[] = [],
  body?: string,
): Promise<string[]> {
  const statuses: string[] = [];
  bench.trunk.outgoing?.session.request(method, headers, body, {
    onResponse: ({ status, headers: got }) => {
      if (status < 200) return;
      statuses.push(String(status));
      if (status === 405) statuses.push(got.get("Allow") ?? "");
      if (status === 489) statuses.push(got.get("Allow-Events") ?? "");
    },
  });
  await bench.pass();
  return statuses;
}

describe("a changed X-Genesys-CallUUID", () => {
  const carriers: Readonly<Record<string, (bench: B2buaBench, uuid: string) => Promise<unknown>>> = {
    "re-INVITE": (bench, uuid) =>
      request(
        bench,
        "INVITE",
        [
          ["Content-Type", "application/sdp"],
          [uuidHeader, uuid],
        ],
        genesysSdp({ port: 9000 }),
      ),
    NOTIFY: (bench, uuid) =>
      request(bench, "NOTIFY", [
        ["Event", "hold"],
        [uuidHeader, uuid],
      ]),
    "UPDATE without SDP": (bench, uuid) => request(bench, "UPDATE", [[uuidHeader, uuid]]),
    "UPDATE with SDP": (bench, uuid) =>
      request(
        bench,
        "UPDATE",
        [
          ["Content-Type", "application/sdp"],
          [uuidHeader, uuid],
        ],
        genesysSdp({ port: 9000 }),
      ),
  };

  it.each(Object.keys(carriers))("in %s is told to the page and kept for the record", async (carrier) => {
    const bench = new B2buaBench(asking);
    await bench.callAgent(genesysSdp(), [[uuidHeader, "OLD"]]);
    bench.browser.received.accept(answer);
    await bench.pass();
    expect(news(bench)).toEqual([]);
    await carriers[carrier]?.(bench, "NEW");
    await carriers[carrier]?.(bench, "NEW");
    expect(news(bench)).toEqual([{ callUuid: "NEW" }]);
    const [event] = bench.browser.events.filter(({ headers }) => headers.get("Event") === "x-jackfield-call");
    expect(event?.headers.get("X-Jackfield-Call-ID")).toBe(bench.browser.received.request.callId);
    expect(bench.b2bua.calls()).toMatchObject([{ callUuid: "NEW" }]);
    bench.trunk.outgoing?.session.bye();
    await bench.pass();
    expect(bench.records).toMatchObject([{ callUuid: "NEW", callUuids: ["OLD", "NEW"] }]);
  });

  it("is told of a call the agent dials when SIP Server first names it", async () => {
    const bench = new B2buaBench(asking);
    await bench.dial("1003");
    // The double's answers carry no headers of their own; a NOTIFY does.
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    bench.trunk.received.session.request("NOTIFY", [
      ["Event", "beep"],
      [uuidHeader, "FIRST"],
    ]);
    await bench.pass();
    expect(news(bench)).toEqual([{ callUuid: "FIRST" }]);
  });

  it("makes no endless row", async () => {
    const bench = new B2buaBench();
    await bench.established();
    for (let at = 0; at < 40; at++) await carriers["NOTIFY"]?.(bench, `U${at}`);
    bench.trunk.outgoing?.session.bye();
    await bench.pass();
    expect(bench.records[0]?.callUuids).toHaveLength(16);
    expect(bench.records[0]?.callUuid).toBe("U39");
  });

  it("is told to no client that did not ask", async () => {
    const bench = new B2buaBench({ allowEvents: ["talk"] });
    await bench.established();
    await carriers["NOTIFY"]?.(bench, "NEW");
    expect(news(bench)).toEqual([]);
  });
});

describe("a call that SIP Server sets up for the agent (3pcc make call)", () => {
  it("rings at once, is answered 3 ms later, and the page plays ringback until the ACK 31 s later", async () => {
    const bench = new B2buaBench(asking);
    bench.trunk.user.onAnsweredReceived = () => {};
    await bench.callAgentOfferless();
    expect(bench.trunk.user.told).toEqual(["provisional 180"]);
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "talk"]]);
    await bench.pass(5);
    bench.browser.received.accept(answer);
    await bench.pass();
    expect(bench.trunk.user.told[1]).toMatch(/^answered v=0/);
    expect(news(bench)).toEqual([{ far: "ringing" }]);
    await bench.pass(31_000);
    // The 200 is repeated all the time (RFC 3261 13.3.1.4).
    const sent = bench.network.sent.filter(({ from, text }) => {
      return from.startsWith("192.0.2.20") && text.startsWith("SIP/2.0 200") && text.includes("1 INVITE");
    });
    expect(sent.length).toBeGreaterThan(8);
    bench.trunk.outgoing?.session.acknowledge(1, genesysSdp());
    await bench.pass();
    expect(news(bench)).toEqual([{ far: "ringing" }, { far: "connected" }]);
    expect(bench.media.last.told.at(-1)).toBe("connect");
    expect(bench.records).toEqual([]);
  });

  it("tells it again to a page that comes back by another connection, with a changed CallUUID", async () => {
    const bench = new B2buaBench(asking);
    bench.trunk.user.onAnsweredReceived = () => {};
    await bench.callAgentOfferless();
    bench.browser.received.accept(answer);
    await bench.pass();
    bench.registrarEvents.emit("flow-resumed", bench.presence);
    await bench.pass();
    bench.trunk.outgoing?.session.acknowledge(1, genesysSdp());
    await bench.pass();
    for (const uuid of ["A", "B"])
      await request(bench, "NOTIFY", [
        ["Event", "beep"],
        [uuidHeader, uuid],
      ]);
    const before = news(bench).length;
    bench.registrarEvents.emit("flow-resumed", bench.presence);
    await bench.pass();
    expect(news(bench).slice(0, 3)).toEqual([{ far: "ringing" }, { far: "ringing" }, { far: "connected" }]);
    expect(news(bench).slice(before)).toEqual([{ callUuid: "B", far: "connected" }]);
  });

  it("tells the page nothing where SIP Server's media server plays the ringback", async () => {
    const bench = new B2buaBench({ ...asking, pageRingback: false });
    bench.trunk.user.onAnsweredReceived = () => {};
    await bench.callAgentOfferless();
    bench.browser.received.accept(answer);
    await bench.pass();
    bench.trunk.outgoing?.session.acknowledge(1, genesysSdp());
    await bench.pass();
    expect(news(bench)).toEqual([]);
  });

  it("ends with BYE and leaves nothing when the ACK never comes", async () => {
    const bench = new B2buaBench(asking);
    bench.trunk.user.onAnsweredReceived = () => {};
    await bench.callAgentOfferless();
    bench.browser.received.accept(answer);
    await bench.pass(40_000);
    expect(bench.trunk.user.told.at(-1)).toMatch(/^ended BYE \(SIP;cause=408/);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("consult and conference with one dialog: SIP Server moves the leg again and again", () => {
  it("to a media server, to another party, with other codecs, numbers and session ids; the browser hears of none", async () => {
    const bench = new B2buaBench(asking);
    await bench.established();
    const session = bench.trunk.outgoing?.session;
    const move = async (sdp: string): Promise<void> => {
      session?.reinvite(() => sdp, { onAnswer: () => undefined });
      await bench.pass();
    };
    const mediaServer = genesysSdp({ address: "192.0.2.99", port: 5000, direction: "sendonly" });
    await move(mediaServer);
    await move(genesysSdp({ address: "192.0.2.40", port: 6000, payloads: "8 101" }));
    await move(genesysSdp({ port: 6002 }).replaceAll("101", "96"));
    await move(genesysSdp({ port: 6002 }).replace("o=Genesys 1769728850 1", "o=Genesys 99 1"));
    let version = "";
    session?.reinvite(() => undefined, {
      onAnswer: (offer) => {
        version = /^o=\S+ \S+ (\d+)/m.exec(offer)?.[1] ?? "";
        return genesysSdp({ address: "192.0.2.98", port: 7000 });
      },
    });
    await bench.pass();
    expect(bench.media.last.told).toEqual([
      "trunk 192.0.2.99:5000 pcmu recvonly",
      "trunk 192.0.2.40:6000 pcma sendrecv",
      "trunk 192.0.2.30:6002 pcmu sendrecv",
      "trunk 192.0.2.30:6002 pcmu sendrecv",
      "trunk 192.0.2.98:7000 pcmu sendrecv",
    ]);
    expect(Number(version)).toBeGreaterThan(1);
    expect(bench.browser.user.told).toEqual([]);
  });

  it("a re-INVITE whose codecs we lack gets 488, and the sound stays where it was", async () => {
    const bench = new B2buaBench();
    await bench.established();
    const statuses = await request(
      bench,
      "INVITE",
      [["Content-Type", "application/sdp"]],
      genesysSdp({ payloads: "18" }),
    );
    expect(statuses).toEqual(["488"]);
    expect(bench.media.last.told).toEqual([]);
    expect(bench.b2bua.size).toBe(1);
  });

  it("an offerless re-INVITE whose ACK brings nothing leaves all as it was", async () => {
    const bench = new B2buaBench();
    await bench.established();
    bench.trunk.outgoing?.session.reinvite(() => undefined, { onAnswer: () => undefined });
    await bench.pass();
    expect(bench.media.last.told).toEqual([]);
    expect(bench.b2bua.size).toBe(1);
  });
});

describe("other requests of SIP Server's within a call", () => {
  const dtmf = ["Content-Type", "application/dtmf-relay"] as const;
  const allow = "INVITE, ACK, CANCEL, BYE, UPDATE, NOTIFY, INFO, OPTIONS, MESSAGE";
  const rows: readonly (readonly [
    what: string,
    method: string,
    headers: readonly (readonly [string, string])[],
    body: string | undefined,
    expected: readonly string[],
  ])[] = [
    ["MESSAGE", "MESSAGE", [["Content-Type", "text/plain"]], "hello", ["200"]],
    ["INFO with digits", "INFO", [dtmf], "Signal=5", ["200"]],
    ["INFO with nothing", "INFO", [], undefined, ["200"]],
    ["INFO of an unknown kind", "INFO", [["Content-Type", "text/plain"]], "hello", ["415"]],
    ["OPTIONS", "OPTIONS", [], undefined, ["200"]],
    ["UPDATE", "UPDATE", [], undefined, ["200"]],
    ["SUBSCRIBE", "SUBSCRIBE", [["Event", "dialog"]], undefined, ["405", allow]],
    ["PUBLISH", "PUBLISH", [["Event", "presence"]], undefined, ["405", allow]],
    ["REGISTER", "REGISTER", [], undefined, ["405", allow]],
    ["a method nobody knows", "toString", [], undefined, ["405", allow]],
  ];

  it.each(rows)("%s", async (_what, method, headers, body, [status = "", ...expected]) => {
    const bench = new B2buaBench();
    await bench.established();
    const got = await request(bench, method, headers, body);
    expect(got[0]).toBe(status);
    // What is allowed may grow; what stands here must be in it.
    for (const name of expected.join(", ").split(", ").filter(Boolean)) expect(got[1]).toContain(name);
    expect(bench.media.last.told).toEqual([]);
    expect(bench.browser.events).toEqual([]);
    expect(bench.b2bua.size).toBe(1);
  });

  it.each(["SUBSCRIBE", "PUBLISH", "REGISTER"])("%s outside a call gets 405", async (method) => {
    const bench = new B2buaBench();
    const statuses = bench.trunk.send(method, "sip:5001@192.0.2.20:5070");
    await bench.pass();
    expect(statuses).toEqual([405]);
  });

  it.each(["sip:5001@192.0.2.20:5070", "sip:Any_Trunk@192.0.2.20:5070", "sip:192.0.2.20:5070"])(
    "OPTIONS to %s gets 200",
    async (uri) => {
      const bench = new B2buaBench();
      const statuses = bench.trunk.send("OPTIONS", uri);
      await bench.pass();
      expect(statuses).toEqual([200]);
    },
  );
});

describe("early answers of a call the agent dials", () => {
  it("180, 183, 180, 183 with another description, 200 with a third: the sound follows, the browser has one answer", async () => {
    const bench = new B2buaBench();
    await bench.dial("1003");
    const { received } = bench.trunk;
    received.progress(180);
    await bench.pass();
    received.progress(183, genesysSdp({ port: 7000 }));
    await bench.pass();
    received.progress(180);
    await bench.pass();
    received.progress(183, genesysSdp({ address: "192.0.2.99", port: 7002, payloads: "8 101" }));
    await bench.pass();
    received.accept(genesysSdp({ port: 7004 }));
    await bench.pass();
    expect(bench.media.last.told.filter((entry) => entry.startsWith("trunk"))).toEqual([
      "trunk 192.0.2.30:7000 pcmu sendrecv",
      "trunk 192.0.2.99:7002 pcma sendrecv",
      "trunk 192.0.2.30:7004 pcmu sendrecv",
    ]);
    const progress = bench.browser.user.told.filter((entry) => entry.startsWith("provisional"));
    expect(progress.slice(0, 2)).toEqual(["provisional 180", "provisional 183"]);
    expect(bench.browser.user.told.at(-1)).toMatch(/^answered v=0/);
  });

  it("from several branches: each early dialog moves the sound, the answer's is the one that stays", async () => {
    const bench = new B2buaBench();
    await bench.dial("1003");
    const invite = bench.network.sent.findLast(({ text }) => text.startsWith("INVITE sip:1003@192.0.2.10"));
    const respond = (status: number, tag: string, port: number): void => {
      const lines = (invite?.text ?? "").split("\r\n");
      const copied = lines.filter((line) => /^(Via|From|Call-ID|CSeq):/i.test(line));
      const body = genesysSdp({ port });
      const text = [
        `SIP/2.0 ${status} Any`,
        ...copied,
        `To: <sip:1003@192.0.2.10:5060>;tag=${tag}`,
        "Contact: <sip:1003@192.0.2.10:5060>",
        "Content-Type: application/sdp",
        `Content-Length: ${Buffer.byteLength(body)}`,
        "",
        body,
      ].join("\r\n");
      bench.layer.receive(bench.toTrunk, Buffer.from(text), "datagram");
    };
    respond(183, "one", 7000);
    await bench.pass();
    respond(183, "two", 7002);
    await bench.pass();
    respond(183, "one", 7000);
    await bench.pass();
    respond(200, "two", 7002);
    await bench.pass();
    expect(bench.media.last.trunkRemote?.port).toBe(7002);
    const ack = bench.network.sent.findLast(
      ({ from, text }) => from.startsWith("192.0.2.20") && text.startsWith("ACK"),
    );
    expect(ack?.text).toContain("tag=two");
    bench.browser.outgoing?.session.bye();
    await bench.pass();
    const bye = bench.network.sent.findLast(
      ({ from, text }) => from.startsWith("192.0.2.20") && text.startsWith("BYE"),
    );
    expect(bye?.text).toContain("tag=two");
  });
});
