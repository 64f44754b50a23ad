import { silentLogger, systemRandom } from "../../../src/core/index.ts";
import {
  createBrowserPort,
  type BrowserPort,
  type BrowserPortOptions,
  type BrowserTransport,
  type DatagramSocket,
} from "../../../src/media/browser-transport/index.ts";
import type { DtlsCertificate } from "../../../src/media/dtls/index.ts";
import {
  createSrtpReceiver,
  createSrtpSender,
  type SrtpReceiver,
  type SrtpSender,
} from "../../../src/media/srtp/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { DtlsPeer, testCertificates, until, type DtlsPeerOptions } from "./dtls-peer.ts";
import { makeCheck, type CheckOptions } from "./stun-client.ts";

export interface Sent {
  readonly packet: Buffer;
  readonly address: string;
  readonly port: number;
}

/** A UDP socket in memory: `sent` is what went out, `deliver` brings a packet in. */
export class FakeSocket implements DatagramSocket {
  readonly port = 20_100;
  readonly receiveBufferBytes = 8_388_608;
  onMessage: DatagramSocket["onMessage"];
  readonly sent: Sent[] = [];
  closed = false;
  full = false;
  onSend: ((sent: Sent) => void) | undefined;

  send(packet: Buffer, length: number, port: number, address: string): boolean {
    if (this.full) return false;
    const sent = { packet: Buffer.from(packet.subarray(0, length)), address, port };
    this.sent.push(sent);
    this.onSend?.(sent);
    return true;
  }

  deliver(packet: Buffer, port: number, address = "192.0.2.50"): void {
    this.onMessage?.(Buffer.from(packet), address, port);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

export interface TestPort {
  readonly port: BrowserPort;
  readonly socket: FakeSocket;
  readonly clock: FakeClock;
  readonly ours: DtlsCertificate;
}

export async function makePort(options: Partial<BrowserPortOptions> = {}): Promise<TestPort> {
  const [ours] = await testCertificates();
  const socket = new FakeSocket();
  const clock = new FakeClock();
  const port = createBrowserPort({
    socket,
    certificate: ours,
    clock,
    random: systemRandom,
    log: silentLogger,
    ...options,
  });
  return { port, socket, clock, ours };
}

/** A browser at one address of the fake network, with its transport at our end. */
export class FakeBrowser {
  readonly transport: BrowserTransport;
  readonly peer: DtlsPeer;
  readonly received: Buffer[] = [];
  readonly receivedRtcp: Buffer[] = [];
  readonly failures: string[] = [];
  connections = 0;
  onRtp: ((packet: Buffer) => void) | undefined;
  /** Set by `connect`. */
  sender: SrtpSender | undefined;
  receiver: SrtpReceiver | undefined;
  readonly address: string;
  port: number;
  readonly #socket: FakeSocket;
  readonly #certificate: DtlsCertificate;

  constructor(
    { port, socket }: TestPort,
    certificate: DtlsCertificate,
    at: number,
    { address = "192.0.2.50", ...peer }: Partial<DtlsPeerOptions> & { address?: string } = {},
  ) {
    this.#socket = socket;
    this.#certificate = certificate;
    this.address = address;
    this.port = at;
    this.transport = port.open({
      onRtp: (packet, length) => {
        this.onRtp?.(packet);
        this.received.push(Buffer.from(packet.subarray(0, length)));
      },
      onRtcp: (packet, length) => this.receivedRtcp.push(Buffer.from(packet.subarray(0, length))),
      onConnected: () => this.connections++,
      onFailed: (reason) => this.failures.push(reason),
    });
    this.peer = new DtlsPeer({
      certificate,
      send: (datagram) => setImmediate(() => this.deliver(datagram)),
      ...peer,
    });
    const before = socket.onSend;
    socket.onSend = (sent) => {
      before?.(sent);
      const first = sent.packet[0] ?? 0;
      if (sent.port === this.port && sent.address === this.address && first >= 20 && first <= 63)
        setImmediate(() => this.peer.receive(sent.packet));
    };
  }

  deliver(packet: Buffer, port = this.port): void {
    this.#socket.deliver(packet, port, this.address);
  }

  /** Sends a check with the right credentials unless told otherwise. */
  check(options: Partial<CheckOptions> = {}, port = this.port): void {
    const { iceUfrag, icePwd } = this.transport.local;
    this.deliver(makeCheck({ ufrag: iceUfrag, pwd: icePwd, ...options }), port);
  }

  /** Goes through ICE and DTLS and makes the browser's SRTP ends. */
  async connect(): Promise<void> {
    this.transport.setRemote({ iceUfrag: "brow", fingerprints: [this.#certificate.fingerprint] });
    this.check({ useCandidate: true });
    await this.handshake();
  }

  async handshake(): Promise<void> {
    const connections = this.connections;
    this.peer.connect();
    await until(() => this.connections > connections && this.peer.connected);
    const profile = this.transport.srtpProfile;
    if (profile === undefined) throw new Error("no profile");
    const keys = this.peer.keys(profile);
    this.sender = createSrtpSender({ profile, key: keys.localKey, salt: keys.localSalt });
    this.receiver = createSrtpReceiver({ profile, key: keys.remoteKey, salt: keys.remoteSalt });
  }

  /** An RTP packet as SRTP, from the browser. */
  protect(packet: Buffer, rtcp = false): Buffer {
    const out = Buffer.alloc(packet.length + 20);
    const length = rtcp
      ? this.sender?.protectRtcp(packet, packet.length, out)
      : this.sender?.protect(packet, packet.length, out);
    return out.subarray(0, length ?? 0);
  }
}

export function rtpPacket(sequence: number, text = "sound"): Buffer {
  const packet = Buffer.concat([Buffer.alloc(12), Buffer.from(text)]);
  packet[0] = 0x80;
  packet[1] = 111;
  packet.writeUInt16BE(sequence, 2);
  packet.writeUInt32BE(0xcafe, 8);
  return packet;
}

export function rtcpPacket(type = 200): Buffer {
  const packet = Buffer.alloc(28, 3);
  packet[0] = 0x80;
  packet[1] = type;
  packet.writeUInt16BE(6, 2);
  return packet;
}
