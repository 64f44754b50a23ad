import type { Clock } from "../../core/index.ts";
import { eventDigits, type RtpPacket } from "./rtp.ts";

/** A received RTP packet and when and whence it came. */
export interface RecordedPacket extends RtpPacket {
  /** Milliseconds of the injected clock. */
  readonly at: number;
  readonly from: { readonly address: string; readonly port: number };
}

/** Five minutes of 20 ms packets. */
const recordingLimit = 15_000;

/** What a stream has got: counts and digits always, packets on demand. */
export class Recorder {
  readonly #clock: Clock;
  readonly #packets: RecordedPacket[] = [];
  #recording = false;
  #lastEvent: number | undefined;
  packetsReceived = 0;
  /** Digits of RFC 4733 events, each once. */
  digits = "";

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get packets(): readonly RecordedPacket[] {
    return this.#packets;
  }

  /** Forgets what was recorded and records from now on. */
  start(): void {
    this.#packets.length = 0;
    this.#recording = true;
  }

  take(packet: RtpPacket, from: RecordedPacket["from"], eventPayloadType: number | undefined): void {
    this.packetsReceived++;
    if (packet.payloadType === eventPayloadType && packet.payload.length >= 4) this.#event(packet);
    if (!this.#recording || this.#packets.length >= recordingLimit) return;
    // The datagram's memory is the socket's own; a copy keeps the recording safe and small.
    this.#packets.push({ ...packet, payload: Buffer.from(packet.payload), at: this.#clock.now(), from });
  }

  /** All packets of one key press carry the timestamp of its start (RFC 4733 2.2.2). */
  #event(packet: RtpPacket): void {
    if (packet.timestamp === this.#lastEvent) return;
    this.#lastEvent = packet.timestamp;
    this.digits += eventDigits[packet.payload.readUInt8(0)] ?? "";
  }
}

/**
 * Payload bytes of one payload type, put where their timestamps say; gaps are filled with `fill`. The first
 * byte is the first packet's first sample.
 */
export function assemble(packets: readonly RecordedPacket[], payloadType: number, fill: number): Buffer {
  const wanted = packets.filter((packet) => packet.payloadType === payloadType);
  const first = wanted[0];
  if (!first) return Buffer.alloc(0);
  const placed = wanted.map((packet) => ({ at: (packet.timestamp - first.timestamp) | 0, packet }));
  const length = Math.max(...placed.map(({ at, packet }) => at + packet.payload.length));
  const bytes = Buffer.alloc(Math.max(0, length), fill);
  for (const { at, packet } of placed) if (at >= 0) packet.payload.copy(bytes, at);
  return bytes;
}
