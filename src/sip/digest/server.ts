import { timingSafeEqual } from "node:crypto";
import { randomId, type Clock, type Random } from "../../core/index.ts";
import { parseUri } from "../message/index.ts";
import type { SipRequest, SipUri } from "../message/types.ts";
import { formatDigest, parseAuthFields } from "./auth-fields.ts";
import { digestHa1, digestResponse, type DigestAlgorithm } from "./hash.ts";
import { Nonces } from "./nonces.ts";

/**
 * What is known of an account: the password, or HA1 per algorithm. An algorithm without HA1 cannot be signed in
 * with, so accounts that have only MD5 want a server with `algorithms: ["MD5"]`.
 */
export type DigestSecret =
  { readonly password: string } | { readonly ha1: Readonly<Partial<Record<DigestAlgorithm, string>>> };

/** What the server asks for and how it judges. */
export interface DigestServerOptions {
  readonly realm: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly nonceLifetimeMs: number;
  /** The account's secret; undefined for one that does not exist. */
  readonly findSecret: (username: string) => DigestSecret | undefined;
  /**
   * One challenge each, in this order; RFC 7616 3.7 wants the strongest first. JsSIP and SIP.js know MD5 only and
   * look at the last challenge only, so MD5 has to stand last. Default: SHA-256, MD5.
   */
  readonly algorithms?: readonly DigestAlgorithm[];
  /** How many used nonces are remembered; 10,000 unless told. */
  readonly rememberedNonces?: number;
}

/** Verdict on a request's credentials. */
export type DigestOutcome =
  | { readonly outcome: "accepted"; readonly username: string }
  /** Answer 401 with `challenge(stale)`. */
  | { readonly outcome: "challenge"; readonly stale: boolean }
  /** Answer `status`: 400 for credentials that break the rules, 403 for a wrong user name or password. */
  | { readonly outcome: "refused"; readonly status: 400 | 403; readonly reason: string };

/** Digest authentication of requests (RFC 7616, RFC 3261 22, RFC 8760), qop=auth only. */
export interface DigestServer {
  /** WWW-Authenticate values, each for a line of its own. `stale`: the client need not ask its user again. */
  challenge(stale?: boolean): string[];
  /** Judges the Authorization headers of `request`. */
  verify(request: SipRequest): DigestOutcome;
  readonly counters: Readonly<DigestCounters>;
}

/** Counted since start. */
export interface DigestCounters {
  accepted: number;
  /** Wrong user name or password. */
  wrongCredentials: number;
  malformed: number;
  stale: number;
  /** Right credentials whose nonce count was used before. */
  replays: number;
}

const defaultAlgorithms: readonly DigestAlgorithm[] = ["SHA-256", "MD5"];
/** Authorization headers looked at: a client has one per algorithm or realm, and each one costs hashes. */
const authorizationLimit = 4;

/** A server with a nonce key of its own, drawn now. */
export function createDigestServer(options: DigestServerOptions): DigestServer {
  return new Server(options);
}

const malformed = (reason: string): DigestOutcome => ({ outcome: "refused", status: 400, reason });

interface Credentials {
  readonly algorithm: DigestAlgorithm;
  readonly username: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly cnonce: string;
  readonly nc: string;
}

class Server implements DigestServer {
  readonly counters: DigestCounters = {
    accepted: 0,
    wrongCredentials: 0,
    malformed: 0,
    stale: 0,
    replays: 0,
  };
  readonly #options: DigestServerOptions;
  readonly #algorithms: readonly DigestAlgorithm[];
  readonly #nonces: Nonces;
  /** Stands in for the password of who does not exist, so that a wrong name costs what a wrong password costs. */
  readonly #nobodysPassword: string;

  constructor(options: DigestServerOptions) {
    this.#options = options;
    this.#algorithms = options.algorithms ?? defaultAlgorithms;
    const { clock, random, nonceLifetimeMs: lifetimeMs, rememberedNonces: limit = 10_000 } = options;
    this.#nonces = new Nonces({ clock, random, lifetimeMs, limit });
    this.#nobodysPassword = randomId(random, 16);
  }

  challenge(stale = false): string[] {
    const nonce = this.#nonces.issue();
    return this.#algorithms.map((algorithm) =>
      formatDigest([
        ["realm", this.#options.realm, "quoted"],
        ["nonce", nonce, "quoted"],
        ["algorithm", algorithm, "bare"],
        ["qop", "auth", "quoted"],
        ["stale", stale ? "true" : undefined, "bare"],
      ]),
    );
  }

  verify(request: SipRequest): DigestOutcome {
    let verdict: DigestOutcome | undefined;
    for (const value of request.headers.getAll("Authorization").slice(0, authorizationLimit)) {
      const outcome = this.#judge(value, request);
      if (outcome?.outcome === "accepted") {
        this.counters.accepted++;
        return outcome;
      }
      verdict ??= outcome;
    }
    if (verdict?.outcome === "refused") {
      if (verdict.status === 403) this.counters.wrongCredentials++;
      else this.counters.malformed++;
    } else if (verdict?.outcome === "challenge" && verdict.stale) this.counters.stale++;
    return verdict ?? { outcome: "challenge", stale: false };
  }

  /** Undefined for credentials that are not meant for us: another scheme, realm or algorithm. */
  #judge(value: string, request: SipRequest): DigestOutcome | undefined {
    // Other schemes' values have grammars of their own (Basic, Bearer).
    if (/^(?!digest\b)[a-z]/i.test(value)) return undefined;
    const [only, ...more] = parseAuthFields(value) ?? [];
    if (!only || more.length > 0) return malformed("Malformed Authorization");
    const { parameters } = only;
    if (parameters.get("realm") !== this.#options.realm) return undefined;
    const named = (parameters.get("algorithm") ?? "MD5").toUpperCase();
    const algorithm = this.#algorithms.find((known) => known === named);
    if (!algorithm) return undefined;
    const credentials = readCredentials(algorithm, parameters);
    if (!credentials) return malformed("Incomplete Digest Credentials");
    if (!namesTarget(credentials.uri, request.uri)) return malformed("Digest uri Is Not The Request-URI");
    return this.#check(credentials, request.method);
  }

  #check(credentials: Credentials, method: string): DigestOutcome {
    const { username, nonce, nc } = credentials;
    const right = this.#isRight(credentials, method);
    if (!this.#nonces.isValid(nonce)) return { outcome: "challenge", stale: right };
    if (!right) return { outcome: "refused", status: 403, reason: "Wrong User Name Or Password" };
    if (this.#nonces.use(nonce, Number.parseInt(nc, 16))) return { outcome: "accepted", username };
    // A fresh nonce serves an honest client whose count went astray and is no use to who only has a recording.
    this.counters.replays++;
    return { outcome: "challenge", stale: true };
  }

  /** The same hashes and the same comparison whether the account exists or not. */
  #isRight(credentials: Credentials, method: string): boolean {
    const { algorithm, username, response, nonce, uri, cnonce, nc } = credentials;
    const secret = this.#options.findSecret(username);
    const password = secret && "password" in secret ? secret.password : undefined;
    const computed = digestHa1(algorithm, username, this.#options.realm, password ?? this.#nobodysPassword);
    const stored = secret && "ha1" in secret ? secret.ha1[algorithm]?.toLowerCase() : undefined;
    const ha1 = stored ?? computed;
    const protection = { qop: "auth", nc } as const;
    const expected = digestResponse({ algorithm, ha1, nonce, method, uri, cnonce, protection });
    const given = Buffer.from(response.toLowerCase());
    const wanted = Buffer.from(expected);
    const equal = given.length === wanted.length && timingSafeEqual(given, wanted);
    return equal && (password !== undefined || stored !== undefined);
  }
}

function readCredentials(
  algorithm: DigestAlgorithm,
  parameters: ReadonlyMap<string, string>,
): Credentials | undefined {
  const text = (name: string): string => parameters.get(name) ?? "";
  const credentials = {
    algorithm,
    username: text("username"),
    nonce: text("nonce"),
    uri: text("uri"),
    response: text("response"),
    cnonce: text("cnonce"),
    nc: text("nc"),
  };
  const complete = Object.values(credentials).every((value) => value !== "");
  // We always ask for qop=auth; leaving it out would leave out the nonce count, and with it replay protection.
  const protectedByCount = text("qop") === "auth" && /^[0-9a-f]{8}$/i.test(credentials.nc);
  return complete && protectedByCount ? credentials : undefined;
}

/** RFC 7616 3.4.6: the uri that was signed must name what the request asks for; URI parameters aside. */
function namesTarget(signed: string, target: SipUri): boolean {
  if (signed === target.raw) return true;
  const uri = parseUri(signed);
  if (!uri || (uri.scheme !== "sip" && uri.scheme !== "sips")) return false;
  return (
    uri.scheme === target.scheme &&
    uri.user === target.user &&
    uri.host.toLowerCase() === target.host.toLowerCase() &&
    uri.port === target.port
  );
}
