import { expansion, type Law } from "../codec/g711.ts";
import { frameSamples } from "./frame-sink.ts";
import type { AudioTarget } from "./source-reader.ts";

/** Longest packet, samples at 8 kHz: 180 ms of G.711. */
const longestPacket = 1440;
/** Audio comes at 8 or at 16 kHz. */
const mostScale = 2;
/** Samples at 8 kHz over which a seam is blended. 10 ms. */
const seamSamples = 80;
/** Root mean square below which nobody hears a seam: the noise of a quiet room. */
const quietLevel = 200;
/** A frame hardly louder than the quietest of so many is as good a place as will come soon. 2 s. */
const comparedFrames = 100;
const hardlyLouder = 1.5;

/**
 * Takes a frame out of a voice or puts one in, with no click: what is left of the frame taken out fades into the next
 * one, a frame put in fades from what comes next into what came last, so that it joins at both ends. Readers put a
 * packet's audio here instead of on the line while a correction is owed.
 */
export class Splice implements AudioTarget {
  readonly #pcm = new Int16Array(longestPacket * mostScale);
  #count = 0;
  /** Samples of the packet at 8 kHz, by which the rate of what was put here is known. */
  #samples = 0;
  /** The 20 ms before the packet, at the end of this buffer. */
  readonly #before = new Int16Array(frameSamples * mostScale);
  #known = 0;
  readonly #made = new Int16Array(frameSamples * mostScale);
  readonly #tail = new Int16Array(seamSamples * mostScale);
  #tailed = false;
  #compared = 0;
  #quietest = Infinity;

  /** Whether the packet that comes next must be put here too. */
  get unfinished(): boolean {
    return this.#tailed;
  }

  /** Forgets everything: audio went by that was not put here. */
  reset(): void {
    this.#tailed = false;
    this.#known = 0;
    this.#compared = 0;
    this.#quietest = Infinity;
    this.#count = 0;
  }

  /** Empty for the next packet, of `samples` at 8 kHz. */
  begin(samples: number): void {
    this.#count = 0;
    this.#samples = samples;
  }

  putCodes(packet: Buffer, offset: number, count: number, law: Law): void {
    const table = expansion[law];
    const end = Math.min(offset + count, offset + this.#pcm.length - this.#count);
    for (let index = offset; index < end; index++) this.#pcm[this.#count++] = table[packet[index] ?? 0] ?? 0;
  }

  putPcm(pcm: Int16Array, count: number): void {
    const end = Math.min(count, this.#pcm.length - this.#count);
    for (let index = 0; index < end; index++) this.#pcm[this.#count++] = pcm[index] ?? 0;
  }

  /** Coded audio cannot be cut. */
  pass(): void {}

  /** Whether the packet put here is quiet enough, by itself or against those before, for a seam nobody hears. */
  quiet(): boolean {
    const level = this.#level();
    const calm = this.#compared >= comparedFrames && level <= this.#quietest * hardlyLouder;
    this.#compared++;
    this.#quietest = Math.min(this.#quietest, level);
    return calm || level <= quietLevel;
  }

  /** Puts the packet on `out` less its last frame; returns the samples at 8 kHz taken out. */
  drop(out: AudioTarget, now: number): number {
    const scale = this.#scale;
    const dropped = Math.min(frameSamples, this.#samples);
    const kept = this.#count - dropped * scale;
    this.#blend();
    for (let index = 0; index < seamSamples * scale; index++)
      this.#tail[index] = this.#pcm[Math.min(kept + index, this.#count - 1)] ?? 0;
    this.#tailed = true;
    this.#known = 0;
    out.putPcm(this.#pcm, kept, now);
    return dropped;
  }

  /** Puts the packet on `out` with a frame before it; returns the samples at 8 kHz put in, 0 if nothing came before. */
  insert(out: AudioTarget, now: number): number {
    const samples = Math.min(frameSamples, this.#samples);
    const made = samples * this.#scale;
    if (this.#known < made) {
      this.keep(out, now);
      return 0;
    }
    const start = this.#before.length - made;
    for (let index = 0; index < made; index++) {
      const weight = index / made;
      this.#made[index] =
        (this.#pcm[index] ?? 0) * (1 - weight) + (this.#before[start + index] ?? 0) * weight;
    }
    out.putPcm(this.#made, made, now);
    this.keep(out, now);
    return samples;
  }

  /** Puts the packet on `out` whole. */
  keep(out: AudioTarget, now: number): void {
    this.#blend();
    const last = Math.min(frameSamples * this.#scale, this.#count);
    this.#before.copyWithin(0, last);
    this.#before.set(this.#pcm.subarray(this.#count - last, this.#count), this.#before.length - last);
    this.#known = Math.min(this.#before.length, this.#known + last);
    out.putPcm(this.#pcm, this.#count, now);
  }

  get #scale(): number {
    return this.#count > this.#samples ? mostScale : 1;
  }

  /** Fades what was left of a frame taken out into the packet at hand. */
  #blend(): void {
    if (!this.#tailed) return;
    this.#tailed = false;
    const seam = Math.min(seamSamples * this.#scale, this.#count);
    for (let index = 0; index < seam; index++) {
      const weight = index / seam;
      this.#pcm[index] = (this.#tail[index] ?? 0) * (1 - weight) + (this.#pcm[index] ?? 0) * weight;
    }
  }

  #level(): number {
    let energy = 0;
    for (let index = 0; index < this.#count; index++) energy += (this.#pcm[index] ?? 0) ** 2;
    return Math.sqrt(energy / Math.max(1, this.#count));
  }
}
