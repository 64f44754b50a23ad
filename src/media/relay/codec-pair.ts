import { isLaw } from "../codec/g711.ts";
import type { OpusRate } from "../codec/opus-sink.ts";
import { OpusSource } from "../codec/opus.ts";
import type { CodecName, Payload } from "../contract.ts";
import type { Leg } from "./leg.ts";
import { G722Reader } from "./g722-reader.ts";
import { LawReader } from "./law-reader.ts";
import { OpusReader, PassReader } from "./opus-reader.ts";
import type { SourceReader } from "./source-reader.ts";

/** The readers and encoders between the two sides of a session, for the pair of codecs they speak at present. */
export class CodecPair {
  readonly #browser: Leg;
  readonly #trunk: Leg;
  readonly #onFault: (error: unknown) => void;
  #codecs = "";

  constructor(browser: Leg, trunk: Leg, onFault: (error: unknown) => void) {
    this.#browser = browser;
    this.#trunk = trunk;
    this.#onFault = onFault;
  }

  /** Puts in place what the sides' payloads need; only what changed is made anew. */
  update(): void {
    const { codec: browser, otherLaw: browserOther } = this.#browser.payload ?? {};
    const { codec: trunk, otherLaw: trunkOther } = this.#trunk.payload ?? {};
    const codecs = `${browser} ${browserOther?.payloadType} ${trunk} ${trunkOther?.payloadType}`;
    if (!browser || !trunk || codecs === this.#codecs) return;
    this.#codecs = codecs;
    this.#browser.way.setReader(undefined);
    this.#trunk.way.setReader(undefined);
    // The module is loaded: this is done before the next packet is read.
    this.#make(codecs, browser, trunk).catch(this.#onFault);
  }

  /** What is still being made is freed as soon as it is there. */
  close(): void {
    this.#codecs = "closed";
  }

  async #make(codecs: string, browser: CodecName, trunk: CodecName): Promise<void> {
    const passing = browser === "opus" && trunk === "opus";
    const rate = rateBetween(browser, trunk);
    if (passing) this.#browser.outbound.dropEncoder();
    const [fromBrowser, fromTrunk] = await Promise.all([
      createReader(browser, trunk, rate, this.#browser.payload?.otherLaw),
      createReader(trunk, browser, rate, this.#trunk.payload?.otherLaw),
      passing ? undefined : this.#browser.outbound.prepareEncoder(rate),
      // Needed for filled silence even where Opus passes as it is.
      this.#trunk.outbound.prepareEncoder(rate),
    ]);
    if (codecs === this.#codecs) {
      this.#browser.way.setReader(fromBrowser);
      this.#trunk.way.setReader(fromTrunk);
    } else {
      fromBrowser.close();
      fromTrunk.close();
    }
  }
}

/** Rate of the samples between the sides, Hz: 16000 where both hear more than the telephone's band. */
function rateBetween(one: CodecName, other: CodecName): OpusRate {
  const wide = !isLaw(one) && !isLaw(other) && (one === "g722" || other === "g722");
  return wide ? 16_000 : 8000;
}

/** The reader for audio of codec `from` that goes out as `to`. */
async function createReader(
  from: CodecName,
  to: CodecName,
  rate: OpusRate,
  otherLaw?: Payload["otherLaw"],
): Promise<SourceReader> {
  if (isLaw(from)) return new LawReader(from, otherLaw);
  if (from === "g722") return new G722Reader(rate);
  return to === "opus" ? new PassReader() : new OpusReader(await OpusSource.create(rate), rate);
}
