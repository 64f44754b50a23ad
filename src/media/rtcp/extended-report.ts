import type { VoipMetrics } from "../contract.ts";
import { readUint16, readUint32, writeUint16, writeUint32 } from "../rtp/packet.ts";

/** Block type of VoIP metrics and its length without the block's header, 32-bit words (RFC 3611 4.7). */
const voipMetricsType = 7;
const voipMetricsWords = 8;
/** Stands for a figure that is not known (RFC 3611 4.7.3 to 4.7.5). */
const unknown = 127;

/** Bytes of an extended report with one block of VoIP metrics. */
export const voipMetricsLength = 8 + 4 + voipMetricsWords * 4;

/** What extended reports tell. */
export interface VoipMetricsListener {
  /** Figures of the source `ssrc`, as `reporter` receives it. */
  onVoipMetrics(ssrc: number, reporter: number, metrics: VoipMetrics): void;
  /** An extended report whose blocks do not fit into it, or have another length than theirs. */
  onMalformed(): void;
}

/**
 * Reads the VoIP metrics of the extended report at `offset`, `length` bytes long, which the caller has found to lie
 * within the packet; blocks of other types are passed over. Its blocks are as many as fit, at least 4 bytes each.
 */
export function readVoipMetrics(
  packet: Uint8Array,
  offset: number,
  length: number,
  listener: VoipMetricsListener,
): void {
  const padding = ((packet[offset] ?? 0) & 0x20) === 0 ? 0 : (packet[offset + length - 1] ?? 0);
  const end = offset + length - padding;
  if (end < offset + 8) return listener.onMalformed();
  const reporter = readUint32(packet, offset + 4);
  for (let at = offset + 8; at < end;) {
    const words = at + 4 <= end ? readUint16(packet, at + 2) : 0xffff;
    const next = at + 4 + words * 4;
    if (next > end) return listener.onMalformed();
    if (packet[at] === voipMetricsType) {
      if (words !== voipMetricsWords) return listener.onMalformed();
      listener.onVoipMetrics(readUint32(packet, at + 4), reporter, readBlock(packet, at));
    }
    at = next;
  }
}

function readBlock(packet: Uint8Array, at: number): VoipMetrics {
  const percent = (index: number): number => ((packet[at + index] ?? 0) * 100) / 256;
  const known = (index: number, lowest: number, highest: number): number | undefined => {
    const value = packet[at + index] ?? unknown;
    return value === unknown || value < lowest || value > highest ? undefined : value;
  };
  const score = (index: number): number | undefined => {
    const tenths = known(index, 10, 50);
    return tenths === undefined ? undefined : tenths / 10;
  };
  return {
    lossPercent: percent(8),
    discardPercent: percent(9),
    burstLossPercent: percent(10),
    gapLossPercent: percent(11),
    burstMs: readUint16(packet, at + 12),
    gapMs: readUint16(packet, at + 14),
    roundTripMs: readUint16(packet, at + 16),
    endSystemMs: readUint16(packet, at + 18),
    rFactor: known(24, 0, 100),
    mosLq: score(26),
    mosCq: score(27),
  };
}

/** Our own figures, besides what only hardware knows. */
export interface OwnVoipMetrics extends Omit<VoipMetrics, "rFactor" | "mosLq" | "mosCq"> {
  readonly rFactor: number;
  readonly mosLq: number;
  readonly mosCq: number;
  readonly gmin: number;
}

/** Standard concealment, jitter buffer that does not adapt (RFC 3611 4.7.6): we play what comes at once. */
const receiverConfiguration = 0b11_10_0000;

/** Writes the extended report's SSRCs and block at `at`, behind the first 4 bytes, which are the caller's. */
export function writeVoipMetrics(
  into: Uint8Array,
  at: number,
  reporter: number,
  ssrc: number,
  metrics: OwnVoipMetrics,
): void {
  writeUint32(into, at + 4, reporter);
  const block = at + 8;
  into[block] = voipMetricsType;
  into[block + 1] = 0;
  writeUint16(into, block + 2, voipMetricsWords);
  writeUint32(into, block + 4, ssrc);
  into[block + 8] = fraction(metrics.lossPercent);
  into[block + 9] = fraction(metrics.discardPercent);
  into[block + 10] = fraction(metrics.burstLossPercent);
  into[block + 11] = fraction(metrics.gapLossPercent);
  writeUint16(into, block + 12, whole(metrics.burstMs, 0xffff));
  writeUint16(into, block + 14, whole(metrics.gapMs, 0xffff));
  writeUint16(into, block + 16, whole(metrics.roundTripMs, 0xffff));
  writeUint16(into, block + 18, whole(metrics.endSystemMs, 0xffff));
  // Signal level, noise level and residual echo return loss are the telephone's to know.
  into[block + 20] = unknown;
  into[block + 21] = unknown;
  into[block + 22] = unknown;
  into[block + 23] = metrics.gmin;
  into[block + 24] = whole(metrics.rFactor, 100);
  into[block + 25] = unknown;
  into[block + 26] = whole(metrics.mosLq * 10, 50);
  into[block + 27] = whole(metrics.mosCq * 10, 50);
  into[block + 28] = receiverConfiguration;
  // Jitter buffer: nominal, maximum and absolute maximum delay, ms.
  into.fill(0, block + 29, block + 36);
}

/** Percent as a fraction of 256, rounded down as 4.7.1 has it. */
function fraction(percent: number): number {
  return Math.min(255, Math.floor((percent * 256) / 100));
}

function whole(value: number, highest: number): number {
  return Math.max(0, Math.min(highest, Math.round(value)));
}
