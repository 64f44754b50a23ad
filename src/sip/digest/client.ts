import { randomId, type Random } from "../../core/index.ts";
import type { SipResponse } from "../message/types.ts";
import { formatDigest, parseAuthFields } from "./auth-fields.ts";
import {
  baseAlgorithm,
  digestHa1,
  digestResponse,
  type ClientAlgorithm,
  type QualityOfProtection,
} from "./hash.ts";

/** What a challenge is answered with. */
export interface DigestCredentials {
  readonly username: string;
  readonly password: string;
}

/** The request that is to carry the credentials. */
export interface DigestTarget {
  readonly method: string;
  /** Request-URI exactly as sent. */
  readonly uri: string;
  readonly body?: Buffer | undefined;
  /**
   * The credentials the challenged request carried, if any. With them a wrong password is told from a stale nonce,
   * and `answer` gives undefined instead of going round for ever.
   */
  readonly refused?: string | undefined;
}

/** The header line that carries credentials. */
export interface DigestHeader {
  readonly name: "Authorization" | "Proxy-Authorization";
  readonly value: string;
}

/** Digest credentials toward one server (RFC 7616, RFC 2617, RFC 2069); keeps the last challenge and its count. */
export interface DigestClient {
  /** The header for repeating a request that got this 401 or 407; undefined when there is none to give. */
  answer(
    response: SipResponse,
    target: DigestTarget,
    credentials: DigestCredentials,
  ): DigestHeader | undefined;
  /** The header for another request under the last challenge answered, its nonce count raised. */
  next(target: DigestTarget, credentials: DigestCredentials): DigestHeader | undefined;
  /** Forgets the challenge: the next request goes without credentials. */
  forget(): void;
}

/** A client that knows no challenge yet. */
export function createDigestClient(options: { readonly random: Random }): DigestClient {
  return new Client(options.random);
}

/** From the one we like best; within a kind the server's own order counts. */
const preference: readonly ClientAlgorithm[] = ["SHA-256", "SHA-256-sess", "MD5", "MD5-sess"];

interface Challenge {
  readonly header: DigestHeader["name"];
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: ClientAlgorithm;
  /** As the server wrote it; left out of the answer when it left it out. */
  readonly namedAlgorithm: string | undefined;
  readonly qop: QualityOfProtection | undefined;
  /** Only the nonce is refused: the same password will do (RFC 7616 3.3). */
  readonly stale: boolean;
}

class Client implements DigestClient {
  readonly #random: Random;
  #challenge: Challenge | undefined;
  /** One per challenge: `-sess` algorithms build their key on it. */
  #cnonce = "";
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  answer(
    response: SipResponse,
    target: DigestTarget,
    credentials: DigestCredentials,
  ): DigestHeader | undefined {
    const challenges = challengesOf(response);
    const challenge = preference
      .map((algorithm) => challenges.find((candidate) => candidate.algorithm === algorithm))
      .find((candidate) => candidate !== undefined);
    if (!challenge || credentialsRefused(challenge, target.refused)) return undefined;
    const known = this.#challenge?.nonce === challenge.nonce && this.#challenge.realm === challenge.realm;
    if (!known) {
      this.#count = 0;
      this.#cnonce = randomId(this.#random);
    }
    this.#challenge = challenge;
    return this.next(target, credentials);
  }

  next(target: DigestTarget, credentials: DigestCredentials): DigestHeader | undefined {
    const challenge = this.#challenge;
    if (!challenge) return undefined;
    this.#count++;
    const nc = this.#count.toString(16).padStart(8, "0");
    return {
      name: challenge.header,
      value: credentialsValue(challenge, target, credentials, this.#cnonce, nc),
    };
  }

  forget(): void {
    this.#challenge = undefined;
  }
}

function credentialsValue(
  challenge: Challenge,
  target: DigestTarget,
  { username, password }: DigestCredentials,
  cnonce: string,
  nc: string,
): string {
  const { realm, nonce, opaque, algorithm, namedAlgorithm, qop } = challenge;
  const response = digestResponse({
    algorithm,
    ha1: digestHa1(baseAlgorithm(algorithm), username, realm, password),
    nonce,
    method: target.method,
    uri: target.uri,
    body: target.body,
    cnonce,
    protection: qop && { qop, nc },
  });
  const sendsCnonce = qop !== undefined || algorithm.endsWith("-sess");
  return formatDigest([
    ["username", username, "quoted"],
    ["realm", realm, "quoted"],
    ["nonce", nonce, "quoted"],
    ["uri", target.uri, "quoted"],
    ["response", response, "quoted"],
    ["algorithm", namedAlgorithm, "bare"],
    ["cnonce", sendsCnonce ? cnonce : undefined, "quoted"],
    ["opaque", opaque, "quoted"],
    ["qop", qop, "bare"],
    ["nc", qop && nc, "bare"],
  ]);
}

/**
 * Whether a challenge says that these credentials are wrong: it came upon an answer to the same realm, is not
 * stale, and the answer was the first under its nonce or the nonce is still the same. An older nonce may have run
 * out at a server that does not bother to say stale.
 */
function credentialsRefused(challenge: Challenge, refused: string | undefined): boolean {
  const given = refused === undefined ? undefined : parseAuthFields(refused)?.[0]?.parameters;
  if (!given || given.get("realm") !== challenge.realm || challenge.stale) return false;
  const reused = given.has("nc") && given.get("nc") !== "00000001";
  return !reused || given.get("nonce") === challenge.nonce;
}

/** The Digest challenges of a response that we can answer. */
function challengesOf(response: SipResponse): Challenge[] {
  const proxy = response.status === 407;
  if (!proxy && response.status !== 401) return [];
  const lines = response.headers.getAll(proxy ? "Proxy-Authenticate" : "WWW-Authenticate");
  const header = proxy ? "Proxy-Authorization" : "Authorization";
  return lines
    .flatMap((line) => parseAuthFields(line) ?? [])
    .filter(({ scheme }) => scheme === "digest")
    .flatMap(({ parameters }) => readChallenge(parameters, header) ?? []);
}

function readChallenge(
  parameters: ReadonlyMap<string, string>,
  header: DigestHeader["name"],
): Challenge | undefined {
  const realm = parameters.get("realm");
  const nonce = parameters.get("nonce");
  const namedAlgorithm = parameters.get("algorithm");
  const wanted = (namedAlgorithm ?? "MD5").toLowerCase();
  const algorithm = preference.find((known) => known.toLowerCase() === wanted);
  if (realm === undefined || nonce === undefined || !algorithm) return undefined;
  const offered = parameters
    .get("qop")
    ?.toLowerCase()
    .split(/[\s,]+/);
  const qop = (["auth", "auth-int"] as const).find((known) => offered?.includes(known));
  // Protection of a kind we do not know: leaving it out would be answering another question.
  if (offered && !qop) return undefined;
  const stale = parameters.get("stale")?.toLowerCase() === "true";
  return { header, realm, nonce, opaque: parameters.get("opaque"), algorithm, namedAlgorithm, qop, stale };
}
