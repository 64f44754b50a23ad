import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Clock, Random } from "../../core/index.ts";

/** What an SSID says of itself. */
export interface SsidClaims {
  /** Which gateway made it, for what routes by it; empty: not said. */
  readonly node: string;
  /** DN, or the ID of an anonymous sign-in. */
  readonly name: string;
  readonly anonymous: boolean;
  /** ms since 1970-01-01 UTC. */
  readonly issuedAt: number;
}

export interface SsidOptions {
  /** What only the gateways that take each other's sessions know; asked for each time, since a reload may change it. */
  readonly secret: () => string;
  /** Letters and digits alone. */
  readonly node: string;
  readonly clock: Clock;
  readonly random: Random;
}

const version = 1;
const timeBytes = 6;
const randomBytes = 16;
const originBytes = 12;
const headBytes = 2 + timeBytes + randomBytes + originBytes;
const signBytes = 18;
/** In base64url, which has no padding here. */
const signLength = (signBytes / 3) * 4;
/** Longer ones are not looked at. */
const longest = 512;

/**
 * Makes and reads SSIDs: bearer secrets with 128 random bits, signed, bound to the origin that signed in, of letters that
 * survive a raw URL (wrtc-http-protocol.md 1.1, 3.3). `NODE_` version, kind, time, random bits, origin, name; signature.
 */
export class SsidMint {
  readonly #options: SsidOptions;

  constructor(options: SsidOptions) {
    this.#options = options;
  }

  /** `origin`: as the session's requests will say it. */
  issue(name: string, anonymous: boolean, origin: string): string {
    const { clock, random, node } = this.#options;
    const head = Buffer.alloc(headBytes);
    head[0] = version;
    head[1] = anonymous ? 1 : 0;
    head.writeUIntBE(clock.wallClock(), 2, timeBytes);
    random.bytes(randomBytes).copy(head, 2 + timeBytes);
    tagOf(origin).copy(head, headBytes - originBytes);
    const told = `${node}_${Buffer.concat([head, Buffer.from(name)]).toString("base64url")}`;
    return told + this.#sign(told).toString("base64url");
  }

  /** What a genuine SSID says; undefined: it is none of ours, or was given to another origin. */
  read(ssid: string, origin: string): SsidClaims | undefined {
    if (ssid.length > longest || !/^[\dA-Za-z]*_[\w-]+$/.test(ssid)) return undefined;
    const told = ssid.slice(0, -signLength);
    const sign = Buffer.from(ssid.slice(-signLength), "base64url");
    const [node, payload] = splitAt(told, told.indexOf("_"));
    const bytes = Buffer.from(payload, "base64url");
    if (sign.length !== signBytes || bytes.length <= headBytes || bytes[0] !== version) return undefined;
    // Base64 has several forms of the same bytes: only the one that was issued names a session.
    if (!timingSafeEqual(sign, this.#sign(told)) || bytes.toString("base64url") !== payload) return undefined;
    const tag = bytes.subarray(headBytes - originBytes, headBytes);
    if (!timingSafeEqual(tag, tagOf(origin))) return undefined;
    return {
      node,
      name: bytes.subarray(headBytes).toString(),
      anonymous: bytes[1] === 1,
      issuedAt: bytes.readUIntBE(2, timeBytes),
    };
  }

  #sign(told: string): Buffer {
    const key = createHmac("sha256", this.#options.secret()).update("jackfield wrtc sessions 1").digest();
    return createHmac("sha256", key).update(told).digest().subarray(0, signBytes);
  }
}

/** Name of a session for logs and lists: it opens nothing. */
export function sessionName(ssid: string): string {
  return `wrtc-${createHash("sha256").update(ssid).digest("hex").slice(0, 16)}`;
}

function tagOf(origin: string): Buffer {
  return createHash("sha256").update(origin).digest().subarray(0, originBytes);
}

function splitAt(text: string, at: number): [string, string] {
  return [text.slice(0, Math.max(0, at)), text.slice(at + 1)];
}
