import { G711Concealer } from "../codec/conceal.ts";
import type { Law } from "../codec/g711.ts";
import type { Payload } from "../contract.ts";
import type { RtpHeader } from "../rtp/packet.ts";
import { frameSamples } from "./frame-sink.ts";
import { OctetReader } from "./octet-reader.ts";
import type { AudioTarget } from "./source-reader.ts";

/** G.711 to anything: codes go to the sink as they are, losses are covered by the waveform before them. */
export class LawReader extends OctetReader {
  readonly #law: Law;
  readonly #otherLaw: Law;
  /** Payload type with which `#otherLaw` comes; -1: with none. */
  readonly #otherType: number;
  #concealer: G711Concealer;
  #concealed: Law;
  readonly #made = new Int16Array(frameSamples);

  /** `other`: the law that may come in place of `law`, told by its number. */
  constructor(law: Law, other?: Payload["otherLaw"]) {
    super();
    this.#law = law;
    this.#otherLaw = other?.codec ?? law;
    this.#otherType = other?.payloadType ?? -1;
    this.#concealed = law;
    this.#concealer = new G711Concealer(law);
  }

  override read(packet: Buffer, header: RtpHeader, samples: number, out: AudioTarget, now: number): boolean {
    const law = header.payloadType === this.#otherType ? this.#otherLaw : this.#law;
    if (law !== this.#concealed) {
      this.#concealed = law;
      this.#concealer = new G711Concealer(law);
    }
    this.#concealer.heard(packet, header.payloadOffset, samples);
    out.putCodes(packet, header.payloadOffset, samples, law, now);
    return true;
  }

  override goOn(samples: number, out: AudioTarget, now: number): void {
    this.#concealer.conceal(this.#made, samples);
    out.putPcm(this.#made, samples, now);
  }
}
