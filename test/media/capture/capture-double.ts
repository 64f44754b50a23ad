import type { CaptureOrder } from "../../../src/media/capture/contract.ts";
import type { CaptureFile } from "../../../src/media/capture/file.ts";
import { PacketCapture } from "../../../src/media/capture/packet-capture.ts";
import { SideTap } from "../../../src/media/capture/tap.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { readPcap, type CapturedPacket } from "../../support/pcap-reader.ts";

/** A file in memory, as slow or as broken as told. */
export class MemoryFile implements CaptureFile {
  content = Buffer.alloc(0);
  closed = false;
  writes = 0;
  /** Set: writes wait for `release`. */
  slow = false;
  failWith: string | undefined;
  #waiting: (() => void)[] = [];

  async write(bytes: Buffer): Promise<void> {
    this.writes++;
    if (this.slow) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.failWith !== undefined) {
      this.content = Buffer.concat([this.content, bytes.subarray(0, 7)]);
      throw Object.assign(new Error("no"), { code: this.failWith });
    }
    this.content = Buffer.concat([this.content, bytes]);
  }

  release(): void {
    this.slow = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  truncate(bytes: number): Promise<void> {
    this.content = this.content.subarray(0, bytes);
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  get packets(): CapturedPacket[] {
    return readPcap(this.content);
  }
}

export const order: CaptureOrder = {
  path: "/nowhere/call.pcap",
  file: "call.pcap",
  durationMs: 60_000,
  bytes: 1_000_000,
  payload: false,
  advertisedAddress: "203.0.113.10",
  trunkAdvertisedAddress: "203.0.113.10",
};

/** A capture of one side, 192.0.2.1:4000 with RTCP on 4001, into memory. */
export class CaptureDouble {
  readonly clock = new FakeClock(Date.UTC(2026, 10, 21, 12));
  readonly file: MemoryFile;
  readonly capture: PacketCapture;
  readonly tap: SideTap;
  endings = 0;

  constructor(options: Partial<CaptureOrder> = {}, file = new MemoryFile()) {
    this.file = file;
    const whole = { ...order, ...options };
    this.capture = new PacketCapture(whole, file, this.clock, () => this.endings++);
    this.tap = new SideTap(
      this.capture,
      { address: 0xc0000201, rtpPort: 4000, rtcpPort: 4001 },
      whole.payload,
    );
  }

  /** From the far end, 198.51.100.7:5000. */
  rtp(packet: Buffer): void {
    this.tap.rtp(false, packet, packet.length, "198.51.100.7", 5000);
  }
}
