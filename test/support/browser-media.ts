import { randomBytes } from "node:crypto";
import { createDecoder, createEncoder } from "libopus-wasm";
import { fromCodes, soundRate } from "./sound.ts";
import { sharedCertificate, WebRtcPeer, type WebRtcPeerOptions } from "./webrtc-peer.ts";

/** What a browser double speaks: it offers this codec first, and answers with it. */
export type DoubleCodec = "opus" | "pcmu" | "pcma";

/** Formats of an m-line in Chromium's numbers; G.711 doubles leave Opus out, so that nothing is transcoded. */
const formats: Readonly<Record<DoubleCodec, readonly number[]>> = {
  opus: [111, 0, 8, 110, 126],
  pcmu: [0, 8, 126],
  pcma: [8, 0, 126],
};
const rtpmaps: Readonly<Record<number, string>> = {
  0: "PCMU/8000",
  8: "PCMA/8000",
  110: "telephone-event/48000",
  111: "opus/48000/2",
  126: "telephone-event/8000",
};
const payloadTypes: Readonly<Record<DoubleCodec, number>> = { opus: 111, pcmu: 0, pcma: 8 };

/** One RTP packet that came from the gateway. */
export interface BrowserPacket {
  readonly at: number;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

/**
 * A browser's media for one call: SDP of its own with real credentials, ICE, DTLS and SRTP by `WebRtcPeer`, one
 * frame sent by each `sendFrame`, everything received kept (or given to `onPacket`). Reads the gateway's SDP with
 * regexps of its own.
 */
export class BrowserMedia {
  readonly peer: WebRtcPeer;
  readonly codec: DoubleCodec;
  readonly received: BrowserPacket[] = [];
  /** Takes packets instead of `received`; set by benches, which keep none. */
  onPacket: (packet: BrowserPacket) => void = (packet) => this.received.push(packet);
  readonly #ssrc = randomBytes(4).readUInt32BE(0);
  readonly #sessionId = randomBytes(6).readUIntBE(0, 6);
  #version = 2;
  #sequence = randomBytes(2).readUInt16BE(0) >>> 1;
  #timestamp = randomBytes(4).readUInt32BE(0);
  #connecting: Promise<void> | undefined;

  private constructor(codec: DoubleCodec, peer: WebRtcPeer) {
    this.codec = codec;
    this.peer = peer;
    peer.onRtp = (packet, length) => this.#receive(packet, length);
  }

  static async create(codec: DoubleCodec, options: WebRtcPeerOptions = {}): Promise<BrowserMedia> {
    const certificate = options.certificate ?? (await sharedCertificate());
    return new BrowserMedia(codec, await WebRtcPeer.create({ ...options, certificate }));
  }

  /** An offer of ours, first or later; `direction` as seen by the browser. */
  offer(direction = "sendrecv"): string {
    return this.#describe("actpass", formats[this.codec], direction, "0");
  }

  /** Answers the gateway's offer with one codec and its telephone-event. Throws when the codec is not offered. */
  answer(offer: string, direction = "sendrecv"): string {
    const offered = /^m=audio \d+ \S+ ([\d ]+)/m.exec(offer)?.[1]?.trim().split(" ").map(Number) ?? [];
    const payloadType = payloadTypes[this.codec];
    if (!offered.includes(payloadType)) throw new Error(`gateway did not offer ${this.codec}: ${offer}`);
    const event = [this.codec === "opus" ? 110 : 126].filter((type) => offered.includes(type));
    return this.#describe("active", [payloadType, ...event], direction, midOf(offer));
  }

  #describe(setup: string, payloads: readonly number[], direction: string, mid: string): string {
    const { peer } = this;
    return [
      "v=0",
      `o=- ${this.#sessionId} ${this.#version++} IN IP4 127.0.0.1`,
      "s=-",
      "t=0 0",
      `a=group:BUNDLE ${mid}`,
      `m=audio ${peer.port} UDP/TLS/RTP/SAVPF ${payloads.join(" ")}`,
      "c=IN IP4 127.0.0.1",
      "a=rtcp:9 IN IP4 0.0.0.0",
      `a=candidate:1 1 udp 2122260223 127.0.0.1 ${peer.port} typ host generation 0`,
      `a=ice-ufrag:${peer.iceUfrag}`,
      `a=ice-pwd:${peer.icePwd}`,
      `a=fingerprint:${peer.fingerprint.algorithm} ${peer.fingerprint.value}`,
      `a=setup:${setup}`,
      `a=mid:${mid}`,
      `a=${direction}`,
      "a=rtcp-mux",
      ...payloads.map((payload) => `a=rtpmap:${payload} ${rtpmaps[payload]}`),
      ...(payloads.includes(111) ? ["a=fmtp:111 minptime=10;useinbandfec=1"] : []),
      `a=ssrc:${this.#ssrc} cname:double`,
      "",
    ].join("\r\n");
  }

  /** Connects to where the gateway's SDP says; later calls return the first one's promise. */
  connect(sdp: string): Promise<void> {
    this.#connecting ??= this.peer.connect(browserLocalOf(sdp));
    return this.#connecting;
  }

  /** Sends the next 20 ms, already encoded. Returns the SRTP datagram. */
  sendFrame(payload: Buffer): Buffer {
    const packet = Buffer.alloc(12 + payload.length);
    packet.writeUInt8(0x80, 0);
    packet.writeUInt8(payloadTypes[this.codec], 1);
    packet.writeUInt16BE(this.#sequence++ & 0xffff, 2);
    packet.writeUInt32BE(this.#timestamp >>> 0, 4);
    packet.writeUInt32BE(this.#ssrc, 8);
    payload.copy(packet, 12);
    this.#timestamp += this.codec === "opus" ? 960 : 160;
    return this.peer.sendRtp(packet);
  }

  #receive(packet: Buffer, length: number): void {
    if (length < 12) return;
    this.onPacket({
      at: performance.now(),
      payloadType: packet.readUInt8(1) & 0x7f,
      sequence: packet.readUInt16BE(2),
      timestamp: packet.readUInt32BE(4),
      ssrc: packet.readUInt32BE(8),
      payload: Buffer.from(packet.subarray(12, length)),
    });
  }

  /** G.711 as received, in sequence, at its place in time; gaps are zero codes, which no silence is. */
  heardCodes(): Buffer {
    return placeCodes(this.received.filter(({ payloadType }) => payloadType === payloadTypes[this.codec]));
  }

  /** What the agent heard, 8 kHz. */
  heard(): Promise<Int16Array> {
    const { codec } = this;
    if (codec !== "opus") return Promise.resolve(fromCodes(this.heardCodes(), codec));
    return decodeOpus(this.received.filter(({ payloadType }) => payloadType === 111));
  }

  close(): Promise<void> {
    return this.peer.close();
  }
}

/** Packets of one G.711 stream laid out by their timestamps. */
export function placeCodes(packets: readonly Pick<BrowserPacket, "timestamp" | "payload">[]): Buffer {
  const first = packets[0];
  if (!first) return Buffer.alloc(0);
  const places = packets.map(({ timestamp }) => (timestamp - first.timestamp) | 0);
  const end = Math.max(...packets.map(({ payload }, index) => (places[index] ?? 0) + payload.length));
  const codes = Buffer.alloc(end);
  for (const [index, { payload }] of packets.entries()) {
    const place = places[index] ?? 0;
    if (place >= 0) payload.copy(codes, place);
  }
  return codes;
}

async function decodeOpus(packets: readonly BrowserPacket[]): Promise<Int16Array> {
  const decoder = await createDecoder({ sampleRate: soundRate, channels: 1 });
  const parts: Int16Array[] = [];
  let expected: number | undefined;
  for (const { sequence, payload } of packets) {
    for (let missing = expected ?? sequence; ((sequence - missing) & 0xffff) % 0x8000 > 0; missing++)
      parts.push(decoder.decodePacketLoss(160).slice());
    parts.push(decoder.decode(payload).slice());
    expected = (sequence + 1) & 0xffff;
  }
  decoder.free();
  const samples = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    samples.set(part, place);
    place += part.length;
  }
  return samples;
}

/** 20 ms Opus frames of `samples` (8 kHz), encoded beforehand so that sending costs next to nothing. */
export async function encodeOpus(samples: Int16Array): Promise<Buffer[]> {
  const encoder = await createEncoder({ sampleRate: soundRate, channels: 1, bitrate: 24_000 });
  const frames: Buffer[] = [];
  for (let start = 0; start + 160 <= samples.length; start += 160)
    frames.push(Buffer.from(encoder.encode(samples.slice(start, start + 160))));
  encoder.free();
  return frames;
}

/** 20 ms G.711 frames. */
export function framesOf(codes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let start = 0; start + 160 <= codes.length; start += 160)
    frames.push(codes.subarray(start, start + 160));
  return frames;
}

/** Where and with which credentials the gateway is reached for media, by its SDP. */
export function browserLocalOf(sdp: string) {
  const take = (pattern: RegExp): string => {
    const found = pattern.exec(sdp)?.[1];
    if (found === undefined) throw new Error(`${String(pattern)} is not in the gateway's SDP:\n${sdp}`);
    return found.trim();
  };
  const candidates = Array.from(
    sdp.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) \d+ typ host/gim),
    ([, address = ""]) => address,
  );
  const [algorithm = "", value = ""] = take(/^a=fingerprint:(.*)$/m).split(" ");
  return {
    address: take(/^a=candidate:\S+ 1 udp \d+ (\S+) \d+ typ host/im),
    otherAddresses: candidates.slice(1),
    port: Number(take(/^a=candidate:\S+ 1 udp \d+ \S+ (\d+) typ host/im)),
    iceUfrag: take(/^a=ice-ufrag:(.*)$/m),
    icePwd: take(/^a=ice-pwd:(.*)$/m),
    fingerprint: { algorithm, value },
  };
}

function midOf(sdp: string): string {
  return /^a=mid:(\S+)/m.exec(sdp)?.[1] ?? "0";
}
