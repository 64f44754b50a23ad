import { PcmConcealer } from "../codec/conceal-pcm.ts";
import { G722Decoder } from "../codec/g722.ts";
import type { OpusRate } from "../codec/opus-sink.ts";
import type { RtpHeader } from "../rtp/packet.ts";
import { frameSamples } from "./frame-sink.ts";
import { OctetReader } from "./octet-reader.ts";
import type { AudioTarget } from "./source-reader.ts";

/** G.722 to Opus at 16 kHz, or to anything at 8 kHz by its lower band alone. */
export class G722Reader extends OctetReader {
  /** PCM samples for each at 8 kHz. */
  readonly #scale: 1 | 2;
  readonly #decoder = new G722Decoder();
  readonly #concealer: PcmConcealer;
  readonly #pcm = new Int16Array(2 * frameSamples);

  constructor(rate: OpusRate) {
    super();
    this.#scale = rate === 8000 ? 1 : 2;
    this.#concealer = new PcmConcealer(rate);
  }

  override read(packet: Buffer, header: RtpHeader, samples: number, out: AudioTarget, now: number): boolean {
    for (let done = 0; done < samples; done += frameSamples) {
      const part = Math.min(samples - done, frameSamples);
      const offset = header.payloadOffset + done;
      if (this.#scale === 2) this.#decoder.decode(packet, offset, part, this.#pcm);
      else this.#decoder.decodeNarrow(packet, offset, part, this.#pcm);
      this.#concealer.heard(this.#pcm, part * this.#scale);
      out.putPcm(this.#pcm, part * this.#scale, now);
    }
    return true;
  }

  override goOn(samples: number, out: AudioTarget, now: number): void {
    this.#concealer.conceal(this.#pcm, samples * this.#scale);
    out.putPcm(this.#pcm, samples * this.#scale, now);
  }
}
