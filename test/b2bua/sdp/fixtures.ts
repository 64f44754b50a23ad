import type { BrowserLocal, Direction } from "../../../src/media/index.ts";
import { parseBrowserDescription, parseTrunkDescription } from "../../../src/b2bua/sdp/index.ts";
import type { BrowserDescription, SdpResult, TrunkDescription } from "../../../src/b2bua/sdp/index.ts";

/** Joins lines the way SDP does. */
export function sdpOf(lines: readonly string[]): string {
  return `${lines.join("\r\n")}\r\n`;
}

export const fingerprintValue = Array.from({ length: 32 }, (_, index) =>
  (index * 7).toString(16).padStart(2, "0").toUpperCase(),
).join(":");

/** What Chromium 156 offers for a microphone, as recorded from JsSIP. */
export const chromiumOfferLines: readonly string[] = [
  "v=0",
  "o=- 3861042013437020241 2 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0",
  "a=extmap-allow-mixed",
  "a=msid-semantic: WMS 2611714c-730f-45d1-9a3e-4538dfdcae99",
  "m=audio 54310 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126",
  "c=IN IP4 192.0.2.2",
  "a=rtcp:9 IN IP4 0.0.0.0",
  "a=candidate:1092398966 1 udp 2122194687 192.0.2.2 54310 typ host generation 0 network-id 1",
  "a=candidate:3216407522 1 tcp 1518214911 192.0.2.2 9 typ host tcptype active generation 0 network-id 1",
  "a=ice-ufrag:ALCE",
  "a=ice-pwd:RBdOig6FzsO4TPoBIVzqMukF",
  "a=ice-options:trickle",
  `a=fingerprint:sha-256 ${fingerprintValue}`,
  "a=setup:actpass",
  "a=mid:0",
  "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
  "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
  "a=sendrecv",
  "a=msid:2611714c-730f-45d1-9a3e-4538dfdcae99 78eb6579-8125-4f3e-a977-6e959b03c1eb",
  "a=rtcp-mux",
  "a=rtcp-rsize",
  "a=rtcp-xr:rcvr-rtt=all",
  "a=rtpmap:111 opus/48000/2",
  "a=rtcp-fb:111 transport-cc",
  "a=fmtp:111 minptime=10;useinbandfec=1",
  "a=rtpmap:63 red/48000/2",
  "a=fmtp:63 111/111",
  "a=rtpmap:9 G722/8000",
  "a=rtpmap:0 PCMU/8000",
  "a=rtpmap:8 PCMA/8000",
  "a=rtpmap:13 CN/8000",
  "a=rtpmap:110 telephone-event/48000",
  "a=rtpmap:126 telephone-event/8000",
  "a=ssrc:1018698205 cname:35sLQe49d4ISvqMI",
  "a=ssrc:1018698205 msid:2611714c-730f-45d1-9a3e-4538dfdcae99 78eb6579-8125-4f3e-a977-6e959b03c1eb",
];

/** Chromium's offer with lines taken away and others put at the end. */
export function chromiumOffer(change: { without?: RegExp; add?: readonly string[] } = {}): string {
  const kept = chromiumOfferLines.filter((line) => !change.without?.test(line));
  return sdpOf([...kept, ...(change.add ?? [])]);
}

/** An offer in the form SIP Server sends: lower-case names, no direction, no ptime, many codecs. */
export const genesysOfferLines: readonly string[] = [
  "v=0",
  "o=Genesys 1769728850 3 IN IP4 192.0.2.77",
  "s=PhoneSession",
  "c=IN IP4 192.0.2.77",
  "t=0 0",
  "m=audio 24002 RTP/AVP 0 8 9 102 103 104 18 120 101",
  "a=rtpmap:0 pcmu/8000",
  "a=rtpmap:8 pcma/8000",
  "a=rtpmap:9 g722/8000",
  "a=rtpmap:102 iLBC/8000",
  "a=rtpmap:103 isac/16000",
  "a=rtpmap:104 isac/32000",
  "a=rtpmap:18 g729/8000",
  "a=rtpmap:120 opus/48000/2",
  "a=rtpmap:101 telephone-event/8000",
  "a=fmtp:101 0-15",
];

export function genesysOffer(change: { without?: RegExp; add?: readonly string[] } = {}): string {
  const kept = genesysOfferLines.filter((line) => !change.without?.test(line));
  return sdpOf([...kept, ...(change.add ?? [])]);
}

export const browserLocal: BrowserLocal = {
  address: "203.0.113.10",
  port: 20100,
  iceUfrag: "0123456789abcdef",
  icePwd: "00112233445566778899aabb",
  fingerprint: { algorithm: "sha-256", value: fingerprintValue },
  ssrc: 4_023_456_789,
};

export const trunkLocal = { address: "192.0.2.20", port: 10_004 };
export const origin = { sessionId: "4611686018427387903", version: 1 };
export const directions: readonly Direction[] = ["sendrecv", "sendonly", "recvonly", "inactive"];

/** The value of a result that must be good. */
export function good<Value extends object>(result: SdpResult<Value>): Value {
  if (!result.ok) throw new Error(`refused with ${result.status}: ${result.reason}`);
  return result;
}

export const browserDescription = (sdp: string): BrowserDescription =>
  good(parseBrowserDescription(sdp)).description;
export const trunkDescription = (sdp: string): TrunkDescription =>
  good(parseTrunkDescription(sdp)).description;
