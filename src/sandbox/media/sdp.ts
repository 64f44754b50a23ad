/** RFC 3264 5.1, from the point of view of the one who wrote the description. */
export type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";

const directions: readonly Direction[] = ["sendrecv", "sendonly", "recvonly", "inactive"];

export interface SdpCodec {
  readonly payloadType: number;
  /** As in the rtpmap, lower case: `pcmu/8000`. */
  readonly encoding: string;
}

/** The one audio stream of a description. */
export interface AudioDescription {
  readonly address: string;
  /** 0 = refused or switched off. */
  readonly port: number;
  /** In order of preference. */
  readonly codecs: readonly SdpCodec[];
  readonly direction: Direction;
}

/** Static payload types that need no rtpmap (RFC 3551 6). */
const staticEncodings: Readonly<Record<number, string>> = {
  0: "pcmu/8000",
  8: "pcma/8000",
  9: "g722/8000",
  13: "cn/8000",
  18: "g729/8000",
};

export const telephoneEvent = "telephone-event/8000";

/** What phones behind SIP Server offer, by the trace: `0 8 9 102 103 104 18 120 101` (genesys-sip-server 4). */
export const softphoneCodecs: readonly SdpCodec[] = [
  { payloadType: 0, encoding: "pcmu/8000" },
  { payloadType: 8, encoding: "pcma/8000" },
  { payloadType: 9, encoding: "g722/8000" },
  { payloadType: 102, encoding: "ilbc/8000" },
  { payloadType: 103, encoding: "isac/16000" },
  { payloadType: 104, encoding: "isac/32000" },
  { payloadType: 18, encoding: "g729/8000" },
  { payloadType: 120, encoding: "opus/48000/2" },
  { payloadType: 101, encoding: telephoneEvent },
];

/** Reads the first audio stream; undefined when there is none or it cannot be read. */
export function parseAudio(sdp: string): AudioDescription | undefined {
  const lines = sdp.split(/\r?\n/);
  const start = lines.findIndex((line) => line.startsWith("m=audio "));
  const media = /^m=audio (\d{1,5})(?:\/\d+)? RTP\/AVPF? (\d[\d ]*)$/.exec(lines[start]?.trim() ?? "");
  if (!media) return undefined;
  const session = lines.slice(
    0,
    lines.findIndex((line) => line.startsWith("m=")),
  );
  const rest = lines.slice(start + 1);
  const next = rest.findIndex((line) => line.startsWith("m="));
  const stream = next < 0 ? rest : rest.slice(0, next);
  const address = connectionOf(stream) ?? connectionOf(session);
  if (address === undefined) return undefined;
  const encodings = new Map<number, string>();
  for (const line of stream) {
    const map = /^a=rtpmap:(\d{1,3}) (\S+)/.exec(line);
    if (map?.[2]) encodings.set(Number(map[1]), map[2].toLowerCase());
  }
  const codecs = (media[2] ?? "")
    .trim()
    .split(/ +/)
    .map(Number)
    .map((payloadType) => ({
      payloadType,
      encoding: encodings.get(payloadType) ?? staticEncodings[payloadType] ?? "",
    }));
  return {
    address,
    port: Number(media[1]),
    codecs,
    direction: directionOf(stream) ?? directionOf(session) ?? "sendrecv",
  };
}

function connectionOf(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const match = /^c=IN IP4 ([^\s/]+)/.exec(line);
    if (match) return match[1];
  }
  return undefined;
}

function directionOf(lines: readonly string[]): Direction | undefined {
  for (const line of lines) {
    const found = directions.find((direction) => line.trimEnd() === `a=${direction}`);
    if (found) return found;
  }
  return undefined;
}

/** Whether the writer of this description holds: it wants to hear nothing (RFC 3264 8.4 and the 0.0.0.0 of old). */
export function holds(audio: AudioDescription): boolean {
  return (
    audio.direction === "sendonly" ||
    audio.direction === "inactive" ||
    audio.address === "0.0.0.0" ||
    audio.port === 0
  );
}

/** What the answer to a direction may say at most: send and receive change places. */
export function mirrored(direction: Direction): Direction {
  if (direction === "sendonly") return "recvonly";
  return direction === "recvonly" ? "sendonly" : direction;
}

/** Both wishes met: media flows one way only where both allow it. */
export function intersection(one: Direction, other: Direction): Direction {
  const sends = sendsIn(one) && sendsIn(other);
  const receives = receivesIn(one) && receivesIn(other);
  if (sends) return receives ? "sendrecv" : "sendonly";
  return receives ? "recvonly" : "inactive";
}

export function sendsIn(direction: Direction): boolean {
  return direction === "sendrecv" || direction === "sendonly";
}

export function receivesIn(direction: Direction): boolean {
  return direction === "sendrecv" || direction === "recvonly";
}

/** A description as a phone writes it; `genesysForm` puts SIP Server's name on it. */
export function writeAudio(audio: AudioDescription, sessionName = "-"): string {
  const lines = [
    "v=0",
    `o=- 1 1 IN IP4 ${audio.address}`,
    `s=${sessionName}`,
    `c=IN IP4 ${audio.address}`,
    "t=0 0",
    `m=audio ${audio.port} RTP/AVP ${audio.codecs.map((codec) => codec.payloadType).join(" ")}`,
  ];
  for (const { payloadType, encoding } of audio.codecs) {
    lines.push(`a=rtpmap:${payloadType} ${encoding}`);
    if (encoding === telephoneEvent) lines.push(`a=fmtp:${payloadType} 0-15`);
  }
  if (audio.direction !== "sendrecv") lines.push(`a=${audio.direction}`);
  return `${lines.join("\r\n")}\r\n`;
}

/**
 * A description as SIP Server hands it on: its own `o=` with the far device's address, codec names in lower
 * case, no `a=sendrecv`, no ptime; the rest as it came (genesys-sip-server 4).
 */
export function genesysForm(sdp: string, sessionId: number, version: number): string {
  const lines = sdp.split(/\r?\n/).filter((line) => line !== "" && line !== "a=sendrecv");
  const address = parseAudio(sdp)?.address ?? "0.0.0.0";
  const kept = lines
    .filter((line) => !/^a=(max)?ptime:/.test(line))
    .map((line) => (line.startsWith("o=") ? `o=Genesys ${sessionId} ${version} IN IP4 ${address}` : line))
    .map((line) => (line.startsWith("a=rtpmap:") ? line.toLowerCase() : line));
  return `${kept.join("\r\n")}\r\n`;
}

/** The same description with another direction. */
export function withDirection(sdp: string, direction: Direction): string {
  const lines = sdp
    .split(/\r?\n/)
    .filter((line) => line !== "" && !/^a=(sendrecv|sendonly|recvonly|inactive)$/.test(line));
  if (direction !== "sendrecv") lines.push(`a=${direction}`);
  return `${lines.join("\r\n")}\r\n`;
}

/** The same description with `c=0.0.0.0`: hold as before RFC 3264. */
export function withZeroAddress(sdp: string): string {
  return sdp.replace(/^c=IN IP4 \S+/gm, "c=IN IP4 0.0.0.0");
}

/** The stand-in answer of a failed make call (site-environment 3.2). */
export const failedMakeCallSdp = writeAudio(
  {
    address: "0.0.0.0",
    port: 10000,
    codecs: [{ payloadType: 0, encoding: "pcmu/8000" }],
    direction: "sendrecv",
  },
  "3pcc Make Call",
);
