import type { BrowserPacket } from "../../test/support/browser-media.ts";
import type { DoubleCall } from "../../test/support/browser-double.ts";
import type { TimeHistogram } from "./figures.ts";

const frameMs = 20;
const ticks = { opus: 960, pcmu: 160, pcma: 160 } as const;

/** UDP and IPv4 headers, RTP header, tag of AES_CM_128_HMAC_SHA1_80: around each payload. */
export const overheadBytes = { udp: 28, rtp: 12, srtpTag: 10 } as const;

/** One call in which the browser talks and hears itself, by way of the gateway, SIP Server and the gateway again. */
export class Talk {
  readonly #call: DoubleCall;
  readonly #sentAt: number[] = [];
  readonly #got: { readonly at: number; readonly timestamp: number }[] = [];
  bytesSent = 0;
  bytesReceived = 0;

  constructor(call: DoubleCall) {
    this.#call = call;
    call.media.onPacket = (packet) => this.#receive(packet);
  }

  send(payload: Buffer): void {
    this.#sentAt.push(performance.now());
    this.bytesSent += this.#call.media.sendFrame(payload).length + overheadBytes.udp;
  }

  #receive({ at, timestamp, payload }: BrowserPacket): void {
    this.bytesReceived += payload.length + overheadBytes.rtp + overheadBytes.srtpTag + overheadBytes.udp;
    this.#got.push({ at, timestamp });
  }

  /**
   * Frames sent and not heard, and how long each heard one was under way, into `delays`. The gateway numbers its packets
   * anew, so which is which is known but for a multiple of 20 ms: the least delay is taken to be below 20 ms.
   */
  judge(delays: TimeHistogram): { readonly sent: number; readonly lost: number } {
    const sent = this.#sentAt.length;
    const first = this.#got[0];
    if (!first) return { sent, lost: sent };
    const frame = (timestamp: number): number =>
      Math.round(((timestamp - first.timestamp) | 0) / ticks[this.#call.media.codec]);
    // As if each frame left right on time: what is least over all of them is the shift and less than a frame.
    const begin = Math.min(...this.#sentAt.map((at, index) => at - index * frameMs));
    const least = Math.min(...this.#got.map(({ at, timestamp }) => at - begin - frame(timestamp) * frameMs));
    const shift = Math.floor(least / frameMs);
    const heard = new Set<number>();
    for (const { at, timestamp } of this.#got) {
      const index = frame(timestamp) + shift;
      const left = this.#sentAt[index];
      if (left === undefined || heard.has(index)) continue;
      heard.add(index);
      delays.add(Math.max(0, at - left));
    }
    return { sent, lost: sent - heard.size };
  }
}

/** Talks in all calls, each at a moment of its own within 20 ms; a late turn of the event loop catches up. */
export async function talkInAll(
  talks: readonly Talk[],
  frames: readonly Buffer[],
  seconds: number,
): Promise<void> {
  const total = Math.round((seconds * 1000) / frameMs) * talks.length;
  const start = performance.now();
  let next = 0;
  while (next < total) {
    const due = Math.min(total, Math.floor(((performance.now() - start) / frameMs) * talks.length) + 1);
    for (; next < due; next++) {
      const payload = frames[Math.floor(next / talks.length) % frames.length];
      if (payload) talks[next % talks.length]?.send(payload);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
