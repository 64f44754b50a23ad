import type { TypedEvents } from "../core/index.ts";
import type { CaptureOptions, RunningCapture } from "./capture/contract.ts";

/** The two sides of a relayed call: the browser's (DTLS-SRTP) and SIP Server's (plain RTP). */
export type Side = "browser" | "trunk";

/** Encoding names of RFC 7587 and RFC 3551 in lower case. G.722 is spoken toward SIP Server only. */
export type CodecName = "opus" | "g722" | "pcmu" | "pcma";

/** What a side may send and wants to receive, from the relay's point of view (RFC 3264 5.1). */
export type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";

/** Whether the end that a direction describes sends. */
export function sends(direction: Direction): boolean {
  return direction === "sendrecv" || direction === "sendonly";
}

/** Whether the end that a direction describes wants to receive. */
export function receives(direction: Direction): boolean {
  return direction === "sendrecv" || direction === "recvonly";
}

/** How a payload type is used on one side. */
export interface Payload {
  readonly codec: CodecName;
  /** RTP payload type number on the wire, 0-127. */
  readonly payloadType: number;
  /** Number the side sends with, where it differs from the one it expects (its answer renumbered our offer, RFC 3264
   * 5.1). What comes with `payloadType` is taken too, where that means nothing else. */
  readonly receivePayloadType?: number;
  /** The other law of G.711, which the side's answer took too and may send with this number (RFC 3264 6.1). */
  readonly otherLaw?: { readonly codec: "pcmu" | "pcma"; readonly payloadType: number };
  /** Sound in one packet toward the side, ms: 10 to 60 in tens. Default 20; Opus always has 20. What comes from the
   * side may have any packet time. */
  readonly packetMs?: number;
  /** RFC 4733 payload type, undefined when the side negotiated none. `receivePayloadType` as above. */
  readonly telephoneEvent?: {
    readonly payloadType: number;
    readonly clockRate: 8000 | 48000;
    readonly receivePayloadType?: number;
  };
}

/** A certificate's digest as SDP carries it, e.g. `sha-256` and `AB:CD:...` in upper case. */
export interface Fingerprint {
  readonly algorithm: string;
  readonly value: string;
}

/** What our SDP toward the browser must say. */
export interface BrowserLocal {
  readonly address: string;
  /** More addresses that lead to the same port: a candidate each, less preferred. */
  readonly otherAddresses?: readonly string[];
  readonly port: number;
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly fingerprint: Fingerprint;
  /** SSRC of all we send to the browser, for the life of the session; for RTCP and tests, our SDP leaves it out. */
  readonly ssrc: number;
}

/** What our SDP toward SIP Server must say. RTCP is `port + 1`. */
export interface TrunkLocal {
  readonly address: string;
  readonly port: number;
  /** By which the relay itself reaches its port, and is seen to send; default: `address`. */
  readonly ownAddress?: string;
  /** VoIP metrics are sent: `a=rtcp-xr:voip-metrics` (RFC 3611 5). */
  readonly rtcpXr?: boolean;
}

/** What the browser's SDP said. */
export interface BrowserRemote {
  readonly iceUfrag: string;
  /** Secret. Undefined or empty: a browser that stops to send checks is not asked for one. */
  readonly icePwd?: string | undefined;
  /** At least one; any that matches the peer's certificate suffices (RFC 8122 5). */
  readonly fingerprints: readonly Fingerprint[];
  /** Codec both agreed on and its numbers as the browser sends and expects them. */
  readonly payload: Payload;
  /** Relay's direction on this side: `sendonly` = we send, the browser does not. */
  readonly direction: Direction;
  /** Both agreed on RTCP of reduced size (RFC 5506); such is always taken in. Default false. */
  readonly rtcpReducedSize?: boolean;
  /** How long a browser whose DTLS said goodbye is waited for, ms; the session then fails. Default 2000. */
  readonly farewellMs?: number;
}

/** Crypto suites of SDES-SRTP (RFC 4568 6.2), the one we prefer first. */
export const srtpSuites = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"] as const;
export type SrtpSuite = (typeof srtpSuites)[number];

/** SRTP toward SIP Server's side. A key that stays the same goes on counting where it is (RFC 4568 7.1.4). */
export interface TrunkSrtp {
  readonly suite: SrtpSuite;
  /** Master key and salt, 30 bytes in base64, of what we send and of what comes. Secret. */
  readonly sendKey: string;
  readonly receiveKey: string;
}

/** What SIP Server's SDP said. May change at any time in a call. */
export interface TrunkRemote {
  /** IPv4 address; `0.0.0.0` or port 0 means held: nothing is sent. */
  readonly address: string;
  readonly port: number;
  /** RTCP address where not port + 1 of the same address (RFC 3605). */
  readonly rtcp?: { readonly address: string; readonly port: number };
  readonly payload: Payload;
  /** Relay's direction on this side. */
  readonly direction: Direction;
  /** Absent: plain RTP. */
  readonly srtp?: TrunkSrtp;
}

/** How one way sounds over a few seconds. */
export interface WayQuality {
  /** Mean opinion score by the E-model (ITU-T G.107), 1 to 4.5. */
  readonly mos: number;
  /** Packets not played, percent: lost or too late, and not recovered by FEC. */
  readonly lossPercent: number;
  /** Loss within bursts, percent of their packets (RFC 3611 4.7.2, burst density); 0 = no burst, or none told. */
  readonly burstLossPercent: number;
  readonly jitterMs: number;
  /** Between us and the side; undefined until RTCP has measured it. */
  readonly roundTripMs: number | undefined;
}

/** How one way sounded over the whole call. */
export interface WayQualityOfCall {
  readonly mosMean: number;
  /** Of the worst few seconds. */
  readonly mosWorst: number;
  readonly lossPercent: number;
  readonly burstLossPercent: number;
  readonly jitterMsMean: number;
  readonly jitterMsWorst: number;
  readonly roundTripMsMean: number | undefined;
  readonly roundTripMsWorst: number | undefined;
}

/** Both undefined as long as too little was heard to tell, `last` also while nothing comes (hold). */
export interface QualityOfWay {
  /** The last interval of `qualityMs`. */
  readonly last: WayQuality | undefined;
  readonly call: WayQualityOfCall | undefined;
}

/** What the far end's RTCP-XR VoIP metrics said of what we send (RFC 3611 4.7); undefined where it does not know. */
export interface VoipMetrics {
  readonly lossPercent: number;
  readonly discardPercent: number;
  readonly burstLossPercent: number;
  readonly burstMs: number;
  readonly gapLossPercent: number;
  readonly gapMs: number;
  readonly roundTripMs: number;
  /** Delay within the far end: jitter buffer, decoding, encoding. */
  readonly endSystemMs: number;
  /** 0 to 100. */
  readonly rFactor: number | undefined;
  /** Listening and conversational quality, 1.0 to 5.0. */
  readonly mosLq: number | undefined;
  readonly mosCq: number | undefined;
}

/** Counters of one side since the session was opened. */
export interface SideStatistics {
  /** Undefined until the remote side is known. */
  readonly codec: CodecName | undefined;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Packets missing in the received sequence (RFC 3550 A.3). */
  readonly packetsLost: number;
  /** Packets that came out of order, one or two places late, and were put in their place. */
  readonly packetsReordered: number;
  /** How long the jitter buffer keeps this side's packets at present, ms; undefined where there is none. */
  readonly jitterBufferMs: number | undefined;
  /** By how much the source's clock runs faster than ours, parts per million; undefined in the first minute. */
  readonly driftPpm: number | undefined;
  /** Frames taken out or put in on the way to the other side because of it. */
  readonly driftCorrections: number;
  /** Inter-arrival jitter in ms (RFC 3550 A.8). */
  readonly jitterMs: number;
  /** What the far end's last receiver report said of what we send; undefined before the first report. */
  readonly remote:
    { readonly fractionLost: number; readonly jitterMs: number; readonly roundTripMs?: number } | undefined;
  /** The sound from this side, as it comes here. */
  readonly received: QualityOfWay;
  /** The sound toward this side, by what its receiver reports say. */
  readonly sent: QualityOfWay;
  /** The far end's own figures of what we send, where it tells them by RTCP-XR. */
  readonly farEnd: VoipMetrics | undefined;
  /** Frames made up by concealment, and recovered by in-band FEC, on the way to the other side. */
  readonly framesConcealed: number;
  readonly framesRecovered: number;
  /**
   * Dropped packets by cause, e.g. `replay`, `authentication` (SRTP), `stranger`, `payloadType`, `malformed`, `rate`,
   * `malformedRtcp`, `ownSsrc` (RTCP under our own SSRC); also `dtmfUnsent`, `dtmfRate` and `dtmfTwice` (key presses;
   * the last were told by RFC 4733 and by INFO) and `sendQueueFull` (ours that the system took not).
   */
  readonly dropped: Readonly<Record<string, number>>;
}

/** Counters of both sides. */
export interface MediaStatistics {
  readonly browser: SideStatistics;
  readonly trunk: SideStatistics;
}

/** A step of the media's way up, told once each (the address chosen: whenever it changes), for traces. */
export type MediaStep =
  /** The browser's address that ICE chose. */
  | { readonly step: "ice"; readonly address: string; readonly port: number }
  /** The handshake is done; name of the SRTP profile. */
  | { readonly step: "dtls"; readonly profile: string }
  /** ICE or DTLS failed, or the browser said goodbye. */
  | { readonly step: "failed"; readonly reason: string }
  /** The browser's first DTLS packet came. */
  | { readonly step: "dtls-begun" }
  /** No authenticated check came from the browser for so long that its address is taken for lost, or one came again. */
  | { readonly step: "consent"; readonly lost: boolean }
  /** The first RTP packet that was taken `from` a side, or sent `to` it. */
  | { readonly step: "first-packet"; readonly side: Side; readonly way: "from" | "to" }
  /** None was taken or sent for seconds (hold, silence, loss), or the first one after that. */
  | { readonly step: "rtp"; readonly side: Side; readonly way: "from" | "to"; readonly flows: boolean };

/** Counters of one side of all sessions since the start, as in `SideStatistics`. */
export type SideTotals = Readonly<
  Pick<
    SideStatistics,
    | "packetsReceived"
    | "packetsSent"
    | "bytesReceived"
    | "bytesSent"
    | "packetsLost"
    | "packetsReordered"
    | "framesConcealed"
    | "framesRecovered"
    | "driftCorrections"
    | "dropped"
  >
>;
export type MediaTotals = Readonly<Record<Side, SideTotals>>;

/** What a session tells by itself. */
export type MediaSessionEvents = {
  /** ICE and DTLS are up: media flows both ways from now on. */
  connected: [];
  /** A digit from `side`, told once per key press when its first event packet came (RFC 4733); it was relayed. */
  dtmf: [side: Side, digit: string];
  /** Every few seconds while connected. */
  quality: [statistics: MediaStatistics];
  /** Browser's consent (STUN) or a side's media is gone for the time configured; held sides never report. */
  idle: [side: Side, silentMs: number];
  /** For traces only; at most some dozens in a session. */
  step: [step: MediaStep];
  /** Over: told once, whoever closed. `reason` in words for the call record (`worker failed`, ...). */
  closed: [reason: string, statistics: MediaStatistics | undefined];
};

/** One call's media in one worker. All methods but `statistics` return at once; the worker follows in order. */
export interface MediaSession {
  readonly id: string;
  readonly browser: BrowserLocal;
  readonly trunk: TrunkLocal;
  readonly events: TypedEvents<MediaSessionEvents>;
  /** Sets or replaces the browser's description. New ICE credentials of the browser's make no new DTLS unless
   * the fingerprint changed too. */
  setBrowserRemote(remote: BrowserRemote): void;
  /** New ICE credentials of ours for an ICE restart; resolves with what the SDP must say. */
  restartIce(): Promise<BrowserLocal>;
  /**
   * Another browser page takes the session over: new ICE and DTLS of ours, those before are freed at once; SIP Server's
   * side runs on. Resolves with what the SDP must say; rejects when there is no room, and nothing has changed then.
   */
  renewBrowser(): Promise<BrowserLocal>;
  /** Sets or replaces SIP Server's description, atomically; the browser notices nothing. */
  setTrunkRemote(remote: TrunkRemote): void;
  /** Changes only the relay's direction on one side (hold and retrieve). */
  setDirection(side: Side, direction: Direction): void;
  /** Relays nothing before this: early media and answered calls call it once, idempotent. */
  connect(): void;
  /**
   * Sends digits `0-9*#A-D` as RFC 4733 events, one after the other; beyond 128 that wait they are dropped and counted.
   * Throws RangeError on another character.
   */
  sendDtmf(side: Side, digits: string, durationMs?: number): void;
  /** Counters now. Rejects once closed. */
  statistics(): Promise<MediaStatistics>;
  /**
   * Writes the packets of both sides to a file from now on, as plain RTP and RTCP. Rejects with CaptureRefusedError
   * (also while one of this session runs), and with RangeError on options out of bounds. It ends with the session.
   */
  startCapture(options: CaptureOptions): Promise<RunningCapture>;
  /** The capture that runs, or is being written out. */
  readonly capture: RunningCapture | undefined;
  /** Frees sockets, ports and codecs; idempotent; `closed` follows with the last counters. */
  close(reason: string): void;
}

/** Gain of the sound toward each end, dB. Opus that passes as it is keeps its level. */
export interface GainDb {
  readonly toAgent: number;
  readonly toSipServer: number;
}

/** How one side reaches us. */
export interface SideAddresses {
  /** Local address to bind, e.g. `0.0.0.0`. */
  readonly host: string;
  /** Addresses our SDP names, IPv4, the preferred one first; toward SIP Server the first alone. */
  readonly advertisedAddresses: readonly [string, ...string[]];
}

/** What the pool binds and how it behaves. */
export interface MediaOptions {
  /** Local address to bind, e.g. `0.0.0.0`. */
  readonly host: string;
  /** Address our SDP names, IPv4. */
  readonly advertisedAddress: string;
  /** In place of both toward that side alone. */
  readonly browserSide?: SideAddresses;
  readonly sipServerSide?: SideAddresses;
  /** Worker i binds `browserPort + i`; 0 = any free port (tests). */
  readonly browserPort: number;
  /** First and last RTP port, even to odd, shared out among the workers. */
  readonly rtpPorts: readonly [first: number, last: number];
  readonly workers: number;
  /** Accept RTP from any port of the signalled address only (`address`), or from the exact port too (`strict`). */
  readonly trunkSource?: "address" | "strict";
  /** `adaptive`: what browsers send is played toward SIP Server at an even pace, 20-120 ms later. Default `off`. */
  readonly jitterBuffer?: "off" | "adaptive";
  /** Silence after which `idle` is told, ms; 0 = never. Default 30000. */
  readonly idleMs?: number;
  /** Interval of `quality`, ms. Default 5000. */
  readonly qualityMs?: number;
  /** Absolute path of the folder for captures; without one none is started. */
  readonly captureDirectory?: string | undefined;
  /** Send RTCP-XR VoIP metrics to SIP Server's side (RFC 3611 4.7). Default false. */
  readonly rtcpXr?: boolean;
  /** Tell `step`: for traces. Default false. */
  readonly tellSteps?: boolean;
  /** Louder or quieter than it came, decibels from -20 to 20, per direction. Default 0: as it is. */
  readonly gainDb?: GainDb;
  /** How long an RTP port pair rests before it serves another call, ms. Default 2000. */
  readonly portRestMs?: number;
  /** Sessions one worker takes; 0 = as many as it has ports and CPU time for. Default 0. */
  readonly maxCallsPerWorker?: number;
  /** CPU time of a worker's thread, percent of one core, from which it refuses new sessions; 0 = never. Default 95. */
  readonly maxWorkerLoad?: number;
}

/**
 * What there is too little of: RTP port pairs, sessions left of `maxCallsPerWorker`, CPU time, or the worker itself,
 * which failed or is stopped.
 */
export type ExhaustedCause = "ports" | "calls" | "load" | "down";

/** Thrown by `open` when no worker takes the session; `message` says in words why. The call gets 503 or 486. */
export class MediaExhaustedError extends Error {
  override readonly name = "MediaExhaustedError";
  readonly reason: ExhaustedCause;

  constructor(reason: ExhaustedCause, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What the pool tells. */
export type MediaPoolEvents = {
  /** A worker died or gave no sign of life: `reason` in words. Its calls end, it is started anew. */
  "worker-failed": [index: number, reason: string];
};

/** The media room's door on the main thread. */
export interface MediaPool {
  readonly events: TypedEvents<MediaPoolEvents>;
  /** Opens a session on the least loaded worker: ports bound, ICE credentials made. Throws MediaExhaustedError. */
  open(): Promise<MediaSession>;
  /** Open sessions of all workers. */
  readonly sessions: number;
  /** Whether, by the last word of the workers, none of them takes a further session. */
  readonly full: boolean;
  /** How many times `open` threw MediaExhaustedError since the start. */
  readonly admissionRefusals: number;
  /** Counters of all sessions since the start; those of running ones are at most some seconds old. */
  readonly totals: MediaTotals;
  /** Per worker: sessions, ports, load, counters. */
  workers(): Promise<readonly WorkerStatistics[]>;
  /** Ends all sessions and workers. Idempotent. */
  close(): Promise<void>;
}

/**
 * How a worker fares. `normal`: encoders spend what pays. `reduced`: they spend the least, and no further one begins
 * with FEC. `full`: that was not enough, new sessions are refused so that running ones keep their sound.
 */
export type LoadState = "normal" | "reduced" | "full";

/** Figures of one media worker. Those of load are of the last second, and 0 while it has no session. */
export interface WorkerStatistics {
  readonly index: number;
  readonly sessions: number;
  readonly browserPort: number;
  readonly receiveBufferBytes: number;
  readonly restarts: number;
  /** Packets on the shared port that belong to no session, or failed a check, by cause. */
  readonly refused: Readonly<Record<string, number>>;
  /** CPU time the worker's thread has used since it started, user and system, ms. */
  readonly cpuMs: number;
  /** CPU time of the worker's thread, percent of one core. */
  readonly cpuPercent: number;
  /** The same once all its sessions sound: what admission goes by. */
  readonly expectedPercent: number;
  /** It would refuse a session now. */
  readonly full: boolean;
  /** How late the 20 ms tick came, ms: the 99th percentile of the second. */
  readonly tickLateMs: number;
  readonly loadState: LoadState;
  /** What its Opus encoders with in-band FEC run at, 0-10; those without always run at 0. */
  readonly complexity: number;
  /** Steps of `loadState` toward `full`, and back, since the thread started. */
  readonly stepsDown: number;
  readonly stepsUp: number;
  /**
   * Datagrams the kernel dropped on the shared port for want of room since the thread started, as of some seconds ago;
   * undefined where the system does not tell (not Linux, an IPv6 host, before the first look).
   */
  readonly kernelDrops: number | undefined;
  /** Sessions this worker refused for its load or its number of calls since the thread started. */
  readonly admissionRefusals: number;
  /** Times an encoder was kept from beginning with in-band FEC, though its browser reported loss, for want of CPU time. */
  readonly fecRefusals: number;
}
