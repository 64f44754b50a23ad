import { isLaw } from "../codec/g711.ts";
import { OpusSource } from "../codec/opus.ts";
import type { CodecName } from "../contract.ts";
import type { Leg } from "./leg.ts";
import { LawReader, OpusReader, PassReader, type SourceReader } from "./source-reader.ts";

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
    const browser = this.#browser.payload?.codec;
    const trunk = this.#trunk.payload?.codec;
    const codecs = `${browser} ${trunk}`;
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
    const transcoding = browser !== trunk;
    if (!transcoding) this.#browser.outbound.dropEncoder();
    const [fromBrowser, fromTrunk] = await Promise.all([
      createReader(browser, trunk),
      createReader(trunk, browser),
      transcoding ? this.#browser.outbound.prepareEncoder() : undefined,
      // Needed for filled silence even where Opus passes as it is.
      this.#trunk.outbound.prepareEncoder(),
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

/** The reader for audio of codec `from` that goes out as `to`. */
async function createReader(from: CodecName, to: CodecName): Promise<SourceReader> {
  if (isLaw(from)) return new LawReader(from);
  return isLaw(to) ? new OpusReader(await OpusSource.create()) : new PassReader();
}
