import type { CodecName } from "../../media/index.ts";
import { carriedOpusFormat, opusFormats, type AudioDescription, type TrunkSrtpPolicy } from "../sdp/index.ts";

/** Which codecs calls use, and whether SRTP carries them toward SIP Server. */
export interface CodecPreference {
  /** Codecs toward the browser and toward SIP Server, in order of preference. */
  readonly browser: readonly CodecName[];
  readonly trunk: readonly CodecName[];
  /** Default `off`. */
  readonly trunkSrtp?: TrunkSrtpPolicy;
}

/** A side's codec, with what its description says of Opus. */
interface Known {
  readonly codec: CodecName;
  readonly opusFormat: string;
}

function knownOf(codec: CodecName, { codecs }: AudioDescription): Known {
  return { codec, opusFormat: codecs.find((entry) => entry.codec === "opus")?.fmtp ?? "" };
}

/**
 * What each side's description says of codecs because of the other side. What is not known yet is taken for the best
 * that the configuration allows: a browser asked for more band than the far side turns out to have costs a little CPU,
 * one asked for less would not give more before its next description. A far side that changes in mid-call never makes
 * us call the browser again; its next description says what then fits.
 */
export class CodecTerms {
  readonly #preference: CodecPreference;
  #browser: Known | undefined;
  #trunk: Known | undefined;

  constructor(preference: CodecPreference) {
    this.#preference = preference;
  }

  /** `codec`: what the browser and we agreed on by `description`. */
  browserChose(codec: CodecName, description: AudioDescription): void {
    this.#browser = knownOf(codec, description);
  }

  /** `codec`: what SIP Server's side and we agreed on by `description`, or will. */
  trunkChose(codec: CodecName, description: AudioDescription): void {
    this.#trunk = knownOf(codec, description);
  }

  /** Codecs for the browser, best first; the one in use stays, so that a re-INVITE never changes the sound. */
  get browserCodecs(): readonly CodecName[] {
    const used = this.#browser?.codec;
    const { browser } = this.#preference;
    return used ? [used, ...browser.filter((codec) => codec !== used)] : browser;
  }

  /** Codecs to offer SIP Server, best first: G.722 only where the browser can hear and give the wider band. */
  get trunkCodecs(): readonly CodecName[] {
    const { trunk } = this.#preference;
    const narrow = trunk.filter((codec) => codec !== "g722");
    return this.#wide || narrow.length === 0 ? trunk : narrow;
  }

  /** Codecs to answer SIP Server with, best first: an offer of G.722 alone is better taken than refused. */
  get trunkAnswerCodecs(): readonly CodecName[] {
    const { trunk } = this.#preference;
    return this.#wide
      ? trunk
      : trunk.toSorted((one, other) => Number(one === "g722") - Number(other === "g722"));
  }

  get #wide(): boolean {
    return this.#browser ? this.#browser.codec === "opus" : this.#preference.browser.includes("opus");
  }

  /** Opus parameters toward the browser: the far side's own where Opus passes, else the band that it can use. */
  get browserOpusFormat(): string {
    const { trunk } = this.#preference;
    if (!this.#trunk) {
      const best = (["opus", "g722"] as const).find((codec) => trunk.includes(codec));
      return opusFormats[best ?? "pcmu"];
    }
    const { codec, opusFormat } = this.#trunk;
    return (codec === "opus" && carriedOpusFormat(opusFormat)) || opusFormats[codec];
  }

  /** Opus parameters toward SIP Server: the browser's own, else the band of its G.711. */
  get trunkOpusFormat(): string {
    if (!this.#browser) return opusFormats.opus;
    const { codec, opusFormat } = this.#browser;
    return (codec === "opus" && carriedOpusFormat(opusFormat)) || opusFormats[codec];
  }
}
