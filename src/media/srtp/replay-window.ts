/** Indices below the highest that are still told apart, as libwebrtc uses; RFC 3711 3.3.2 asks for 64 or more. */
const replayWindowSize = 1024;

/** Which packet indices have been seen: a ring of bits ending at the highest one (RFC 3711 3.3.2). */
export class ReplayWindow {
  readonly #bits = new Uint32Array(replayWindowSize / 32);
  /** Highest index recorded, -1 before the first. */
  #highest = -1;

  get highest(): number {
    return this.#highest;
  }

  /** Whether `index` is new: above the highest, or within the window and not recorded. Changes nothing. */
  accepts(index: number): boolean {
    if (index > this.#highest) return true;
    if (index <= this.#highest - replayWindowSize) return false;
    const slot = index % replayWindowSize;
    return ((this.#bits[slot >>> 5] ?? 0) & (1 << (slot & 31))) === 0;
  }

  /** Records `index`; only for one that `accepts` took and whose tag is right. */
  record(index: number): void {
    if (index > this.#highest) this.#moveTo(index);
    const slot = index % replayWindowSize;
    this.#bits[slot >>> 5] = (this.#bits[slot >>> 5] ?? 0) | (1 << (slot & 31));
  }

  /** Forgets the indices that fall out between the old highest and the new. */
  #moveTo(index: number): void {
    if (index - this.#highest >= replayWindowSize) this.#bits.fill(0);
    else
      for (let i = this.#highest + 1; i <= index; i++) {
        const slot = i % replayWindowSize;
        this.#bits[slot >>> 5] = (this.#bits[slot >>> 5] ?? 0) & ~(1 << (slot & 31));
      }
    this.#highest = index;
  }
}
