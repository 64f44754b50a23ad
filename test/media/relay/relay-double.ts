import { silentLogger } from "../../../src/core/index.ts";
import type {
  Payload,
  Side,
  TrunkRemote,
  BrowserRemote,
  MediaStatistics,
} from "../../../src/media/contract.ts";
import { RelaySession, type RelaySessionOptions } from "../../../src/media/relay/session.ts";
import type { RelayTransport, RelayTransportHandlers } from "../../../src/media/relay/transport.ts";
import type { OnDatagram, TrunkSocket } from "../../../src/media/relay/trunk-socket.ts";
import { emptyRtpHeader, readRtp, writeRtpHeader, type RtpHeader } from "../../../src/media/rtp/packet.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";

export interface Sent {
  readonly header: RtpHeader;
  readonly payload: Buffer;
  readonly at: number;
}

export function parse(packet: Buffer, at = 0): Sent {
  const header = emptyRtpHeader();
  if (!readRtp(packet, packet.length, header)) throw new Error("not RTP");
  return {
    header,
    payload: packet.subarray(header.payloadOffset, header.payloadOffset + header.payloadLength),
    at,
  };
}

export function rtp(
  payloadType: number,
  sequence: number,
  timestamp: number,
  payload: Uint8Array,
  { ssrc = 0x1234, marker = false } = {},
): Buffer {
  const packet = Buffer.alloc(12 + payload.length);
  writeRtpHeader(packet, payloadType, marker, sequence & 0xffff, timestamp >>> 0, ssrc);
  packet.set(payload, 12);
  return packet;
}

export const pcmu: Payload = {
  codec: "pcmu",
  payloadType: 0,
  telephoneEvent: { payloadType: 101, clockRate: 8000 },
};
export const pcma: Payload = {
  codec: "pcma",
  payloadType: 8,
  telephoneEvent: { payloadType: 101, clockRate: 8000 },
};
export const opus: Payload = {
  codec: "opus",
  payloadType: 111,
  telephoneEvent: { payloadType: 110, clockRate: 48000 },
};

export const g722: Payload = {
  codec: "g722",
  payloadType: 9,
  telephoneEvent: { payloadType: 101, clockRate: 8000 },
};

export const trunkAddress = { address: "192.0.2.10", port: 40000 };

class FakeTrunkSocket implements TrunkSocket {
  readonly port = 10000;
  onRtp: OnDatagram = () => {};
  onRtcp: OnDatagram = () => {};
  closed = false;
  readonly rtp: { packet: Buffer; port: number; address: string }[] = [];
  readonly rtcp: { packet: Buffer; port: number; address: string }[] = [];
  sendRtp(packet: Buffer, length: number, port: number, address: string): boolean {
    this.rtp.push({ packet: Buffer.from(packet.subarray(0, length)), port, address });
    return true;
  }
  sendRtcp(packet: Buffer, length: number, port: number, address: string): boolean {
    this.rtcp.push({ packet: Buffer.from(packet.subarray(0, length)), port, address });
    return true;
  }
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

class FakeTransport implements RelayTransport {
  readonly local = {
    iceUfrag: "ufrag",
    icePwd: "pwd",
    fingerprint: { algorithm: "sha-256", value: "AB" },
  };
  connected = false;
  closed = false;
  lastConsentAt: number | undefined = undefined;
  dropped: Record<string, number> = {};
  readonly rtp: Buffer[] = [];
  readonly rtcp: Buffer[] = [];
  handlers: RelayTransportHandlers | undefined;
  setRemote(): void {}
  upkeep(): void {}
  sendRtp(packet: Buffer, length: number): boolean {
    this.rtp.push(Buffer.from(packet.subarray(0, length)));
    return true;
  }
  sendRtcp(packet: Buffer, length: number): boolean {
    this.rtcp.push(Buffer.from(packet.subarray(0, length)));
    return true;
  }
  restartIce(): FakeTransport["local"] {
    return this.local;
  }
  close(): void {
    this.closed = true;
  }
}

/** A relay session between a fake browser transport and fake trunk sockets, on a clock that stands still. */
export class RelayDouble {
  readonly clock = new FakeClock();
  readonly transport = new FakeTransport();
  readonly trunk = new FakeTrunkSocket();
  readonly told: string[] = [];
  readonly quality: MediaStatistics[] = [];
  readonly session: RelaySession;
  #nextTick = 20;

  constructor(
    options: Partial<
      Pick<RelaySessionOptions, "trunkSource" | "idleMs" | "qualityMs" | "rtcpXr" | "gainDb" | "jitterBuffer">
    > = {},
  ) {
    this.session = new RelaySession({
      openTransport: (handlers) => {
        this.transport.handlers = handlers;
        return this.transport;
      },
      trunk: this.trunk,
      clock: this.clock,
      random: new CountingRandom(),
      log: silentLogger,
      trunkSource: "address",
      jitterBuffer: false,
      idleMs: 0,
      qualityMs: 5000,
      ...options,
      listener: {
        connected: () => this.told.push("connected"),
        dtmf: (side, digit) => this.told.push(`dtmf ${side} ${digit}`),
        quality: (statistics) => this.quality.push(statistics),
        idle: (side, silentMs) => this.told.push(`idle ${side} ${silentMs}`),
        failed: (reason) => this.told.push(`failed ${reason}`),
      },
    });
  }

  /** Both sides described and connected, ready for packets. */
  static async connected(
    browser: Payload,
    trunk: Payload,
    options: ConstructorParameters<typeof RelayDouble>[0] = {},
  ): Promise<RelayDouble> {
    const double = new RelayDouble(options);
    double.describeBrowser({ payload: browser });
    double.describeTrunk({ payload: trunk });
    double.session.connect();
    double.up();
    await double.settle();
    return double;
  }

  describeBrowser(remote: Partial<BrowserRemote> = {}): void {
    this.session.setBrowserRemote({
      iceUfrag: "far",
      fingerprints: [{ algorithm: "sha-256", value: "CD" }],
      payload: pcmu,
      direction: "sendrecv",
      ...remote,
    });
  }

  describeTrunk(remote: Partial<TrunkRemote> = {}): void {
    this.session.setTrunkRemote({ ...trunkAddress, payload: pcmu, direction: "sendrecv", ...remote });
  }

  up(): void {
    this.transport.connected = true;
    this.transport.handlers?.onConnected();
  }

  /** Lets promises run: codecs are made, closing is done. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves time on, with the worker's ticks. */
  pass(ms: number): void {
    for (const end = this.clock.now() + ms; ;) {
      if (this.#nextTick > end) {
        this.clock.advance(end - this.clock.now());
        return;
      }
      this.clock.advance(this.#nextTick - this.clock.now());
      this.session.tick(this.clock.now());
      this.#nextTick += 20;
    }
  }

  /** Moves time on with no tick, as when the worker was kept from running. */
  stall(ms: number): void {
    this.clock.advance(ms);
    this.#nextTick = this.clock.now() + 20;
  }

  fromBrowser(packet: Buffer): void {
    this.transport.handlers?.onRtp(packet, packet.length);
  }

  fromTrunk(packet: Buffer, address = trunkAddress.address, port = trunkAddress.port): void {
    this.trunk.onRtp(packet, packet.length, address, port);
  }

  from(side: Side, packet: Buffer): void {
    if (side === "browser") this.fromBrowser(packet);
    else this.fromTrunk(packet);
  }

  /** What was sent toward a side so far. */
  sentTo(side: Side): Sent[] {
    return side === "browser"
      ? this.transport.rtp.map((packet) => parse(packet))
      : this.trunk.rtp.map(({ packet }) => parse(packet));
  }
}
