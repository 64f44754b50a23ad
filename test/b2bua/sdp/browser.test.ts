import { parse } from "sdp-transform";
import { describe, expect, it } from "vitest";
import {
  acceptBrowserAnswer,
  answerBrowser,
  answerDirection,
  offerBrowser,
  parseBrowserDescription,
} from "../../../src/b2bua/sdp/index.ts";
import type { BrowserPreference } from "../../../src/b2bua/sdp/index.ts";
import { browserDescription, browserLocal, chromiumOffer, directions, fingerprintValue } from "./fixtures.ts";
import { good, origin, sdpOf } from "./fixtures.ts";

const preference: BrowserPreference = {
  local: browserLocal,
  codecs: ["opus", "pcmu", "pcma"],
  direction: "sendrecv",
  origin,
};

function answered(sdp: string, change: Partial<BrowserPreference> = {}) {
  return good(answerBrowser(browserDescription(sdp), { ...preference, ...change }));
}

function refusal(sdp: string): string {
  const result = parseBrowserDescription(sdp);
  return result.ok ? "taken" : `${result.status} ${result.reason}`;
}

describe("reading a browser's description", () => {
  it("takes Chromium's offer apart", () => {
    const description = browserDescription(chromiumOffer());
    expect(description).toEqual({
      origin: { sessionId: "3861042013437020241", version: "2", address: "127.0.0.1" },
      sections: [
        {
          type: "audio",
          port: 54310,
          protocol: "UDP/TLS/RTP/SAVPF",
          formats: ["111", "63", "9", "0", "8", "13", "110", "126"],
          mid: "0",
        },
      ],
      audioIndex: 0,
      direction: "sendrecv",
      codecs: [
        { codec: "opus", payloadType: 111, fmtp: "minptime=10;useinbandfec=1" },
        { codec: "g722", payloadType: 9, fmtp: "" },
        { codec: "pcmu", payloadType: 0, fmtp: "" },
        { codec: "pcma", payloadType: 8, fmtp: "" },
      ],
      telephoneEvents: [
        { payloadType: 110, clockRate: 48000 },
        { payloadType: 126, clockRate: 8000 },
      ],
      ptime: undefined,
      maxptime: undefined,
      iceUfrag: "ALCE",
      icePwd: "RBdOig6FzsO4TPoBIVzqMukF",
      fingerprints: [{ algorithm: "sha-256", value: fingerprintValue }],
      setup: "actpass",
      mid: "0",
      bundle: ["0"],
      rtcpReducedSize: true,
    });
  });

  it("finds ICE, fingerprint, setup and direction at session level", () => {
    const moved = /^a=(ice-ufrag|ice-pwd|fingerprint|setup|sendrecv)/;
    const session = [
      "a=ice-ufrag:sess",
      "a=ice-pwd:RBdOig6FzsO4TPoBIVzqMukF",
      `a=fingerprint:SHA-256 ${fingerprintValue.toLowerCase()}`,
      "a=setup:active",
      "a=recvonly",
    ];
    const offer = chromiumOffer({ without: moved }).replace("t=0 0", ["t=0 0", ...session].join("\r\n"));
    expect(browserDescription(offer)).toMatchObject({
      iceUfrag: "sess",
      fingerprints: [{ algorithm: "sha-256", value: fingerprintValue }],
      setup: "active",
      direction: "recvonly",
    });
  });

  it("keeps an ice-ufrag of digits as text", () => {
    const offer = chromiumOffer().replace("ice-ufrag:ALCE", "ice-ufrag:4711");
    expect(browserDescription(offer).iceUfrag).toBe("4711");
  });

  it("keeps every fingerprint of a SHA-2 kind and passes others over", () => {
    const sha512 = Array.from({ length: 64 }, () => "AB").join(":");
    const add = [`a=fingerprint:sha-512 ${sha512}`, "a=fingerprint:sha-1 00:11:22", "a=fingerprint:md5 AA"];
    expect(browserDescription(chromiumOffer({ add })).fingerprints.map(({ algorithm }) => algorithm)).toEqual(
      ["sha-256", "sha-512"],
    );
  });

  it("knows the static payload types without rtpmap", () => {
    const offer = chromiumOffer({ without: /^a=rtpmap:(0|8|9) / });
    expect(browserDescription(offer).codecs.map(({ codec }) => codec)).toEqual([
      "opus",
      "g722",
      "pcmu",
      "pcma",
    ]);
  });

  it("ignores rtpmap lines of payload types the m-line does not list", () => {
    const offer = chromiumOffer({ add: ["a=rtpmap:96 opus/48000/2"] });
    expect(browserDescription(offer).codecs.filter(({ codec }) => codec === "opus")).toHaveLength(1);
  });

  it("passes over payload types that rtcp-mux would take for RTCP", () => {
    const offer = chromiumOffer().replaceAll(/\b111\b/g, "72");
    expect(browserDescription(offer).codecs.map(({ codec }) => codec)).toEqual(["g722", "pcmu", "pcma"]);
  });

  it("does not take another clock rate or channel count for Opus", () => {
    for (const name of ["opus/16000/2", "opus/48000", "opus/48000/6"])
      expect(browserDescription(chromiumOffer().replace("opus/48000/2", name)).codecs).toHaveLength(3);
  });

  it("takes a bundled section with port 0, and ICE from the section it is bundled with", () => {
    const audio = ["m=audio 0 RTP/SAVPF 0", "a=mid:1", "a=bundle-only", "a=rtcp-mux"];
    const offer = chromiumOffer().replace("m=audio", "m=video").replace("BUNDLE 0", "BUNDLE 0 1");
    expect(browserDescription(`${offer}${sdpOf(audio)}`)).toMatchObject({
      audioIndex: 1,
      iceUfrag: "ALCE",
      mid: "1",
      bundle: ["0", "1"],
    });
  });

  it.each([
    [/^a=ice-ufrag/, "488 no a=ice-ufrag"],
    [/^a=fingerprint/, "488 no a=fingerprint"],
    [/^a=rtcp-mux$/, "488 no a=rtcp-mux"],
    [/^m=/, "488 no audio m-line with UDP/TLS/RTP/SAVPF"],
    [/^o=/, "400 SDP has no usable o= line"],
    [/^v=/, "400 SDP does not begin with v=0"],
  ])("refuses an offer without %s", (without, expected) => {
    expect(refusal(chromiumOffer({ without }))).toBe(expected);
  });

  it.each([
    ["m=audio 54310", "m=audio 0", "488 no audio m-line with UDP/TLS/RTP/SAVPF"],
    ["UDP/TLS/RTP/SAVPF", "RTP/AVP", "488 no audio m-line with UDP/TLS/RTP/SAVPF"],
    ["a=ice-ufrag:ALCE", "a=ice-ufrag:a:b c", "400 broken a=ice-ufrag or a=ice-pwd"],
    ["a=setup:actpass", "a=setup:holdconn", "400 unknown a=setup:holdconn"],
    ["a=fingerprint:sha-256 00", "a=fingerprint:sha-256 XX", "400 broken a=fingerprint"],
    ["a=fingerprint:sha-256 00:", "a=fingerprint:sha-256 ", "400 broken a=fingerprint"],
    ["a=fingerprint:sha-256", "a=fingerprint:md5", "488 no a=fingerprint with a hash function of SHA-2"],
    ["a=group:BUNDLE 0", "a=ice-lite", "488 both sides are ICE-lite"],
  ])("refuses %s -> %s", (from, to, expected) => {
    expect(refusal(chromiumOffer().replace(from, to))).toBe(expected);
  });
});

describe("answering a browser", () => {
  it("names every address as a candidate of the same port, the first one preferred, in answers and offers", () => {
    const local = { ...browserLocal, otherAddresses: ["10.1.0.5", "10.2.0.5"] };
    const candidates = (sdp: string) => sdp.split("\r\n").filter((line) => line.startsWith("a=candidate"));
    const expected = [
      "a=candidate:1 1 udp 2130706431 203.0.113.10 20100 typ host",
      "a=candidate:2 1 udp 2130706175 10.1.0.5 20100 typ host",
      "a=candidate:3 1 udp 2130705919 10.2.0.5 20100 typ host",
    ];
    expect(candidates(answered(chromiumOffer(), { local }).sdp)).toEqual(expected);
    expect(candidates(offerBrowser({ ...preference, local }).sdp)).toEqual(expected);
  });

  it("answers Chromium with Opus, DTLS server, ICE-lite and one candidate", () => {
    const { sdp, remote } = answered(chromiumOffer());
    expect(sdp.split("\r\n")).toEqual([
      "v=0",
      "o=jackfield 4611686018427387903 1 IN IP4 203.0.113.10",
      "s=-",
      "c=IN IP4 203.0.113.10",
      "t=0 0",
      "a=ice-lite",
      "a=group:BUNDLE 0",
      "m=audio 20100 UDP/TLS/RTP/SAVPF 111 110",
      "a=rtpmap:111 opus/48000/2",
      "a=rtpmap:110 telephone-event/48000",
      "a=fmtp:111 minptime=10;useinbandfec=1;maxplaybackrate=8000;sprop-maxcapturerate=8000;maxaveragebitrate=24000;stereo=0",
      "a=fmtp:110 0-15",
      "a=setup:passive",
      "a=mid:0",
      "a=msid:jackfield audio",
      "a=ptime:20",
      "a=sendrecv",
      "a=ice-ufrag:0123456789abcdef",
      "a=ice-pwd:00112233445566778899aabb",
      `a=fingerprint:sha-256 ${fingerprintValue}`,
      "a=candidate:1 1 udp 2130706431 203.0.113.10 20100 typ host",
      "a=end-of-candidates",
      "a=rtcp-mux",
      "a=rtcp-rsize",
      "",
    ]);
    expect(remote).toEqual({
      iceUfrag: "ALCE",
      icePwd: "RBdOig6FzsO4TPoBIVzqMukF",
      fingerprints: [{ algorithm: "sha-256", value: fingerprintValue }],
      payload: {
        codec: "opus",
        payloadType: 111,
        telephoneEvent: { payloadType: 110, clockRate: 48000 },
      },
      direction: "sendrecv",
      rtcpReducedSize: true,
    });
  });

  it("agrees to RTCP of reduced size only where it is offered", () => {
    const { sdp, remote } = answered(chromiumOffer({ without: /^a=rtcp-rsize/ }));
    expect(sdp).not.toContain("rsize");
    expect(remote.rtcpReducedSize).toBe(false);
  });

  it("takes the first codec in our order, with telephone-event at its clock rate", () => {
    const { sdp, remote } = answered(chromiumOffer(), { codecs: ["pcma", "opus"] });
    expect(sdp).toContain("m=audio 20100 UDP/TLS/RTP/SAVPF 8 126\r\n");
    expect(remote.payload).toEqual({
      codec: "pcma",
      payloadType: 8,
      telephoneEvent: { payloadType: 126, clockRate: 8000 },
    });
  });

  it("gives G.711 no telephone-event/48000", () => {
    const offer = chromiumOffer({ without: /telephone-event\/8000/ });
    expect(answered(offer, { codecs: ["pcmu"] }).remote.payload).toEqual({ codec: "pcmu", payloadType: 0 });
  });

  it("falls back to telephone-event/8000 for Opus", () => {
    const offer = chromiumOffer({ without: /telephone-event\/48000/ });
    expect(answered(offer).remote.payload.telephoneEvent).toEqual({ payloadType: 126, clockRate: 8000 });
  });

  it("leaves telephone-event out when told to", () => {
    const { sdp, remote } = answered(chromiumOffer(), { telephoneEvent: false });
    expect(sdp).not.toContain("telephone-event");
    expect(remote.payload.telephoneEvent).toBeUndefined();
  });

  it("refuses with 488 when no codec is common", () => {
    const offer = browserDescription(
      chromiumOffer().replace("SAVPF 111 63 9 0 8 13 110 126", "SAVPF 63 9 13 126"),
    );
    expect(answerBrowser(offer, preference)).toMatchObject({ ok: false, status: 488 });
  });

  it("refuses with 488 a browser that wants to be the DTLS server", () => {
    const offer = browserDescription(chromiumOffer().replace("actpass", "passive"));
    expect(answerBrowser(offer, preference)).toMatchObject({ ok: false, status: 488 });
  });

  it("refuses every other kind of m-line in its place, with mids echoed and only the audio bundled", () => {
    const video = ["m=video 9 UDP/TLS/RTP/SAVPF 96 97", "a=mid:v", "a=rtpmap:96 VP8/90000"];
    const channel = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:d", "a=sctp-port:5000"];
    const [head = "", audio = ""] = chromiumOffer()
      .replace("BUNDLE 0", "BUNDLE v 0 d 2")
      .split(/(?=m=audio)/);
    const second = audio.replace("a=mid:0", "a=mid:2");
    const { sdp } = answered(`${head}${sdpOf(video)}${audio}${sdpOf(channel)}${second}`);
    const lines = sdp.split("\r\n");
    expect(lines.filter((line) => line.startsWith("m="))).toEqual([
      "m=video 0 UDP/TLS/RTP/SAVPF 96 97",
      "m=audio 20100 UDP/TLS/RTP/SAVPF 111 110",
      "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
      "m=audio 20100 UDP/TLS/RTP/SAVPF 111 110",
    ]);
    expect(lines.filter((line) => line.startsWith("a=mid:"))).toEqual([
      "a=mid:v",
      "a=mid:0",
      "a=mid:d",
      "a=mid:2",
    ]);
    expect(lines).toContain("a=group:BUNDLE 0 2");
  });

  it("names no BUNDLE group and no mid when the offer has none", () => {
    const { sdp } = answered(chromiumOffer({ without: /^a=(mid|group)/ }));
    expect(sdp).not.toMatch(/a=(mid|group)/);
  });

  for (const offered of directions)
    for (const wanted of directions)
      it(`writes the right direction when ${offered} is offered and ${wanted} wanted`, () => {
        const offer = chromiumOffer().replace("a=sendrecv", `a=${offered}`);
        const { sdp, remote } = answered(offer, { direction: wanted });
        const expected = answerDirection(offered, wanted);
        expect(parse(sdp).media[0]?.direction).toBe(expected);
        expect(remote.direction).toBe(expected);
        expect(sdp.includes("a=msid:")).toBe(expected.startsWith("send"));
      });
});

describe("offering to a browser", () => {
  const { sdp, offer } = offerBrowser(preference);
  /** What Chromium would answer: our numbers, active, its own ICE and certificate. */
  const answer = chromiumOffer()
    .replace("SAVPF 111 63 9 0 8 13 110 126", "SAVPF 111 126 110")
    .replace("actpass", "active");

  function acceptance(text: string): string {
    const result = acceptBrowserAnswer(offer, text);
    return result.ok ? "taken" : `${result.status} ${result.reason}`;
  }

  it("lists our codecs in our order with actpass, mid 0 and BUNDLE", () => {
    const session = parse(sdp);
    expect(session.groups).toEqual([{ type: "BUNDLE", mids: 0 }]);
    expect(session.media[0]).toMatchObject({
      setup: "actpass",
      mid: 0,
      payloads: "111 0 8 126 110",
      rtcpMux: "rtcp-mux",
      rtcpRsize: "rtcp-rsize",
      ptime: 20,
      direction: "sendrecv",
    });
  });

  it("offers no telephone-event/48000 without Opus, and none at all when told to", () => {
    expect(offerBrowser({ ...preference, codecs: ["pcmu"] }).sdp).toContain("SAVPF 0 126\r\n");
    expect(offerBrowser({ ...preference, codecs: ["pcmu"], telephoneEvent: false }).sdp).toContain(
      "SAVPF 0\r\n",
    );
  });

  it("can be read by our own reader", () => {
    const text = sdp.replace("a=ice-lite\r\n", "");
    expect(browserDescription(text)).toMatchObject({ iceUfrag: browserLocal.iceUfrag, setup: "actpass" });
  });

  it("accepts an answer with the codec the browser put first", () => {
    const { remote } = good(acceptBrowserAnswer(offer, answer));
    expect(remote.payload).toEqual({
      codec: "opus",
      payloadType: 111,
      telephoneEvent: { payloadType: 110, clockRate: 48000 },
    });
    const pcma = good(acceptBrowserAnswer(offer, answer.replace("SAVPF 111 126", "SAVPF 8 111 126")));
    expect(pcma.remote.payload).toMatchObject({ codec: "pcma", telephoneEvent: { clockRate: 8000 } });
  });

  it("takes the browser at its word about RTCP of reduced size", () => {
    expect(good(acceptBrowserAnswer(offer, answer)).remote.rtcpReducedSize).toBe(true);
    const plain = answer.replace("a=rtcp-rsize\r\n", "");
    expect(good(acceptBrowserAnswer(offer, plain)).remote.rtcpReducedSize).toBe(false);
  });

  it("reads the answer's direction from our side", () => {
    const { remote } = good(acceptBrowserAnswer(offer, answer.replace("a=sendrecv", "a=recvonly")));
    expect(remote.direction).toBe("sendonly");
  });

  it("never takes more than it offered", () => {
    const held = offerBrowser({ ...preference, direction: "sendonly" });
    expect(good(acceptBrowserAnswer(held.offer, answer)).remote.direction).toBe("sendonly");
  });

  it.each([
    ["setup:active", "setup:passive", "488 answer has a=setup:passive"],
    ["setup:active", "setup:actpass", "488 answer has a=setup:actpass"],
    ["SAVPF 111 126 110", "SAVPF 9 126", "488 answer has none of the codecs offered"],
    ["m=audio 54310", "m=audio 0", "488 no audio m-line with UDP/TLS/RTP/SAVPF"],
  ])("refuses an answer with %s -> %s", (from, to, expected) => {
    expect(acceptance(answer.replace(from, to))).toBe(expected);
  });

  it("names both numbers where an answer renumbered the codec and its events", () => {
    const renumbered = answer.replaceAll(/\b111\b/g, "96").replaceAll(/\b110\b/g, "99");
    expect(good(acceptBrowserAnswer(offer, renumbered)).remote.payload).toEqual({
      codec: "opus",
      payloadType: 96,
      receivePayloadType: 111,
      telephoneEvent: { payloadType: 99, clockRate: 48000, receivePayloadType: 110 },
    });
  });

  it("refuses an answer with other m-lines than the offer", () => {
    expect(acceptance(`${answer}m=video 0 UDP/TLS/RTP/SAVPF 96\r\n`)).toBe(
      "488 answer has other m-lines than the offer",
    );
  });
});
