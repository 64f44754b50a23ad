import { ReplayWindow } from "./replay-window.ts";

const sequences = 0x10000;
const halfRange = 0x8000;
/** First index that 48 bits do not hold: the key's end of life (RFC 3711 9.2). */
export const rtpIndexLimit = 2 ** 48;
/** The same of SRTCP's 31 bits. */
export const rtcpIndexLimit = 2 ** 31;

/** SSRCs one key may serve. A browser uses one or two; a forgotten one could be replayed, so none is evicted. */
const maxSources = 64;

/**
 * The packet index `ROC * 2^16 + sequence` nearest to the highest one known (RFC 3711 3.3.1). May be negative for a
 * packet older than the first.
 */
export function estimateIndex(highest: number, sequence: number): number {
  if (highest < 0) return sequence;
  const last = highest % sequences;
  const cycle = highest - last;
  if (last < halfRange) return sequence - last > halfRange ? cycle - sequences + sequence : cycle + sequence;
  return last - halfRange > sequence ? cycle + sequences + sequence : cycle + sequence;
}

/** The indices seen of each SSRC. An SSRC enters only by `add`, after its packet proved authentic. */
export class Sources {
  readonly #windows = new Map<number, ReplayWindow>();
  #lastSsrc = -1;
  #lastWindow: ReplayWindow | undefined;

  get size(): number {
    return this.#windows.size;
  }

  get full(): boolean {
    return this.#windows.size >= maxSources;
  }

  find(ssrc: number): ReplayWindow | undefined {
    if (ssrc === this.#lastSsrc) return this.#lastWindow;
    const window = this.#windows.get(ssrc);
    if (window !== undefined) {
      this.#lastSsrc = ssrc;
      this.#lastWindow = window;
    }
    return window;
  }

  add(ssrc: number): ReplayWindow {
    const window = new ReplayWindow();
    this.#windows.set(ssrc, window);
    this.#lastSsrc = ssrc;
    this.#lastWindow = window;
    return window;
  }
}
