import type { PacketTap } from "../capture/tap.ts";
import type { Fingerprint, MediaStep } from "../contract.ts";
import { Counters } from "../counters.ts";
import { DtlsEndpoint, sameFingerprints, usableFingerprints, type DtlsSrtpKeys } from "../dtls/index.ts";
import { IceLite, type UfragTable } from "../ice/index.ts";
import {
  createSrtpReceiver,
  createSrtpSender,
  maxOverheadBytes,
  maxPacketBytes,
  srtpFailureName,
  srtpProfileName,
  type SrtpProfile,
  type SrtpReceiver,
  type SrtpSender,
} from "../srtp/index.ts";
import type { AddressTable, ValidatedAddress } from "./address-table.ts";
import type {
  BrowserPortOptions,
  BrowserTransport,
  BrowserTransportHandlers,
  BrowserTransportLocal,
  BrowserTransportRemote,
} from "./contract.ts";
import { maxQueuedSends } from "./datagram-socket.ts";

/** What the transports of one port share. */
export interface PortContext extends BrowserPortOptions {
  readonly ufrags: (owner: Transport) => UfragTable;
  readonly addresses: AddressTable<Transport>;
  readonly slots: SendSlots;
  /** Counts a dropped packet for the whole port. */
  readonly count: (cause: string) => void;
  readonly onClosed: (owner: Transport) => void;
}

/**
 * Memory for packets on their way out, in turn: when the system's buffer is full a packet lies in its slot until it
 * is sent, so there are more slots than packets that may wait.
 */
export class SendSlots {
  readonly #slots = Array.from({ length: 2 * maxQueuedSends }, () =>
    Buffer.alloc(maxPacketBytes + maxOverheadBytes),
  );
  #next = 0;

  take(): Buffer {
    const slot = this.#slots[this.#next] ?? Buffer.alloc(maxPacketBytes + maxOverheadBytes);
    this.#next = (this.#next + 1) % this.#slots.length;
    return slot;
  }
}

/** Consent checks come every 4 to 6 s (RFC 7675 5.1); an address without one for longer is not the browser's any more, ms. */
const consentSilenceMs = 7000;
/** Between two checks of our own to a browser that sends none, ms. */
const askEveryMs = 1000;

const silent: BrowserTransportHandlers = { onRtp() {}, onRtcp() {}, onConnected() {}, onFailed() {} };

/** One browser behind the shared port: its ICE credentials, addresses, DTLS connection and SRTP keys. */
export class Transport implements BrowserTransport {
  tap: PacketTap | undefined = undefined;
  readonly #context: PortContext;
  readonly #counters = new Counters();
  readonly ice: IceLite;
  #handlers: BrowserTransportHandlers;
  #fingerprints: readonly Fingerprint[] = [];
  #dtls: DtlsEndpoint;
  #sender: SrtpSender | undefined;
  #receiver: SrtpReceiver | undefined;
  #profile: SrtpProfile | undefined;
  #selected: ValidatedAddress<Transport> | undefined;
  #lastConsentAt: number | undefined;
  #askAt = 0;
  #everConnected = false;
  #dtlsBegun = false;
  #closed = false;

  constructor(context: PortContext, handlers: BrowserTransportHandlers) {
    this.#context = context;
    this.#handlers = handlers;
    this.ice = new IceLite(context.random, context.ufrags(this));
    this.#dtls = this.#makeDtls();
  }

  get local(): BrowserTransportLocal {
    return { ...this.ice.local, fingerprint: this.#context.certificate.fingerprint };
  }

  get connected(): boolean {
    return this.#sender !== undefined && this.#selected !== undefined;
  }

  /** Whether the first handshake is still to come: such transports are limited in number. */
  get halfOpen(): boolean {
    return !this.#everConnected;
  }

  get lastConsentAt(): number | undefined {
    return this.#lastConsentAt;
  }

  get remoteAddress(): { readonly address: string; readonly port: number } | undefined {
    return this.#selected && { address: this.#selected.address, port: this.#selected.port };
  }

  get srtpProfile(): SrtpProfile | undefined {
    return this.#profile;
  }

  get dropped(): Readonly<Record<string, number>> {
    return this.#counters.all;
  }

  setRemote({ iceUfrag, icePwd, fingerprints }: BrowserTransportRemote): void {
    if (this.#closed) return;
    this.ice.setRemote(iceUfrag, icePwd ?? "");
    if (sameFingerprints(fingerprints, this.#fingerprints) && !this.#dtls.over) return;
    if (usableFingerprints(fingerprints).length === 0)
      return this.#fail("no fingerprint of SHA-256, SHA-384 or SHA-512 in the browser's SDP");
    if (this.#fingerprints.length > 0) {
      // Another certificate is another DTLS association (RFC 8842 3.1), and so is one after the last was closed: the
      // old keys are worth nothing any more.
      this.#dropKeys();
      this.#dtls.close();
      this.#dtls = this.#makeDtls();
    }
    this.#fingerprints = fingerprints;
    this.#dtls.setRemoteFingerprints(fingerprints);
  }

  restartIce(): BrowserTransportLocal {
    if (!this.#closed) this.ice.restart();
    return this.local;
  }

  sendRtp(packet: Buffer, length: number): boolean {
    if (this.#sender === undefined) return this.#refuseSend("sendBeforeKeys");
    const slot = this.#context.slots.take();
    if (!this.#send(slot, this.#sender.protect(packet, length, slot))) return false;
    if (this.tap !== undefined && this.#selected !== undefined)
      this.tap.rtp(true, packet, length, this.#selected.address, this.#selected.port);
    return true;
  }

  sendRtcp(packet: Buffer, length: number): boolean {
    if (this.#sender === undefined) return this.#refuseSend("sendBeforeKeys");
    const slot = this.#context.slots.take();
    if (!this.#send(slot, this.#sender.protectRtcp(packet, length, slot))) return false;
    if (this.tap !== undefined && this.#selected !== undefined)
      this.tap.rtcp(true, packet, length, this.#selected.address, this.#selected.port);
    return true;
  }

  upkeep(now: number): void {
    const to = this.#selected;
    if (to === undefined || this.#lastConsentAt === undefined || !this.#everConnected) return;
    if (now < Math.max(this.#askAt, this.#lastConsentAt + consentSilenceMs)) return;
    this.#askAt = now + askEveryMs;
    const check = this.ice.request();
    if (check !== undefined) this.#context.socket.send(check, check.length, to.port, to.address);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handlers = silent;
    this.tap = undefined;
    this.#dtls.close();
    this.ice.close();
    this.#dropKeys();
    this.#selected = undefined;
    this.#context.addresses.release(this);
    this.#context.onClosed(this);
  }

  /**
   * Takes the source of an authenticated check as one of the browser's addresses, and as the one to send to when the
   * check nominates it, or none is known yet (RFC 8445 7.3.1.5), or the known one is silent: a NAT gave the browser
   * another port, and consent checks nominate nothing. False when the address is another browser's.
   */
  validate(address: string, port: number, useCandidate: boolean): boolean {
    const { addresses, clock, log } = this.#context;
    const now = clock.now();
    const entry = addresses.validate(this, address, port, now, this.#selected);
    if (entry === undefined) return false;
    this.#lastConsentAt = now;
    const lost =
      this.#selected !== undefined &&
      (!addresses.has(this.#selected) || now - this.#selected.lastCheckAt > consentSilenceMs);
    if (entry !== this.#selected && (useCandidate || this.#selected === undefined || lost)) {
      log.debug({ address, port, useCandidate }, "browser address selected");
      this.#selected = entry;
      this.#tellStep({ step: "ice", address, port });
    }
    return true;
  }

  receiveDtls(packet: Buffer, length: number): void {
    if (!this.#dtlsBegun) this.#tellStep({ step: "dtls-begun" });
    this.#dtlsBegun = true;
    this.#dtls.receive(packet, length);
  }

  receiveRtp(packet: Buffer, length: number, address: string, port: number): void {
    if (this.#receiver === undefined) return this.count("srtpBeforeKeys");
    const plain = this.#receiver.unprotect(packet, length, packet);
    if (plain < 0) return this.count(srtpFailureName(plain));
    if (this.tap !== undefined) this.tap.rtp(false, packet, plain, address, port);
    try {
      this.#handlers.onRtp(packet, plain);
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  receiveRtcp(packet: Buffer, length: number, address: string, port: number): void {
    if (this.#receiver === undefined) return this.count("srtpBeforeKeys");
    const plain = this.#receiver.unprotectRtcp(packet, length, packet);
    if (plain < 0) return this.count(srtpFailureName(plain));
    if (this.tap !== undefined) this.tap.rtcp(false, packet, plain, address, port);
    try {
      this.#handlers.onRtcp(packet, plain);
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  count(cause: string): void {
    this.#counters.add(cause);
    this.#context.count(cause);
  }

  #makeDtls(): DtlsEndpoint {
    this.#dtlsBegun = false;
    const { certificate, clock, random, socket, srtpProfiles } = this.#context;
    const endpoint: DtlsEndpoint = new DtlsEndpoint({
      certificate,
      clock,
      random,
      ...(srtpProfiles && { profiles: srtpProfiles }),
      send: (datagram) => {
        const to = this.#selected;
        if (to !== undefined) socket.send(datagram, datagram.length, to.port, to.address);
      },
      onKeys: (keys) => this.#takeKeys(keys),
      onFailure: (reason) => this.#fail(reason),
      onPeerClosed: () => this.#fail("closed by peer"),
      count: (cause) => this.count(cause),
    });
    return endpoint;
  }

  #takeKeys({ profile, local, remote }: DtlsSrtpKeys): void {
    this.#profile = profile;
    this.#sender = createSrtpSender(local);
    this.#receiver = createSrtpReceiver(remote);
    this.#everConnected = true;
    this.#context.log.debug({ profile }, "DTLS connected");
    this.#tellStep({ step: "dtls", profile: srtpProfileName(profile) });
    try {
      this.#handlers.onConnected();
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  #fail(reason: string): void {
    this.#dropKeys();
    this.#context.log.info({ reason }, "browser transport failed");
    this.#tellStep({ step: "failed", reason });
    try {
      this.#handlers.onFailed(reason);
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  #tellStep(step: MediaStep): void {
    try {
      this.#handlers.onStep?.(step);
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  #dropKeys(): void {
    this.#sender = undefined;
    this.#receiver = undefined;
    this.#profile = undefined;
  }

  #send(slot: Buffer, length: number): boolean {
    if (length < 0) return this.#refuseSend(srtpFailureName(length));
    const to = this.#selected;
    if (to === undefined) return this.#refuseSend("sendBeforeAddress");
    return this.#context.socket.send(slot, length, to.port, to.address) || this.#refuseSend("sendQueueFull");
  }

  #refuseSend(cause: string): false {
    this.count(cause);
    return false;
  }

  /** Logged once per transport: a fault in the packet path would otherwise fill the log. */
  #handlerThrew(error: unknown): void {
    if (this.#counters.all.handlerError === undefined)
      this.#context.log.error({ err: error }, "browser transport handler threw");
    this.count("handlerError");
  }
}
