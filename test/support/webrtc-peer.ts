import { createHmac, randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { crc32 } from "node:zlib";
import { DtlsClient } from "werift";
import type { BrowserLocal, Fingerprint } from "../../src/media/contract.ts";
import { createCertificate, type DtlsCertificate } from "../../src/media/dtls/index.ts";
import {
  createSrtpReceiver,
  createSrtpSender,
  maxOverheadBytes,
  maxPacketBytes,
  type SrtpReceiver,
  type SrtpSender,
} from "../../src/media/srtp/index.ts";

/** What the gateway's SDP says of its media. */
type BrowserAddress = Omit<BrowserLocal, "ssrc">;

/** AES_CM_128_HMAC_SHA1_80 and AEAD_AES_128_GCM by their numbers in use_srtp. */
export type PeerProfile = 1 | 7;

export interface WebRtcPeerOptions {
  /** Made anew when not given; sharing one among many peers saves 15 ms each. */
  readonly certificate?: DtlsCertificate;
  readonly profiles?: PeerProfile[];
  /** Local address. Default 127.0.0.1. */
  readonly host?: string;
  /** Between consent checks once connected, ms; 0 = none. Default 2000. */
  readonly consentMs?: number;
}

let shared: Promise<DtlsCertificate> | undefined;

/** A certificate made once per process, for peers that need none of their own. */
export function sharedCertificate(): Promise<DtlsCertificate> {
  shared ??= createCertificate();
  return shared;
}

/**
 * The media of a browser, as far as a gateway sees it: one UDP port, connectivity checks as the controlling
 * agent, DTLS as client, SRTP. Sends and receives whole RTP packets; knows nothing of codecs. For tests and
 * benches. Its STUN is written here, not taken from src, so that one fault does not hide at both ends.
 */
export class WebRtcPeer {
  readonly iceUfrag = randomBytes(4).toString("hex");
  readonly icePwd = randomBytes(16).toString("hex");
  readonly fingerprint: Fingerprint;
  /** A decrypted RTP packet; the memory is used again. */
  onRtp: (packet: Buffer, length: number) => void = () => {};
  onRtcp: (packet: Buffer, length: number) => void = () => {};
  /** SRTP packets that did not verify. */
  refused = 0;
  checksAnswered = 0;
  readonly #options: WebRtcPeerOptions;
  readonly #certificate: DtlsCertificate;
  readonly #socket: Socket;
  readonly #out = Buffer.alloc(maxPacketBytes + maxOverheadBytes);
  #remote: BrowserAddress | undefined;
  #dtls: DtlsClient | undefined;
  #dtlsTransport: { closed: boolean; onData: (data: Buffer) => void } | undefined;
  #sender: SrtpSender | undefined;
  #receiver: SrtpReceiver | undefined;
  #checks: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: WebRtcPeerOptions, certificate: DtlsCertificate, socket: Socket) {
    this.#options = options;
    this.#certificate = certificate;
    this.fingerprint = certificate.fingerprint;
    this.#socket = socket;
    socket.on("message", (packet, { address }) => this.#receive(packet, address));
    socket.on("error", () => {});
  }

  static async create(options: WebRtcPeerOptions = {}): Promise<WebRtcPeer> {
    const certificate = options.certificate ?? (await createCertificate());
    const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
    await new Promise<void>((resolve) => socket.bind(0, options.host ?? "127.0.0.1", resolve));
    return new WebRtcPeer(options, certificate, socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get connected(): boolean {
    return this.#sender !== undefined;
  }

  /** Checks, shakes hands, resolves when media may flow. Rejects after `timeoutMs`. */
  async connect(remote: BrowserAddress, timeoutMs = 8000): Promise<void> {
    this.#remote = remote;
    await new Promise<void>((resolve, reject) => {
      const timeout = setTimeout(() => reject(new Error("peer did not connect")), timeoutMs);
      this.#checks = setInterval(() => this.check(), 50);
      this.check();
      const answered = setInterval(() => {
        if (this.checksAnswered === 0) return;
        clearInterval(answered);
        this.#startDtls(() => {
          clearTimeout(timeout);
          clearInterval(this.#checks);
          const consentMs = this.#options.consentMs ?? 2000;
          this.#checks = consentMs > 0 ? setInterval(() => this.check(), consentMs) : undefined;
          resolve();
        });
      }, 5);
      timeout.unref();
    });
  }

  /** Sends one connectivity check, nominating. */
  check(): void {
    const remote = this.#remote;
    if (!remote) return;
    const request = bindingRequest(remote.iceUfrag, this.iceUfrag, remote.icePwd);
    this.sendRaw(request);
    // Until one answers, every candidate is tried.
    if (this.checksAnswered === 0)
      for (const address of remote.otherAddresses ?? []) this.#socket.send(request, remote.port, address);
  }

  /** After an ICE restart: where and with which credentials to check from now on. */
  setRemote(remote: BrowserAddress): void {
    this.#remote = remote;
  }

  /** Encrypts and sends the RTP packet. Returns the datagram, for those who want to send it again. */
  sendRtp(packet: Buffer): Buffer {
    const length = this.#sender?.protect(packet, packet.length, this.#out) ?? -1;
    if (length < 0) throw new Error(`SRTP protect failed: ${length}`);
    const datagram = Buffer.from(this.#out.subarray(0, length));
    this.sendRaw(datagram);
    return datagram;
  }

  sendRtcp(packet: Buffer): void {
    const length = this.#sender?.protectRtcp(packet, packet.length, this.#out) ?? -1;
    if (length < 0) throw new Error(`SRTCP protect failed: ${length}`);
    this.sendRaw(Buffer.from(this.#out.subarray(0, length)));
  }

  /** Any bytes, as they are, from the peer's port. */
  sendRaw(datagram: Buffer): void {
    if (!this.#closed && this.#remote) this.#socket.send(datagram, this.#remote.port, this.#remote.address);
  }

  /** Says goodbye by DTLS (close_notify, encrypted), as a closed RTCPeerConnection does. */
  farewell(): void {
    const epoch = 1;
    const sequenceNumber = 1000;
    const header = { type: 21, version: 0xfefd, epoch, sequenceNumber };
    const clientSide = 1;
    const fragment = this.#dtls?.cipher.cipher.encrypt(clientSide, Buffer.from([1, 0]), header);
    if (!fragment) return;
    const record = Buffer.alloc(13);
    record.writeUInt8(header.type, 0);
    record.writeUInt16BE(header.version, 1);
    record.writeUInt16BE(epoch, 3);
    record.writeUIntBE(sequenceNumber, 5, 6);
    record.writeUInt16BE(fragment.length, 11);
    this.sendRaw(Buffer.concat([record, fragment]));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#checks);
    if (this.#dtlsTransport) this.#dtlsTransport.closed = true;
    // Ends werift's retransmission loop.
    if (this.#dtls) this.#dtls.dtls.flight = 99;
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  /** The candidate that answered first. */
  get remoteAddress(): string | undefined {
    return this.#remote?.address;
  }

  #receive(packet: Buffer, from: string): void {
    const first = packet[0] ?? 255;
    if (first <= 3) {
      if (packet.readUInt16BE(0) !== 0x0101) return;
      if (this.checksAnswered++ === 0 && this.#remote?.otherAddresses?.includes(from))
        this.#remote = { ...this.#remote, address: from };
    } else if (first >= 20 && first <= 63) this.#dtlsTransport?.onData(Buffer.from(packet));
    else if (first >= 128 && first <= 191) this.#receiveMedia(packet);
  }

  #receiveMedia(packet: Buffer): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    const second = packet[1] ?? 0;
    const isRtcp = second >= 192 && second <= 223;
    const length = isRtcp
      ? receiver.unprotectRtcp(packet, packet.length, packet)
      : receiver.unprotect(packet, packet.length, packet);
    if (length < 0) this.refused++;
    else if (isRtcp) this.onRtcp(packet, length);
    else this.onRtp(packet, length);
  }

  #startDtls(onConnected: () => void): void {
    const transport = {
      type: "udp",
      closed: false,
      address: { address: "", family: "IPv4", port: 0 },
      onData: (_data: Buffer): void => {},
      send: (data: Buffer): Promise<void> => {
        if (!transport.closed) this.sendRaw(Buffer.from(data));
        return Promise.resolve();
      },
      close: (): Promise<void> => Promise.resolve(),
    };
    this.#dtlsTransport = transport;
    const client = new DtlsClient({
      transport,
      cert: this.#certificate.certPem,
      key: this.#certificate.keyPem,
      signatureHash: { hash: 4, signature: 3 },
      srtpProfiles: this.#options.profiles ?? [1, 7],
      extendedMasterSecret: true,
    });
    this.#dtls = client;
    client.onConnect.subscribe(() => {
      const profile: PeerProfile = client.srtp.srtpProfile === 7 ? 7 : 1;
      const keys = client.extractSessionKeys(16, profile === 7 ? 12 : 14);
      this.#sender = createSrtpSender({ profile, key: keys.localKey, salt: keys.localSalt });
      this.#receiver = createSrtpReceiver({ profile, key: keys.remoteKey, salt: keys.remoteSalt });
      onConnected();
    });
    client.connect().catch(() => {});
  }
}

function attribute(type: number, value: Buffer): Buffer {
  const out = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  out.writeUInt16BE(type, 0);
  out.writeUInt16BE(value.length, 2);
  value.copy(out, 4);
  return out;
}

/** A connectivity check with USE-CANDIDATE, MESSAGE-INTEGRITY and FINGERPRINT (RFC 8445 7.2.2). */
export function bindingRequest(remoteUfrag: string, localUfrag: string, remotePwd: string): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(0x0001, 0);
  header.writeUInt32BE(0x2112a442, 4);
  randomBytes(12).copy(header, 8);
  let message = Buffer.concat([
    header,
    attribute(0x0006, Buffer.from(`${remoteUfrag}:${localUfrag}`)),
    attribute(0x802a, randomBytes(8)),
    attribute(0x0024, Buffer.from([0x6e, 0x7f, 0x1e, 0xff])),
    attribute(0x0025, Buffer.alloc(0)),
  ]);
  message.writeUInt16BE(message.length - 20 + 24, 2);
  const integrity = createHmac("sha1", remotePwd).update(message).digest();
  message = Buffer.concat([message, attribute(0x0008, integrity)]);
  message.writeUInt16BE(message.length - 20 + 8, 2);
  const fingerprint = Buffer.alloc(4);
  fingerprint.writeUInt32BE((crc32(message) ^ 0x5354554e) >>> 0);
  return Buffer.concat([message, attribute(0x8028, fingerprint)]);
}
