import { parse } from "sdp-transform";
import { describe, expect, it } from "vitest";
import {
  acceptTrunkAnswer,
  answerDirection,
  answerTrunk,
  offerTrunk,
  parseTrunkDescription,
  reverseDirection,
} from "../../../src/b2bua/sdp/index.ts";
import type { TrunkPreference } from "../../../src/b2bua/sdp/index.ts";
import { directions, genesysOffer, good, origin, trunkDescription, trunkLocal } from "./fixtures.ts";

const preference: TrunkPreference = {
  local: trunkLocal,
  codecs: ["pcmu", "pcma"],
  direction: "sendrecv",
  origin,
};

function answered(sdp: string, change: Partial<TrunkPreference> = {}) {
  return good(answerTrunk(trunkDescription(sdp), { ...preference, ...change }));
}

function refusal(sdp: string): string {
  const result = parseTrunkDescription(sdp);
  return result.ok ? "taken" : `${result.status} ${result.reason}`;
}

describe("reading SIP Server's description", () => {
  it("takes the form seen in the traces apart", () => {
    expect(trunkDescription(genesysOffer())).toMatchObject({
      origin: { sessionId: "1769728850", version: "3", address: "192.0.2.77" },
      audioIndex: 0,
      direction: "sendrecv",
      codecs: [
        { codec: "pcmu", payloadType: 0 },
        { codec: "pcma", payloadType: 8 },
        { codec: "g722", payloadType: 9 },
        { codec: "opus", payloadType: 120 },
      ],
      telephoneEvents: [{ payloadType: 101, clockRate: 8000 }],
      ptime: undefined,
      address: "192.0.2.77",
      port: 24002,
      rtcp: undefined,
      held: false,
    });
  });

  it("needs no rtpmap for PCMU, PCMA and G.722", () => {
    const codecs = trunkDescription(genesysOffer({ without: /rtpmap:(0|8|9|120)/ })).codecs;
    expect(codecs.map(({ codec }) => codec)).toEqual(["pcmu", "pcma", "g722"]);
  });

  it("prefers the connection of the m-line to the session's", () => {
    expect(trunkDescription(genesysOffer({ add: ["c=IN IP4 192.0.2.99"] })).address).toBe("192.0.2.99");
    const only = genesysOffer({ without: /^c=/, add: ["c=IN IP4 192.0.2.98"] });
    expect(trunkDescription(only).address).toBe("192.0.2.98");
  });

  it("reads direction at either level, the m-line's first", () => {
    const session = genesysOffer().replace("t=0 0", "t=0 0\r\na=sendonly");
    expect(trunkDescription(session).direction).toBe("sendonly");
    expect(trunkDescription(`${session}a=inactive\r\n`).direction).toBe("inactive");
  });

  it("reads ptime and maxptime", () => {
    expect(trunkDescription(genesysOffer({ add: ["a=ptime:30", "a=maxptime:60"] }))).toMatchObject({
      ptime: 30,
      maxptime: 60,
    });
  });

  it("reads a=rtcp where it differs from the next port", () => {
    const rtcp = (line: string) => trunkDescription(genesysOffer({ add: [line] })).rtcp;
    expect(rtcp("a=rtcp:30001")).toEqual({ address: "192.0.2.77", port: 30001 });
    expect(rtcp("a=rtcp:30001 IN IP4 192.0.2.78")).toEqual({ address: "192.0.2.78", port: 30001 });
    expect(rtcp("a=rtcp:24003")).toBeUndefined();
    expect(rtcp("a=rtcp:24003 IN IP4 192.0.2.78")).toEqual({ address: "192.0.2.78", port: 24003 });
    expect(rtcp("a=rtcp:24002")).toBeUndefined();
    expect(rtcp("a=rtcp:0")).toBeUndefined();
    expect(rtcp("a=rtcp:99999")).toBeUndefined();
  });

  it("takes the audio m-line with a port before one without", () => {
    const offer = genesysOffer().replace("m=audio", "m=audio 0 RTP/AVP 0\r\nm=video 9 RTP/AVP 34\r\nm=audio");
    expect(trunkDescription(offer)).toMatchObject({ audioIndex: 2, port: 24002, held: false });
  });

  it("reads a port with a count behind it", () => {
    expect(trunkDescription(genesysOffer().replace("24002", "24002/2")).port).toBe(24002);
  });

  it("knows both old ways to hold", () => {
    expect(trunkDescription(genesysOffer().replace("c=IN IP4 192.0.2.77", "c=IN IP4 0.0.0.0")).held).toBe(
      true,
    );
    expect(trunkDescription(genesysOffer().replace("m=audio 24002", "m=audio 0")).held).toBe(true);
  });

  it.each([
    ["RTP/AVP", "RTP/SAVP", "488 no audio m-line with RTP/AVP"],
    ["m=audio", "m=image", "488 no audio m-line with RTP/AVP"],
    ["IN IP4 192.0.2.77\r\nt", "IN IP6 2001:db8::1\r\nt", "488 c= has no IPv4 address: 2001:db8::1"],
    ["IN IP4 192.0.2.77\r\nt", "IN IP4 phone.example\r\nt", "488 c= has no IPv4 address: phone.example"],
    ["IN IP4 192.0.2.77\r\nt", "IN IP4 239.1.2.3\r\nt", "488 c= is no unicast address: 239.1.2.3"],
    [
      "IN IP4 192.0.2.77\r\nt",
      "IN IP4 255.255.255.255\r\nt",
      "488 c= is no unicast address: 255.255.255.255",
    ],
    ["c=IN IP4 192.0.2.77\r\n", "", "400 SDP has no usable c= line"],
    [
      "m=audio 24002",
      "m=audio 240020",
      "400 SDP has a broken m-line: audio 240020 RTP/AVP 0 8 9 102 103 104 18 120 101",
    ],
    [
      "m=audio 24002",
      "m=audio 70000",
      "400 SDP has a broken m-line: audio 70000 RTP/AVP 0 8 9 102 103 104 18 120 101",
    ],
    ["m=audio 24002", "m=audio", "400 SDP has a broken m-line: audio RTP/AVP 0 8 9 102 103 104 18 120 101"],
  ])("refuses %j -> %j", (from, to, expected) => {
    expect(refusal(genesysOffer().replace(from, to))).toBe(expected);
  });
});

describe("answering SIP Server", () => {
  it("answers with one codec, telephone-event and 20 ms", () => {
    const { sdp, remote } = answered(genesysOffer());
    expect(sdp.split("\r\n")).toEqual([
      "v=0",
      "o=jackfield 4611686018427387903 1 IN IP4 192.0.2.20",
      "s=-",
      "c=IN IP4 192.0.2.20",
      "t=0 0",
      "m=audio 10004 RTP/AVP 0 101",
      "a=rtpmap:0 PCMU/8000",
      "a=rtpmap:101 telephone-event/8000",
      "a=fmtp:101 0-15",
      "a=ptime:20",
      "a=sendrecv",
      "",
    ]);
    expect(remote).toEqual({
      address: "192.0.2.77",
      port: 24002,
      payload: { codec: "pcmu", payloadType: 0, telephoneEvent: { payloadType: 101, clockRate: 8000 } },
      direction: "sendrecv",
    });
  });

  it("takes the first common codec in our order, not in the offer's", () => {
    expect(answered(genesysOffer(), { codecs: ["pcma", "pcmu"] }).remote.payload.codec).toBe("pcma");
  });

  it("answers with the offer's own numbers", () => {
    const offer = genesysOffer()
      .replaceAll(/\b101\b/g, "97")
      .replaceAll(/\b0 (8|pcmu)/g, "98 $1")
      .replace(":0 ", ":98 ");
    const { sdp, remote } = answered(offer);
    expect(sdp).toContain("m=audio 10004 RTP/AVP 98 97\r\na=rtpmap:98 PCMU/8000\r\n");
    expect(remote.payload).toEqual({
      codec: "pcmu",
      payloadType: 98,
      telephoneEvent: { payloadType: 97, clockRate: 8000 },
    });
  });

  it("answers without telephone-event when none is offered or wanted", () => {
    expect(answered(genesysOffer({ without: /telephone-event/ })).sdp).toContain("RTP/AVP 0\r\n");
    expect(answered(genesysOffer(), { telephoneEvent: false }).sdp).toContain("RTP/AVP 0\r\n");
  });

  it("passes the RTCP address on", () => {
    expect(answered(genesysOffer({ add: ["a=rtcp:30001"] })).remote.rtcp).toEqual({
      address: "192.0.2.77",
      port: 30001,
    });
  });

  it("never agrees to rtcp-mux: RTCP keeps a port of its own", () => {
    const { sdp, remote } = answered(genesysOffer({ add: ["a=rtcp-mux"] }));
    expect(sdp).not.toContain("rtcp-mux");
    expect(remote.rtcp).toBeUndefined();
  });

  it("refuses with 488 when no codec is common", () => {
    const offer = trunkDescription(genesysOffer().replace("0 8 9 102 103 104 18 120", "9 18"));
    expect(answerTrunk(offer, preference)).toEqual({ ok: false, status: 488, reason: "no common codec" });
  });

  it("refuses other m-lines in their places", () => {
    const offer = genesysOffer({ add: ["m=video 5000 RTP/AVP 34", "m=image 6000 udptl t38"] });
    const lines = answered(offer.replace("m=audio", "m=text 7000 RTP/AVP 98\r\nm=audio")).sdp.split("\r\n");
    expect(lines.filter((line) => line.startsWith("m="))).toEqual([
      "m=text 0 RTP/AVP 98",
      "m=audio 10004 RTP/AVP 0 101",
      "m=video 0 RTP/AVP 34",
      "m=image 0 udptl t38",
    ]);
  });

  it("answers port 0 with port 0 and sends nothing", () => {
    const { sdp, remote } = answered(genesysOffer().replace("m=audio 24002", "m=audio 0"));
    expect(sdp).toContain("m=audio 0 RTP/AVP 0 101\r\n");
    expect(remote).toMatchObject({ port: 0, direction: "inactive" });
  });

  it("sends nothing to 0.0.0.0 but still hears", () => {
    const { sdp, remote } = answered(genesysOffer().replace("c=IN IP4 192.0.2.77", "c=IN IP4 0.0.0.0"));
    expect(sdp).toContain("a=recvonly\r\n");
    expect(remote).toMatchObject({ address: "0.0.0.0", direction: "recvonly" });
  });

  for (const offered of directions)
    for (const wanted of directions)
      it(`writes the right direction when ${offered} is offered and ${wanted} wanted`, () => {
        const { sdp, remote } = answered(genesysOffer({ add: [`a=${offered}`] }), { direction: wanted });
        expect(parse(sdp).media[0]?.direction).toBe(answerDirection(offered, wanted));
        expect(remote.direction).toBe(answerDirection(offered, wanted));
      });
});

describe("offering to SIP Server", () => {
  const made = offerTrunk(preference);
  const answer = genesysOffer({ without: /rtpmap:(9|102|103|104|18|120)/ }).replace(
    "0 8 9 102 103 104 18 120 101",
    "0 101",
  );

  it("offers G.711 in our order, telephone-event 101 and 20 ms", () => {
    expect(made.sdp.split("\r\n").slice(5)).toEqual([
      "m=audio 10004 RTP/AVP 0 8 101",
      "a=rtpmap:0 PCMU/8000",
      "a=rtpmap:8 PCMA/8000",
      "a=rtpmap:101 telephone-event/8000",
      "a=fmtp:101 0-15",
      "a=ptime:20",
      "a=sendrecv",
      "",
    ]);
  });

  it("says that VoIP metrics are sent where they are, in offer and answer", () => {
    const line = "\r\na=rtcp-xr:voip-metrics\r\n";
    const local = { ...trunkLocal, rtcpXr: true };
    expect(offerTrunk({ ...preference, local }).sdp).toContain(line);
    expect(answered(genesysOffer(), { local }).sdp).toContain(line);
    expect(answered(genesysOffer(), { local: { ...trunkLocal, rtcpXr: false } }).sdp).not.toContain("xr");
  });

  it("leaves telephone-event out when told to", () => {
    expect(offerTrunk({ ...preference, telephoneEvent: false }).sdp).toContain("RTP/AVP 0 8\r\n");
  });

  it("accepts an answer", () => {
    expect(good(acceptTrunkAnswer(made.offer, answer)).remote).toEqual({
      address: "192.0.2.77",
      port: 24002,
      payload: { codec: "pcmu", payloadType: 0, telephoneEvent: { payloadType: 101, clockRate: 8000 } },
      direction: "sendrecv",
    });
  });

  it("takes the answer's first codec that was offered", () => {
    const { remote } = good(acceptTrunkAnswer(made.offer, answer.replace("AVP 0 101", "AVP 18 8 0 101")));
    expect(remote.payload.codec).toBe("pcma");
  });

  it("names both numbers where the answer renumbered", () => {
    const { remote } = good(
      acceptTrunkAnswer(
        made.offer,
        answer
          .replaceAll(/\b101\b/g, "96")
          .replace("AVP 0", "AVP 98")
          .replace("rtpmap:0", "rtpmap:98"),
      ),
    );
    expect(remote.payload).toEqual({
      codec: "pcmu",
      payloadType: 98,
      receivePayloadType: 0,
      telephoneEvent: { payloadType: 96, clockRate: 8000, receivePayloadType: 101 },
    });
  });

  it("names the other law, with our number, where the answer takes both", () => {
    const payloadOf = (list: string) => {
      const text = answer.replace("AVP 0 101", `AVP ${list}`);
      return good(acceptTrunkAnswer(made.offer, text)).remote.payload;
    };
    expect(payloadOf("0 8 101").otherLaw).toEqual({ codec: "pcma", payloadType: 8 });
    expect(payloadOf("8 0 101")).toMatchObject({
      codec: "pcma",
      otherLaw: { codec: "pcmu", payloadType: 0 },
    });
    expect(payloadOf("8 101").otherLaw).toBeUndefined();
    const lone = offerTrunk({ ...preference, codecs: ["pcmu"] });
    const both = answer.replace("AVP 0 101", "AVP 0 8 101");
    expect(good(acceptTrunkAnswer(lone.offer, both)).remote.payload.otherLaw).toBeUndefined();
  });

  it("has no telephone-event when the answer has none", () => {
    const { remote } = good(acceptTrunkAnswer(made.offer, answer.replace("AVP 0 101", "AVP 0")));
    expect(remote.payload.telephoneEvent).toBeUndefined();
  });

  it("does not use a telephone-event it did not offer", () => {
    const silent = offerTrunk({ ...preference, telephoneEvent: false });
    expect(good(acceptTrunkAnswer(silent.offer, answer)).remote.payload.telephoneEvent).toBeUndefined();
  });

  it("takes the placeholder answer of a failed make call (genesys-sip-server.md 7.1)", () => {
    const placeholder = answer.replaceAll("192.0.2.77", "0.0.0.0").replace("24002", "10000");
    const { remote } = good(acceptTrunkAnswer(made.offer, placeholder));
    expect(remote).toMatchObject({ address: "0.0.0.0", direction: "recvonly" });
  });

  it("refuses an answer with no codec offered", () => {
    expect(acceptTrunkAnswer(made.offer, answer.replace("AVP 0 101", "AVP 18 101"))).toMatchObject({
      status: 488,
    });
  });

  for (const offered of directions)
    for (const theirs of directions)
      it(`reads ${theirs} as the answer to our ${offered}`, () => {
        const { offer } = offerTrunk({ ...preference, direction: offered });
        const { remote } = good(acceptTrunkAnswer(offer, `${answer}a=${theirs}\r\n`));
        expect(remote.direction).toBe(answerDirection(theirs, offered));
      });

  it("agrees with itself when both ends are ours", () => {
    for (const direction of directions) {
      const { sdp, offer } = offerTrunk({ ...preference, direction });
      const reply = answered(sdp);
      const { remote } = good(acceptTrunkAnswer(offer, reply.sdp));
      expect(remote.direction).toBe(reverseDirection(reply.remote.direction));
      expect(remote.payload).toEqual(reply.remote.payload);
    }
  });
});
