import type { Clock, Logger, Random } from "../../core/index.ts";
import type { FlowReceiver } from "./flow.ts";
import type { QueueLimits } from "./send-queue.ts";

/** How TLS proves who is there, both ways. PEM texts. */
export interface TlsSettings {
  /** Authorities whose certificates are taken; undefined: those Node trusts. */
  readonly ca: string | undefined;
  /** Ours, with its chain: shown to whoever connects to us, and to SIP Server when it asks (mutual TLS). */
  readonly cert: string;
  readonly key: string;
  /** Who connects to us must show a certificate of those authorities. */
  readonly requirePeerCertificate: boolean;
  /** RISK: any certificate of SIP Server's is taken, whoever made it and for whatever name. */
  readonly allowUnverified: boolean;
}

/** Times and bounds of stream connections. */
export interface StreamLimits {
  readonly queue: QueueLimits;
  /** Connections at one time, those to us and those of ours each. */
  readonly connections: number;
  /** Connections to us from one address. */
  readonly connectionsPerAddress: number;
  /** Until a connection, its TLS included, must stand, ms. */
  readonly connectMs: number;
  /** Until a message that has begun must be whole, ms. */
  readonly messageMs: number;
  /** What may wait in one connection because the far end does not read, bytes. */
  readonly bufferedBytes: number;
  /** For the answer to a ping, from a far end that has answered one before, ms (RFC 5626 4.4.1). */
  readonly pongMs: number;
  /** Without a byte after a request of ours the connection counts as dead, ms: timers B and F. */
  readonly silenceMs: number;
  /** First and longest pause before a connection is tried again, ms. */
  readonly retryMs: readonly [first: number, longest: number];
  /** A connection that nobody configured is given up after so long without a message, ms. */
  readonly idleMs: number;
}

export const defaultStreamLimits: StreamLimits = {
  queue: { messages: 2000, bytes: 4 * 1024 * 1024, patienceMs: 4000 },
  connections: 256,
  connectionsPerAddress: 64,
  connectMs: 4000,
  messageMs: 10_000,
  bufferedBytes: 1024 * 1024,
  pongMs: 10_000,
  silenceMs: 32_000,
  retryMs: [250, 8000],
  idleMs: 180_000,
};

/** What the TCP or TLS side binds, whom it hears, and who gets what it hears. */
export interface StreamTransportOptions {
  /** Local IP address to listen on; connections of ours leave from it too. */
  readonly host: string;
  /** Local port to listen on; 0 takes a free one. */
  readonly port: number;
  /** Address that peers reach us by; stands in our Vias. */
  readonly advertisedAddress: string;
  readonly receiver: FlowReceiver;
  /** Who may talk to us; anybody else's connections are closed unread, and what comes later is dropped. */
  readonly allow: (address: string) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Present: TLS; absent: TCP. */
  readonly tls?: TlsSettings;
  /** Seconds between CRLF pings on connections of ours; 0: none. */
  readonly pingSeconds: number;
  /** What is left out keeps `defaultStreamLimits`. */
  readonly limits?: Partial<StreamLimits>;
}

/** Counted since the socket was bound. */
export interface StreamCounters {
  /** Connections of ours that came to stand, and those that did not. */
  connected: number;
  connectErrors: number;
  /** Connections to us. */
  accepted: number;
  /** From addresses `allow` refuses: connections, and messages of those it refuses since; beyond the limits: connections. */
  refusedByAddress: number;
  refusedByLimit: number;
  /** Connections to us whose TLS came to nothing: no certificate, none we trust, no TLS at all. */
  handshakeErrors: number;
  /** Connections that ended, whatever the reason. */
  lost: number;
  messagesReceived: number;
  messagesSent: number;
  /** Pings we answered, and pings of ours. */
  pingsAnswered: number;
  pingsSent: number;
  /** Connections closed because the stream could not be followed, or a message never became whole. */
  framingErrors: number;
  /** Connections closed because a ping or a request was followed by nothing. */
  closedForSilence: number;
  /** Connections closed because the far end did not read. */
  closedForBackpressure: number;
  /** The receiver threw; a fault of ours. */
  receiverErrors: number;
}

export function newStreamCounters(): StreamCounters {
  return {
    connected: 0,
    connectErrors: 0,
    accepted: 0,
    refusedByAddress: 0,
    refusedByLimit: 0,
    handshakeErrors: 0,
    lost: 0,
    messagesReceived: 0,
    messagesSent: 0,
    pingsAnswered: 0,
    pingsSent: 0,
    framingErrors: 0,
    closedForSilence: 0,
    closedForBackpressure: 0,
    receiverErrors: 0,
  };
}

/** What connections and flows share. */
export interface StreamContext {
  readonly protocol: "TCP" | "TLS";
  readonly sentBy: string;
  readonly receiver: FlowReceiver;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly pingSeconds: number;
  readonly limits: StreamLimits;
  readonly counters: StreamCounters;
}
