import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";

/** Of HMAC-SHA256; 192 bits. */
const macBytes = 24;
/** A DN has at most 64 characters. */
const longest = 256;
/** Signed texts remembered that were right: WWE comes with the same one every two seconds, and an HMAC costs more than all else. */
const mostKnown = 10_000;

/** Texts that prove themselves: `base64url(text).base64url(HMAC)`, fit for a path of a URL. */
export class SignedText {
  #key: KeyObject;
  readonly #known = new Map<string, string>();

  constructor(secret: string) {
    this.#key = keyFrom(secret);
  }

  /** Another secret: all that was signed by the former is void. */
  set secret(secret: string) {
    this.#key = keyFrom(secret);
    this.#known.clear();
  }

  sign(text: string): string {
    return `${Buffer.from(text).toString("base64url")}.${this.#mac(text).toString("base64url")}`;
  }

  /** The text, if it was signed by us; constant in time for who guesses. */
  read(signed: string): string | undefined {
    if (signed.length > longest) return undefined;
    const known = this.#known.get(signed);
    if (known !== undefined) return known;
    const [body = ""] = signed.split(".", 1);
    const text = Buffer.from(body, "base64url").toString();
    // Signed anew and compared as a whole: what a decoder overlooks would make another token for the same.
    const expected = Buffer.from(this.sign(text));
    const given = Buffer.from(signed);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    if (this.#known.size >= mostKnown) this.#known.clear();
    this.#known.set(signed, text);
    return text;
  }

  #mac(text: string): Buffer {
    return createHmac("sha256", this.#key).update(text).digest().subarray(0, macBytes);
  }
}

/** Other than the key of the agents' sessions, which is made from the same secret. */
function keyFrom(secret: string): KeyObject {
  return createSecretKey(createHmac("sha256", secret).update("jackfield endpoint tokens 1").digest());
}
