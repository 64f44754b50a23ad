/** SDP of the shapes real peers send, shortened to what counts. */

export function browserSdp(
  options: { setup?: string; direction?: string; ufrag?: string; payloads?: string } = {},
): string {
  const { setup = "actpass", direction = "sendrecv", ufrag = "abcd", payloads = "111 0 8 110 126" } = options;
  const rtpmaps: Record<string, string> = {
    "111": "opus/48000/2",
    "0": "PCMU/8000",
    "8": "PCMA/8000",
    "18": "G729/8000",
    "110": "telephone-event/48000",
    "126": "telephone-event/8000",
  };
  return [
    "v=0",
    "o=- 3861042013437020241 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    `m=audio 54310 UDP/TLS/RTP/SAVPF ${payloads}`,
    "c=IN IP4 192.0.2.77",
    `a=ice-ufrag:${ufrag}`,
    "a=ice-pwd:RBdOig6FzsO4TPoBIVzqMukF",
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "0A").join(":")}`,
    `a=setup:${setup}`,
    "a=mid:0",
    `a=${direction}`,
    "a=rtcp-mux",
    ...payloads.split(" ").map((payload) => `a=rtpmap:${payload} ${rtpmaps[payload] ?? "x/8000"}`),
    "",
  ].join("\r\n");
}

/** As SIP Server writes it: lower-case names, no direction unless told, no ptime. */
export function genesysSdp(
  options: { address?: string; port?: number; payloads?: string; direction?: string; version?: number } = {},
): string {
  const { address = "192.0.2.30", port = 8000, payloads = "0 8 101", direction, version = 1 } = options;
  const rtpmaps: Record<string, string> = {
    "0": "pcmu/8000",
    "8": "pcma/8000",
    "18": "g729/8000",
    "101": "telephone-event/8000",
  };
  return [
    "v=0",
    `o=Genesys 1769728850 ${version} IN IP4 ${address}`,
    "s=Softphone 9.0",
    `c=IN IP4 ${address}`,
    "t=0 0",
    `m=audio ${port} RTP/AVP ${payloads}`,
    ...payloads.split(" ").map((payload) => `a=rtpmap:${payload} ${rtpmaps[payload] ?? "x/8000"}`),
    ...(direction === undefined ? [] : [`a=${direction}`]),
    "",
  ].join("\r\n");
}
