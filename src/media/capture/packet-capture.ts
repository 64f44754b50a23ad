import type { Clock, Timer } from "../../core/index.ts";
import type { CaptureOrder, CaptureResult } from "./contract.ts";
import type { CaptureFile } from "./file.ts";
import { datagramOverhead, emptyDatagram, fileHeaderBytes, pcapHeader, writeRecord } from "./pcap.ts";

/** Each of two buffers, one filling, one on its way to the disk: some seconds of a call with payload, bytes. */
const bufferBytes = 256 * 1024;
/** A buffer goes to the disk when it holds so much, or after so long. */
const writeFromBytes = 32 * 1024;
const flushMs = 500;
/** Longest datagram taken; the relay takes none longer either. */
const longestPacket = 2048;

/**
 * Puts packets into a pcap file until a limit is reached or `end` is called. `put` allocates nothing and waits for
 * nothing: while the disk is behind by a whole buffer, packets are left out and counted.
 */
export class PacketCapture {
  /** Resolves when the file is closed; never rejects. */
  readonly ended: Promise<CaptureResult>;
  readonly #order: CaptureOrder;
  readonly #file: CaptureFile;
  readonly #clock: Clock;
  readonly #onEnding: () => void;
  readonly #datagram = emptyDatagram();
  /** Wall clock less monotonic clock: packets keep their order though the wall clock is set meanwhile. */
  readonly #wallOffset: number;
  readonly #timeLimit: Timer;
  #flushTimer: Timer | undefined;
  #filling = Buffer.allocUnsafe(bufferBytes);
  #spare = Buffer.allocUnsafe(bufferBytes);
  #filled = 0;
  #filledPackets = 0;
  /** Bytes taken, written or not; and such as are in the file. */
  #taken = 0;
  #bytes = 0;
  #packets = 0;
  #leftOut = 0;
  #writing: Promise<void> | undefined;
  #reason: string | undefined;
  #settle: (result: CaptureResult) => void = () => {};

  /** `onEnding` is called once, when no more packets are taken. */
  constructor(order: CaptureOrder, file: CaptureFile, clock: Clock, onEnding: () => void) {
    this.#order = order;
    this.#file = file;
    this.#clock = clock;
    this.#onEnding = onEnding;
    this.#wallOffset = clock.wallClock() - clock.now();
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    pcapHeader(longestPacket + datagramOverhead).copy(this.#filling);
    this.#filled = this.#taken = fileHeaderBytes;
    this.#timeLimit = clock.setTimer(order.durationMs, () => this.end("time limit"));
    this.#write();
  }

  leaveOut(): void {
    if (this.#reason === undefined) this.#leftOut++;
  }

  /** Takes the first `kept` of `packet[0, length)`, sent from `source` to `destination` (IPv4 as numbers). */
  put(
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
    packet: Buffer,
    length: number,
    kept: number,
  ): void {
    if (this.#reason !== undefined) return;
    const size = datagramOverhead + kept;
    if (this.#taken + size > this.#order.bytes) return this.end("size limit");
    if (this.#filled + size > bufferBytes || length > longestPacket) return this.leaveOut();
    const datagram = this.#datagram;
    datagram.time = this.#clock.now() + this.#wallOffset;
    datagram.source = source;
    datagram.sourcePort = sourcePort;
    datagram.destination = destination;
    datagram.destinationPort = destinationPort;
    datagram.identification++;
    this.#filled += writeRecord(this.#filling, this.#filled, datagram, packet, length, kept);
    this.#filledPackets++;
    this.#taken += size;
    if (this.#filled >= writeFromBytes) this.#write();
    else this.#flushTimer ??= this.#clock.setTimer(flushMs, () => this.#write());
  }

  /** Takes no more packets, writes what it has and closes the file. The first reason stands. */
  end(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#timeLimit.clear();
    this.#flushTimer?.clear();
    this.#onEnding();
    void this.#finish();
  }

  /** Sends the filled buffer to the disk, unless the other is still on its way. */
  #write(): void {
    this.#flushTimer?.clear();
    this.#flushTimer = undefined;
    if (this.#writing || this.#filled === 0) return;
    const [full, bytes, packets] = [this.#filling, this.#filled, this.#filledPackets];
    this.#filling = this.#spare;
    this.#spare = full;
    this.#filled = this.#filledPackets = 0;
    this.#writing = this.#file.write(full.subarray(0, bytes)).then(
      () => this.#written(bytes, packets),
      (error: unknown) => this.#failed(error, packets),
    );
  }

  #written(bytes: number, packets: number): void {
    this.#writing = undefined;
    this.#bytes += bytes;
    this.#packets += packets;
    // What came meanwhile, if it is worth a write; else its timer is set or the next packet's.
    if (this.#filled >= writeFromBytes) this.#write();
    else if (this.#filled > 0 && this.#reason === undefined)
      this.#flushTimer ??= this.#clock.setTimer(flushMs, () => this.#write());
  }

  #failed(error: unknown, packets: number): void {
    this.#writing = undefined;
    this.#leftOut += packets + this.#filledPackets;
    this.#filled = this.#filledPackets = 0;
    const reason = `write failed: ${errorCode(error)}`;
    if (this.#reason === undefined) this.end(reason);
    else this.#reason = reason;
  }

  async #finish(): Promise<void> {
    while (this.#writing || this.#filled > 0) {
      this.#write();
      await this.#writing;
    }
    try {
      // A write that failed may have left half a record.
      if (this.#reason?.startsWith("write failed")) await this.#file.truncate(this.#bytes);
      await this.#file.close();
    } catch (error) {
      this.#reason = `write failed: ${errorCode(error)}`;
    }
    this.#settle({
      file: this.#order.file,
      packets: this.#packets,
      leftOut: this.#leftOut,
      bytes: this.#bytes,
      reason: this.#reason ?? "stopped",
    });
  }
}

/** The system's code, or what else tells the error apart. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
