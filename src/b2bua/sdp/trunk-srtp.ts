import type { Random } from "../../core/index.ts";
import { srtpSuites, type SrtpSuite, type TrunkSrtp } from "../../media/index.ts";

/**
 * SRTP toward SIP Server's side by keys in SDP (RFC 4568). `off`: plain RTP only. `accept`: we offer plain RTP and
 * answer in kind what SIP Server offers. `offer`: we offer SRTP and answer in kind. `require`: SRTP both ways.
 */
export type TrunkSrtpPolicy = "off" | "accept" | "offer" | "require";

/** One `a=crypto` line that can be used. */
export interface CryptoLine {
  readonly tag: string;
  readonly suite: SrtpSuite;
  /** Master key and salt in base64. Secret. */
  readonly key: string;
}

/** Master key of 16 bytes and salt of 14 (RFC 4568 6.1): 40 characters of base64 without padding. */
const keyBytes = 30;
const line = /^(\d{1,9}) +(\S+) +inline:([A-Za-z0-9+/]{40})(?:\|(?:2\^)?\d{1,15})?((?: +\S+)*)$/;

/**
 * The lines that can be used, in the sender's order. Not those with an MKI (several keys), nor with a session parameter
 * that changes the transform and that we do not know; a window size hint is only a hint (RFC 4568 6.3).
 */
export function readCryptoLines(values: readonly string[]): CryptoLine[] {
  return values.flatMap((value) => {
    const [, tag = "", name = "", key = "", parameters = ""] = line.exec(value) ?? [];
    const suite = srtpSuites.find((known) => known === name.toUpperCase());
    const unknown = parameters.split(" ").some((parameter) => !/^(?:|WSH=\d+|-.*)$/i.test(parameter));
    return suite && !unknown ? [{ tag, suite, key }] : [];
  });
}

/** The line as the SDP library writes it. */
export function cryptoAttribute({ tag, suite, key }: CryptoLine): {
  id: number;
  suite: string;
  config: string;
} {
  return { id: Number(tag), suite, config: `inline:${key}` };
}

/** Where SIP Server's media are, to tell one device from another. */
type Place = { readonly address: string; readonly port: number };

/** The SRTP keys of one call's trunk side. */
export class TrunkSrtpKeys {
  readonly policy: TrunkSrtpPolicy;
  readonly #random: Random;
  #inUse: (TrunkSrtp & { readonly place: Place }) | undefined;
  #keepOurs = false;

  constructor(policy: TrunkSrtpPolicy, random: Random) {
    this.policy = policy;
    this.#random = random;
  }

  /**
   * Lines of an offer of ours; none where we offer plain RTP. New keys each time: whoever answers may be another device
   * than before, which cannot know how often our sequence numbers have wrapped (RFC 3711 3.3.1).
   */
  offered(): CryptoLine[] {
    if (this.policy !== "offer" && this.policy !== "require") return [];
    return srtpSuites.map((suite, index) => ({ tag: String(index + 1), suite, key: this.#newKey() }));
  }

  /** Keys for an answer to `theirs`: ours stays while the other end and its key are the same (RFC 4568 7.1.4). */
  answering({ suite, key }: CryptoLine, place: Place): TrunkSrtp {
    const former = this.#inUse;
    const unmoved = former?.place.address === place.address && former.place.port === place.port;
    const same = former?.suite === suite && (this.#keepOurs || (former.receiveKey === key && unmoved));
    return { suite, receiveKey: key, sendKey: same ? former.sendKey : this.#newKey() };
  }

  /** Within `answer` our key stays whatever the other end's is: it was told again already, in a refresh. */
  keepingOurs<T>(answer: () => T): T {
    this.#keepOurs = true;
    try {
      return answer();
    } finally {
      this.#keepOurs = false;
    }
  }

  /** What is in force from now on; undefined: plain RTP. */
  agreed(srtp: TrunkSrtp | undefined, { address, port }: Place): void {
    this.#inUse = srtp && { ...srtp, place: { address, port } };
  }

  #newKey(): string {
    return this.#random.bytes(keyBytes).toString("base64");
  }
}

/** The keys that an answer to `ours` settled; undefined when it took none of the lines. */
export function answeredKeys(
  ours: readonly CryptoLine[],
  answer: readonly CryptoLine[],
): TrunkSrtp | undefined {
  const [theirs] = answer;
  const own = ours.find(({ tag, suite }) => tag === theirs?.tag && suite === theirs.suite);
  return theirs && own && { suite: own.suite, sendKey: own.key, receiveKey: theirs.key };
}
