import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { DtlsClient } from "werift";
import type { DtlsCertificate } from "../../src/media/dtls/index.ts";
import {
  createSrtpReceiver,
  createSrtpSender,
  type SrtpReceiver,
  type SrtpSender,
} from "../../src/media/srtp/index.ts";
import { bindingRequest } from "../../test/support/webrtc-peer.ts";

export type Profile = "cm" | "gcm";

/** The relay's side of the browser's call; without `ice` DTLS begins at once. */
export interface EndRemote {
  readonly address: string;
  readonly port: number;
  readonly ice?: { readonly ufrag: string; readonly pwd: string };
}

/**
 * A browser's end of a call for load: like `WebRtcPeer` of the tests, but it gives out its SRTP keys' sender and
 * receiver, so that packets are encrypted before the run and opened after it, and its socket is connected, which makes
 * sending cheaper. Received datagrams come as they are.
 */
export class BrowserEnd {
  readonly iceUfrag = randomBytes(4).toString("hex");
  readonly icePwd = randomBytes(16).toString("hex");
  readonly socket: Socket;
  /** SRTP and SRTCP datagrams, undecrypted. */
  onMedia: (datagram: Buffer) => void = () => {};
  sender: SrtpSender | undefined;
  receiver: SrtpReceiver | undefined;
  readonly #certificate: DtlsCertificate;
  #remote: EndRemote | undefined;
  #dtls: { closed: boolean; onData: (data: Buffer) => void } | undefined;
  #answered: (() => void) | undefined;

  private constructor(certificate: DtlsCertificate, socket: Socket) {
    this.#certificate = certificate;
    this.socket = socket;
    socket.on("message", (datagram) => this.#receive(datagram));
    // A refusal of the relay's port shows as loss.
    socket.on("error", () => {});
  }

  static async open(certificate: DtlsCertificate): Promise<BrowserEnd> {
    const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return new BrowserEnd(certificate, socket);
  }

  /** Tells where the relay is; `connect` comes after it. */
  async attach(remote: EndRemote): Promise<void> {
    this.#remote = remote;
    await new Promise<void>((resolve) => this.socket.connect(remote.port, remote.address, resolve));
  }

  close(): Promise<void> {
    this.onMedia = () => {};
    if (this.#dtls) this.#dtls.closed = true;
    return new Promise((resolve) => this.socket.close(() => resolve()));
  }

  get fingerprint(): DtlsCertificate["fingerprint"] {
    return this.#certificate.fingerprint;
  }

  /** A connectivity check; also keeps the consent. */
  check(): void {
    const ice = this.#remote?.ice;
    if (ice) this.socket.send(bindingRequest(ice.ufrag, this.iceUfrag, ice.pwd));
  }

  /** Checks, then shakes hands; rejects after `patienceMs`. */
  async connect(profile: Profile, patienceMs = 20_000): Promise<void> {
    const patience = AbortSignal.timeout(patienceMs);
    const late = new Promise<never>((_, reject) => {
      patience.addEventListener("abort", () => reject(new Error("browser end did not connect")));
    });
    // Heard by the races below; nobody may be racing when the time is up.
    late.catch(() => {});
    const checks = setInterval(() => this.check(), 100);
    try {
      const answered = new Promise<void>((resolve) => {
        this.#answered = resolve;
      });
      this.check();
      if (this.#remote?.ice) await Promise.race([answered, late]);
      await Promise.race([this.#shakeHands(profile), late]);
    } finally {
      clearInterval(checks);
    }
  }

  #receive(datagram: Buffer): void {
    const first = datagram[0] ?? 255;
    if (first >= 128 && first <= 191) this.onMedia(datagram);
    else if (first >= 20 && first <= 63) this.#dtls?.onData(datagram);
    else if (first <= 3 && datagram.readUInt16BE(0) === 0x0101) this.#answered?.();
  }

  #shakeHands(profile: Profile): Promise<void> {
    const transport = {
      type: "udp",
      closed: false,
      address: { address: "", family: "IPv4", port: 0 },
      onData: (_data: Buffer): void => {},
      send: (data: Buffer): Promise<void> => {
        if (!transport.closed) this.socket.send(Buffer.from(data));
        return Promise.resolve();
      },
      close: (): Promise<void> => Promise.resolve(),
    };
    this.#dtls = transport;
    const client = new DtlsClient({
      transport,
      cert: this.#certificate.certPem,
      key: this.#certificate.keyPem,
      signatureHash: { hash: 4, signature: 3 },
      srtpProfiles: [profile === "gcm" ? 7 : 1],
      extendedMasterSecret: true,
    });
    return new Promise((resolve, reject) => {
      client.onConnect.subscribe(() => {
        const negotiated = client.srtp.srtpProfile === 7 ? 7 : 1;
        const keys = client.extractSessionKeys(16, negotiated === 7 ? 12 : 14);
        this.sender = createSrtpSender({ profile: negotiated, key: keys.localKey, salt: keys.localSalt });
        this.receiver = createSrtpReceiver({
          profile: negotiated,
          key: keys.remoteKey,
          salt: keys.remoteSalt,
        });
        resolve();
      });
      client.connect().catch(reject);
    });
  }
}
