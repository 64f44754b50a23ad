import { directoryRetrySeconds, type Readiness } from "./directory/directory.ts";
import type { AgentTokens, SessionCredentials, TokenRefusal } from "./agent-tokens.ts";
import { looksLikeJwt, type JwtLogin } from "./jwt/jwt-login.ts";
import type { LoginGuard } from "./login-guard.ts";

export interface SignInDeskOptions {
  readonly tokens: AgentTokens;
  /** Undefined: no JWTs are taken. */
  readonly jwt: JwtLogin | undefined;
  readonly guard: LoginGuard;
  /** Makes sure that all is known of a DN; undefined: it is already. */
  readonly prepare: (dn: string, address: string) => Promise<Readiness> | undefined;
}

/** What a token is exchanged for, or why for nothing. `seconds`: when to ask again. */
export type SignInResult =
  | SessionCredentials
  | { readonly refusal: TokenRefusal }
  | { readonly refusal: "blocked" | "unavailable"; readonly seconds: number };

const unavailable = { refusal: "unavailable", seconds: directoryRetrySeconds } as const;

/** Exchanges tokens, our own and an identity provider's, for credentials that sign in by digest. */
export class SignInDesk {
  /** Tokens of either kind that were not taken, since the start; not those that could not be judged. */
  refusals = 0;
  readonly #options: SignInDeskOptions;

  constructor(options: SignInDeskOptions) {
    this.#options = options;
  }

  async exchange(token: string, address: string): Promise<SignInResult> {
    const result = await this.#exchange(token, address);
    const { guard } = this.#options;
    // A right token is always taken: it cannot be guessed, and a whole site may come by one proxy's address.
    if (!("refusal" in result)) {
      guard.succeeded(address, result.dn);
      return result;
    }
    if (result.refusal !== "unavailable") this.refusals++;
    if (result.refusal !== "wrong") return result;
    const seconds = guard.blockedSeconds(address);
    if (seconds > 0) return { refusal: "blocked", seconds };
    guard.failed(address);
    return result;
  }

  async #exchange(token: string, address: string): Promise<SignInResult> {
    const { tokens, jwt } = this.#options;
    if (!jwt || !looksLikeJwt(token)) {
      const dn = tokens.dnOf(token);
      return dn === undefined || (await this.#isReady(dn, address)) ? tokens.redeem(token) : unavailable;
    }
    const verdict = await jwt.verify(token);
    if ("dn" in verdict)
      return (await this.#isReady(verdict.dn, address)) ? tokens.sessionFor(verdict.dn) : unavailable;
    return verdict.refusal === "unavailable" ? unavailable : { refusal: verdict.refusal };
  }

  async #isReady(dn: string, address: string): Promise<boolean> {
    return ((await this.#options.prepare(dn, address)) ?? "ready") === "ready";
  }
}
