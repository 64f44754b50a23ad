import { parse } from "sdp-transform";
import { describe, expect, it } from "vitest";
import { answerBrowser, type BrowserPreference } from "../../../src/b2bua/sdp/index.ts";
import { browserDescription, browserLocal, good, origin } from "./fixtures.ts";

const preference: BrowserPreference = {
  local: browserLocal,
  codecs: ["opus", "pcmu", "pcma"],
  direction: "sendrecv",
  origin,
};

const head = ["v=0", "o=- 3861042013437020241 3 IN IP4 127.0.0.1", "s=-", "t=0 0"];
const transport = [
  "c=IN IP4 0.0.0.0",
  "a=ice-ufrag:ALCE",
  "a=ice-pwd:RBdOig6FzsO4TPoBIVzqMukF",
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "0A").join(":")}`,
  "a=setup:actpass",
  "a=rtcp-mux",
];
const audio = (mid: string, direction: string, port = 9): string[] => [
  `m=audio ${port} RTP/SAVPF 111 63 9 0 8 13 110 126`,
  ...transport,
  `a=mid:${mid}`,
  `a=${direction}`,
  "a=rtpmap:111 opus/48000/2",
  "a=rtpmap:0 PCMU/8000",
  "a=rtpmap:110 telephone-event/48000",
  "a=rtpmap:126 telephone-event/8000",
];
/** The library deletes the first RTX payload's lines and leaves its number (wrtc-http-protocol.md 2.1). */
const video = (mid: string): string[] => [
  "m=video 9 RTP/SAVPF 96 97 102 103",
  ...transport,
  "b=AS:500",
  `a=mid:${mid}`,
  "a=sendrecv",
  "a=rtpmap:96 VP8/90000",
  "a=rtpmap:102 H264/90000",
  "a=rtpmap:103 rtx/90000",
  "a=fmtp:103 apt=102",
];
const data = (mid: string): string[] => [
  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
  ...transport,
  `a=mid:${mid}`,
  "a=sctp-port:5000",
];

/** Of each m-line of our answer: type, whether it is refused, direction, mid; then the BUNDLE group. */
function answered(bundle: string, ...lines: string[][]) {
  const sdp = [...head, `a=group:BUNDLE ${bundle}`, ...lines.flat(), ""].join("\r\n");
  const made = good(answerBrowser(browserDescription(sdp), preference));
  const { media, groups } = parse(made.sdp);
  const told = media.map(({ type, port, direction, mid }) =>
    port === 0 ? `${type} refused ${mid}` : `${type} ${direction} ${mid}`,
  );
  return { told, bundle: String(groups?.[0]?.mids), media, remote: made.remote };
}

describe("a browser's offer of several m-lines", () => {
  it("has all but its audio refused in their places", () => {
    expect(answered("0 1", audio("0", "sendrecv"), video("1"))).toMatchObject({
      told: ["audio sendrecv 0", "video refused 1"],
      bundle: "0",
    });
    expect(answered("0 1 2", video("0"), audio("1", "sendrecv"), data("2"))).toMatchObject({
      told: ["video refused 0", "audio sendrecv 1", "application refused 2"],
      bundle: "1",
    });
  });

  it("is taken with numbers that no rtpmap explains, and answered by the profile it named", () => {
    const { media, remote } = answered("0 1", audio("0", "sendrecv"), video("1"));
    expect(media.map(({ protocol }) => protocol)).toEqual(["RTP/SAVPF", "RTP/SAVPF"]);
    expect(media[1]?.payloads).toBe("96 97 102 103");
    expect(remote.payload).toMatchObject({ codec: "opus", payloadType: 111 });
  });

  it("is answered on the audio that sends; the other, which carries the transport, is kept idle", () => {
    const offer = [audio("0", "recvonly"), audio("1", "sendrecv"), video("2")];
    const { told, bundle, media, remote } = answered("0 1 2", ...offer);
    expect(told).toEqual(["audio inactive 0", "audio sendrecv 1", "video refused 2"]);
    expect(bundle).toBe("0 1");
    expect(remote.direction).toBe("sendrecv");
    expect(media[0]?.iceUfrag).toBe(media[1]?.iceUfrag);
    expect(media[0]?.msid).toBeUndefined();
  });

  it("that holds has each of its audio lines inactive, and none stopped for good", () => {
    const held = answered("0 1", audio("0", "inactive"), audio("1", "inactive"), video("2"));
    expect(held.told).toEqual(["audio inactive 0", "audio inactive 1", "video refused 2"]);
    const retrieved = answered("0 1", audio("0", "sendrecv"), audio("1", "sendrecv"));
    expect(retrieved.told).toEqual(["audio sendrecv 0", "audio inactive 1"]);
    expect(retrieved.bundle).toBe("0 1");
  });

  it("that are not bundled has every other audio refused", () => {
    const { told } = answered("1", audio("0", "recvonly"), audio("1", "sendrecv"));
    expect(told).toEqual(["audio refused 0", "audio sendrecv 1"]);
    expect(answered("0 1", audio("0", "recvonly", 0), audio("1", "sendrecv")).told).toEqual([
      "audio refused 0",
      "audio sendrecv 1",
    ]);
  });
});
