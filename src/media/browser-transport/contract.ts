import type { Clock, Logger, Random } from "../../core/index.ts";
import type { PacketTap } from "../capture/tap.ts";
import type { Fingerprint, MediaStep } from "../contract.ts";
import type { DtlsCertificate } from "../dtls/index.ts";
import type { SrtpProfile } from "../srtp/index.ts";

/** What our SDP says of this transport. */
export interface BrowserTransportLocal {
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly fingerprint: Fingerprint;
}

/** What the browser's SDP says of its transport. */
export interface BrowserTransportRemote {
  readonly iceUfrag: string;
  /** Undefined: the browser is not asked when it falls silent. */
  readonly icePwd?: string | undefined;
  readonly fingerprints: readonly Fingerprint[];
}

/** What the owner of a transport is told. None may throw; one that does is logged and counted. */
export interface BrowserTransportHandlers {
  /** A decrypted RTP packet in `packet[0, length)`; the memory is the owner's until the call returns. */
  onRtp(packet: Buffer, length: number): void;
  /** A decrypted compound RTCP packet, likewise. */
  onRtcp(packet: Buffer, length: number): void;
  /** Steps of ICE and DTLS, for traces. */
  onStep?(step: MediaStep): void;
  /** ICE has an address and DTLS its keys. Again after a change of the peer's fingerprint. */
  onConnected(): void;
  /** The DTLS handshake failed for good, or the browser closed it (`closed by peer`). `close()` is still due. */
  onFailed(reason: string): void;
}

/** One browser's secured connection. */
export interface BrowserTransport {
  readonly local: BrowserTransportLocal;
  /** Sets or replaces the browser's description. Another set of fingerprints starts a new DTLS connection. */
  setRemote(remote: BrowserTransportRemote): void;
  /** Encrypts and sends the RTP packet in `packet[0, length)`; it may be reused at once. False: not sent (counted). */
  sendRtp(packet: Buffer, length: number): boolean;
  sendRtcp(packet: Buffer, length: number): boolean;
  /** New ICE credentials of ours; the old ones serve until the first valid check with the new (RFC 8445 9). */
  restartIce(): BrowserTransportLocal;
  /** To be called now and then, `now` as of the clock: asks a browser that has stopped to send checks for one. */
  upkeep(now: number): void;
  /** DTLS is done and an address is known: `sendRtp` sends. */
  readonly connected: boolean;
  /** `clock.now()` of the last authenticated check (RFC 7675 seen from the lite side); undefined before the first. */
  readonly lastConsentAt: number | undefined;
  /** Address packets go to at present. */
  readonly remoteAddress: { readonly address: string; readonly port: number } | undefined;
  readonly srtpProfile: SrtpProfile | undefined;
  /** Packets of this transport that were dropped, by cause. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Sees all packets before encryption and after decryption, while a capture runs. */
  tap?: PacketTap | undefined;
  /** Forgets keys and addresses. Idempotent; no handler is called any more. */
  close(): void;
}

/** One shared UDP socket with the transports of one worker's browsers. */
export interface BrowserPort {
  /** Port bound. */
  readonly port: number;
  /** Receive buffer the kernel granted, bytes (Linux reports twice what can be filled). */
  readonly receiveBufferBytes: number;
  readonly fingerprint: Fingerprint;
  /** Open transports. */
  readonly transports: number;
  /** Packets that belong to no transport or failed a check, by cause. */
  readonly refused: Readonly<Record<string, number>>;
  /** Throws BrowserPortFullError when too many transports have not connected yet. */
  open(handlers: BrowserTransportHandlers): BrowserTransport;
  /** Closes all transports and the socket. Idempotent. */
  close(): Promise<void>;
}

export class BrowserPortFullError extends Error {
  override readonly name = "BrowserPortFullError";
}

/** The part of a UDP socket the port uses; tests pass a fake one. */
export interface DatagramSocket {
  readonly port: number;
  readonly receiveBufferBytes: number;
  /** Set by the port; `packet` belongs to the receiver. */
  onMessage: ((packet: Buffer, address: string, port: number) => void) | undefined;
  /** Sends `packet[0, length)` or drops it (false) when the system takes no more. */
  send(packet: Buffer, length: number, port: number, address: string): boolean;
  close(): Promise<void>;
}

export interface BrowserPortOptions {
  readonly socket: DatagramSocket;
  readonly certificate: DtlsCertificate;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** SRTP profiles in our order of liking. */
  readonly srtpProfiles?: readonly SrtpProfile[];
  /** Transports that may be open without being connected. Default 1000. */
  readonly maxHalfOpen?: number;
}
