import { randomId, type Clock, type Random } from "../../core/index.ts";
import { newCode, plainCode } from "./code.ts";
import { OneTimeSecrets, type OneTimeRefusal } from "./one-time.ts";
import { SignedText } from "./signed-text.ts";

export interface EndpointTokensOptions {
  /** What only this gateway knows; tokens outlive a restart as long as it stays. */
  readonly secret: string;
  /** Ids of agent tokens that open nothing any more; asked for at each request. */
  readonly revoked: () => readonly string[];
  /** How long a page session is good for, ms. */
  readonly pageSessionMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Whose an agent token is, and which: `id` is no secret, `endpoint.revokedTokens` names it. */
export interface TokenHolder {
  readonly dn: string;
  readonly id: string;
}

/** A page, signed in by a token of that holder. */
export interface PageHolder extends TokenHolder {
  /** ms since 1970-01-01 UTC; no two pages of one DN have the same. */
  readonly issuedAt: number;
}

export type EndpointTokenRefusal = OneTimeRefusal;

const pageTokenMs = 60_000;
const codeMs = 600_000;
const agentText = /^agent ([\da-f]{16}) (\S{1,64})$/;
const pageText = /^page ([\da-f]{16}) (\d{1,15}) (\S{1,64})$/;

/**
 * Who may speak for a DN at WWE's endpoint API. Agent tokens and page sessions prove themselves and are kept nowhere; page tokens
 * and enrolment codes lie in memory until they are used.
 */
export class EndpointTokens {
  readonly #options: EndpointTokensOptions;
  readonly #signed: SignedText;
  readonly #pageTokens: OneTimeSecrets<TokenHolder>;
  readonly #codes: OneTimeSecrets<string>;
  #lastPageAt = 0;

  constructor(options: EndpointTokensOptions) {
    this.#options = options;
    this.#signed = new SignedText(options.secret);
    this.#pageTokens = new OneTimeSecrets(options.clock, pageTokenMs);
    this.#codes = new OneTimeSecrets(options.clock, codeMs);
  }

  /** Another secret: agent tokens and page sessions made of the former are void. */
  set secret(secret: string) {
    this.#signed.secret = secret;
  }

  /** A further agent token for a DN; those before stay good. */
  issueAgent(dn: string): { readonly token: string; readonly id: string } {
    const id = randomId(this.#options.random, 8);
    return { token: this.#signed.sign(`agent ${id} ${dn}`), id };
  }

  /** Undefined: forged, of another secret, or revoked. */
  agent(token: string): TokenHolder | undefined {
    const [, id, dn] = agentText.exec(this.#signed.read(token) ?? "") ?? [];
    return id === undefined || dn === undefined || this.isRevoked(id) ? undefined : { dn, id };
  }

  isRevoked(id: string): boolean {
    return this.#options.revoked().includes(id);
  }

  /** A code for a DN, to be typed into the bridge; undefined: too many wait. */
  issueCode(dn: string): { readonly code: string; readonly expiresAt: number } | undefined {
    const code = newCode(this.#options.random);
    const expiresAt = this.#codes.add(plainCode(code), dn);
    return expiresAt === undefined ? undefined : { code, expiresAt };
  }

  /** Exchanges a code for an agent token, once. */
  enrol(
    code: string,
  ): (TokenHolder & { readonly token: string }) | { readonly refusal: EndpointTokenRefusal } {
    const result = this.#codes.redeem(plainCode(code));
    return "refusal" in result ? result : { dn: result.value, ...this.issueAgent(result.value) };
  }

  /** For a browser, in place of the agent token itself; undefined: too many wait. */
  issuePageToken(holder: TokenHolder): { readonly token: string; readonly expiresAt: number } | undefined {
    const token = this.#options.random.bytes(24).toString("base64url");
    const expiresAt = this.#pageTokens.add(token, { dn: holder.dn, id: holder.id });
    return expiresAt === undefined ? undefined : { token, expiresAt };
  }

  /** Exchanges an agent token or a page token for a page session. */
  openPage(
    token: string,
  ):
    | { readonly session: string; readonly dn: string; readonly expiresAt: number }
    | { readonly refusal: EndpointTokenRefusal } {
    const agent = this.agent(token);
    const redeemed = agent ? { value: agent } : this.#pageTokens.redeem(token);
    if ("refusal" in redeemed) return redeemed;
    const { dn, id } = redeemed.value;
    if (this.isRevoked(id)) return { refusal: "wrong" };
    const { clock, pageSessionMs } = this.#options;
    const issuedAt = Math.max(clock.wallClock(), this.#lastPageAt + 1);
    this.#lastPageAt = issuedAt;
    const session = this.#signed.sign(`page ${id} ${issuedAt} ${dn}`);
    return { session, dn, expiresAt: issuedAt + pageSessionMs };
  }

  /** Undefined: forged, of another secret, of a revoked token, or over, unless `overToo` holds of it. */
  page(session: string, overToo: (page: PageHolder) => boolean = () => false): PageHolder | undefined {
    const [, id, issued, dn] = pageText.exec(this.#signed.read(session) ?? "") ?? [];
    if (id === undefined || dn === undefined || this.isRevoked(id)) return undefined;
    const page = { dn, id, issuedAt: Number(issued) };
    return this.isOver(page) && !overToo(page) ? undefined : page;
  }

  isOver({ issuedAt }: PageHolder): boolean {
    const { clock, pageSessionMs } = this.#options;
    return clock.wallClock() >= issuedAt + pageSessionMs;
  }
}
