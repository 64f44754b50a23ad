import { createHash, timingSafeEqual } from "node:crypto";
import { randomId, type Random } from "../../core/index.ts";
import { headerOf, type SipMessage } from "./text.ts";

/** Asks for MD5 digest (RFC 2617), as a SIP Server with `authenticate-requests` set. */
export interface DigestOptions {
  readonly realm: string;
  /** Password of a username; undefined = unknown user, refused. */
  readonly password: (username: string) => string | undefined;
  /** Methods challenged. Default REGISTER and INVITE. */
  readonly methods?: readonly string[];
  /** `auth` offers qop="auth", `none` offers no qop (RFC 2069 style). Default `auth`. */
  readonly qop?: "auth" | "none";
  /** How often one nonce is taken before the answer is `stale=true`. Default unlimited. */
  readonly nonceUses?: number;
}

/** Nonces remembered; the oldest go first. */
const nonceLimit = 10_000;

export class DigestGate {
  readonly #options: DigestOptions;
  readonly #random: Random;
  /** Nonce -> highest nonce count seen and number of uses. */
  readonly #nonces = new Map<string, { count: number; uses: number }>();

  constructor(options: DigestOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** The challenge (value of WWW-Authenticate) a request earns, or undefined when it may pass. */
  challenge(request: SipMessage): string | undefined {
    if (!(this.#options.methods ?? ["REGISTER", "INVITE"]).includes(request.method)) return undefined;
    const verdict = this.#verify(request);
    return verdict === "good" ? undefined : this.#fresh(verdict === "stale");
  }

  #fresh(stale: boolean): string {
    const nonce = randomId(this.#random, 16);
    const oldest = this.#nonces.size >= nonceLimit ? this.#nonces.keys().next().value : undefined;
    if (oldest !== undefined) this.#nonces.delete(oldest);
    this.#nonces.set(nonce, { count: 0, uses: 0 });
    const qop = this.#options.qop === "none" ? "" : ',qop="auth"';
    return `Digest realm="${this.#options.realm}",nonce="${nonce}",algorithm=MD5${qop}${stale ? ",stale=true" : ""}`;
  }

  #verify(request: SipMessage): "good" | "bad" | "stale" {
    const given = parseCredentials(headerOf(request, "Authorization") ?? "");
    const password = this.#options.password(given.get("username") ?? "");
    const nonce = given.get("nonce") ?? "";
    if (password === undefined || !given.has("response")) return "bad";
    const known = this.#nonces.get(nonce);
    if (!this.#responseMatches(given, password, request.method)) return "bad";
    if (!known || known.uses >= (this.#options.nonceUses ?? Infinity)) return "stale";
    if (given.has("qop")) {
      const count = Number.parseInt(given.get("nc") ?? "", 16);
      if (!(count > known.count)) return "stale";
      known.count = count;
    }
    known.uses++;
    return "good";
  }

  #responseMatches(given: ReadonlyMap<string, string>, password: string, method: string): boolean {
    const field = (name: string): string => given.get(name) ?? "";
    const withQop = field("qop") === "auth";
    if (field("realm") !== this.#options.realm) return false;
    if (withQop !== (this.#options.qop !== "none")) return false;
    const ha1 = md5(`${field("username")}:${field("realm")}:${password}`);
    const ha2 = md5(`${method}:${field("uri")}`);
    const middle = withQop ? `${field("nonce")}:${field("nc")}:${field("cnonce")}:auth` : field("nonce");
    const wanted = Buffer.from(md5(`${ha1}:${middle}:${ha2}`));
    const got = Buffer.from(field("response").toLowerCase());
    return wanted.length === got.length && timingSafeEqual(wanted, got);
  }
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

function parseCredentials(value: string): Map<string, string> {
  const fields = new Map<string, string>();
  if (!/^digest\s/i.test(value)) return fields;
  for (const match of value.slice(7).matchAll(/(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))/g)) {
    fields.set((match[1] ?? "").toLowerCase(), match[2] ?? match[3] ?? "");
  }
  return fields;
}
