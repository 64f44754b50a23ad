import type { Random } from "../../core/index.ts";
import type { OriginIds } from "./types.ts";

/**
 * The `o=` line of one dialog side: one session id for its life, and a version that rises by one when the text
 * differs from the last one sent, else stays (RFC 3264 5, 8). Pass it as `origin` to an offer or answer, then
 * give the text made to `stamp`.
 */
export class SdpOrigin implements OriginIds {
  /** 62 random bits as decimal text (RFC 8829 5.2.1: a number below 2^63). */
  readonly sessionId: string;
  #version = 1;
  #lastText: string | undefined;

  constructor(random: Random) {
    this.sessionId = (random.bytes(8).readBigUInt64BE(0) >> 2n).toString();
  }

  get version(): number {
    return this.#version;
  }

  /** The same description with the version it must carry; remembers it as the one last sent. */
  stamp(sdp: string): string {
    const match = /^o=(\S+) \S+ \S+ (.*)$/m.exec(sdp);
    if (!match) throw new Error("SDP without an o= line");
    const [line, username, rest] = match;
    const text = sdp.replace(line, "");
    if (this.#lastText !== undefined && this.#lastText !== `${text}${rest}`) this.#version++;
    this.#lastText = `${text}${rest}`;
    return sdp.replace(line, () => `o=${username} ${this.sessionId} ${this.#version} ${rest}`);
  }
}
