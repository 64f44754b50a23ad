import type { Flow, SipRequest } from "../sip/index.ts";
import { defaultLoginLimits, LoginGuard } from "./login-guard.ts";
import type { RegisterAnswer } from "./register-request.ts";
import type { RegistrarCounters, RegistrarOptions } from "./registrar-options.ts";

/** How the DN stands before its REGISTER. */
export interface Standing {
  /** Signed in by this flow already. */
  readonly known: boolean;
  readonly inCall: () => boolean;
}

/** Judges the password of a REGISTER (RFC 3261 22), and shuts out who guesses. */
export class RegisterLogin {
  readonly #options: RegistrarOptions;
  readonly #counters: RegistrarCounters;
  readonly #onRefused: (dn: string, address: string, cause: "password" | "blocked") => void;
  readonly #guard: LoginGuard;

  constructor(
    options: RegistrarOptions,
    counters: RegistrarCounters,
    onRefused: (dn: string, address: string, cause: "password" | "blocked") => void,
  ) {
    this.#options = options;
    this.#counters = counters;
    this.#onRefused = onRefused;
    const limits = { ...defaultLoginLimits, ...options.loginLimits };
    this.#guard =
      options.guard ?? new LoginGuard({ clock: options.clock, limits: () => limits, log: options.log });
  }

  /**
   * What is wrong with the login; undefined when `dn` itself has signed the request.
   */
  check(request: SipRequest, flow: Flow, dn: string, standing: Standing): RegisterAnswer | undefined {
    const { digest, accounts, sessions, log } = this.#options;
    const address = flow.remoteAddress;
    // Who has signed in by this connection guesses no more: strangers behind the same address must not shut him out.
    const blocked = standing.known ? 0 : this.#guard.blockedSeconds(address, dn);
    if (blocked > 0) {
      this.#counters.blockedLogins++;
      this.#onRefused(dn, address, "blocked");
      return { status: 403, reason: "Too Many Failed Logins", headers: [["Retry-After", String(blocked)]] };
    }
    const verdict = digest.verify(request);
    // Credentials for a DN that is none, made so that nobody judges them: a directory was asked for it all the same.
    const unjudged =
      verdict.outcome === "challenge" || (verdict.outcome === "refused" && verdict.status === 400);
    if (unjudged && request.headers.has("Authorization") && !accounts.has(dn))
      this.#guard.failed(address, dn);
    if (verdict.outcome === "challenge") {
      this.#counters.challenges++;
      const challenges = digest.challenge(verdict.stale);
      return { status: 401, headers: challenges.map((value) => ["WWW-Authenticate", value]) };
    }
    if (verdict.outcome === "refused" && verdict.status === 400) {
      this.#counters.refused++;
      return { status: 400, reason: verdict.reason };
    }
    // The AOR's user is the DN, and only its own password or session opens it; the host part is nobody's business.
    if (verdict.outcome === "accepted" && accounts.has(dn)) {
      const session = sessions?.sessionOf(verdict.username);
      if ((session?.dn ?? verdict.username) === dn) {
        this.#guard.succeeded(address, dn);
        // Not in the middle of a call: it would be lost.
        if (!session?.expired || standing.inCall()) return undefined;
        this.#counters.refused++;
        return { status: 403, reason: "Sign-In Expired" };
      }
    }
    this.#counters.failedLogins++;
    this.#guard.failed(address, dn);
    log.warn({ dn, remoteAddress: address }, "login failed");
    this.#onRefused(dn, address, "password");
    return { status: 403 };
  }

  /** Forgives all. */
  clear(): void {
    this.#guard.clear();
  }
}
