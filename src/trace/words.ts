import type { MessageEntry } from "./contract.ts";

/** A message in a few words: `INVITE sip:5001@192.0.2.20`, `180 Ringing (INVITE)`, `NOTIFY talk`. */
export function messageWords({ text }: MessageEntry): string {
  const line = text.slice(0, text.search(/\r|\n|$/));
  const [first = "", second = "", ...rest] = line.split(" ");
  if (first === "SIP/2.0") {
    const method = /^cseq\s*:\s*\d+\s+(\S+)/im.exec(text)?.[1] ?? "";
    return `${[second, ...rest].join(" ")} (${method})`;
  }
  if (first === "INVITE")
    return `${first} ${second.replace(/^(sips?:[^:@]*):[^@]*@/i, "$1@").replace(/[;?].*$/, "")}`;
  const event = /^(?:event|o)\s*:\s*([\w.-]+)/im.exec(text)?.[1];
  return first === "NOTIFY" && event !== undefined ? `${first} ${event}` : first;
}

/** What a message's SDP says, `sendrecv 192.0.2.30:8000 pcmu dtmf`; undefined without SDP. */
export function sdpWords(entry: MessageEntry): string | undefined {
  const parts = sdpParts(entry);
  return parts && `${parts.direction} ${parts.place} ${parts.codecs}`;
}

/** An SDP taken apart as far as people look at it; the last two are empty where there is none. */
export interface SdpParts {
  readonly direction: string;
  /** Address and port. */
  readonly place: string;
  readonly codecs: string;
  readonly ufrag: string;
  readonly fingerprint: string;
}

/** Payload types looked up; browsers offer some twenty. Each is a search through the text. */
const mostPayloads = 64;

export function sdpParts({ text }: MessageEntry): SdpParts | undefined {
  const media = /^m=audio (\d+) \S+ ([\d ]+)/im.exec(text);
  if (!media) return undefined;
  const [, port = "", payloads = ""] = media;
  const address = /^c=IN IP[46] (\S+)/im.exec(text)?.[1] ?? "?";
  const names = payloads
    .trim()
    .split(" ", mostPayloads)
    .map((payload) => codecName(text, payload));
  const direction = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/im.exec(text)?.[1] ?? "sendrecv";
  const line = (pattern: RegExp): string => pattern.exec(text)?.[1] ?? "";
  return {
    direction,
    place: `${address}:${port}`,
    codecs: [...new Set(names)].join(" "),
    ufrag: line(/^a=ice-ufrag:(\S+)/im),
    fingerprint: line(/^a=fingerprint:(\S+ \S+)/im),
  };
}

/** Names of static payload types that go without `a=rtpmap` (RFC 3551 6). */
const staticNames: Readonly<Record<string, string>> = {
  0: "pcmu",
  8: "pcma",
  9: "g722",
  13: "cn",
  18: "g729",
};

function codecName(sdp: string, payload: string): string {
  const name = new RegExp(`^a=rtpmap:${payload} ([\\w.-]+)`, "im").exec(sdp)?.[1];
  const mapped = name?.toLowerCase();
  return mapped === "telephone-event" ? "dtmf" : (mapped ?? staticNames[payload] ?? payload);
}
