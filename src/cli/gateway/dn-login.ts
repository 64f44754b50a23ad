import { createHash, timingSafeEqual } from "node:crypto";
import type { Logger } from "../../core/index.ts";
import {
  looksLikeJwt,
  type AgentRegistrar,
  type LoginGuard,
  type SignInDesk,
} from "../../registrar/index.ts";
import { digestHa1, type DigestSecret } from "../../sip/index.ts";
import type { DnLogin, LoginVerdict } from "../../wrtc/index.ts";
import type { Accounts } from "./accounts.ts";

export interface PasswordLoginOptions {
  readonly accounts: Pick<Accounts, "has" | "prepare" | "secretOf">;
  readonly guard: LoginGuard;
  /** Takes tokens in the place of passwords; undefined: none are taken. */
  readonly tokens: Pick<SignInDesk, "exchange"> | undefined;
  readonly realm: string;
  readonly registrar: Pick<AgentRegistrar, "events">;
  readonly log: Logger;
}

/** When to ask a directory again that gave no answer, seconds. */
const retrySeconds = 5;
const unavailable: LoginVerdict = { outcome: "unavailable", seconds: retrySeconds };
const accepted: LoginVerdict = { outcome: "accepted" };
/** As `AgentTokens` makes them. */
const tokenForm = /^[\w-]{32}$/;

/** Judges passwords that clients send as they are, by the accounts and bans of those who sign in by digest. */
export class PasswordLogin implements DnLogin {
  readonly #options: PasswordLoginOptions;

  constructor(options: PasswordLoginOptions) {
    this.#options = options;
  }

  async judge(dn: string, password: string | undefined, address: string): Promise<LoginVerdict> {
    const { guard, registrar, log } = this.#options;
    const blocked = this.#blocked(dn, address);
    if (blocked) return blocked;
    const known = await this.judgeKnown(dn, address);
    if (known.outcome === "unavailable") return known;
    // Others may have guessed while this one waited for the directory.
    const meanwhile = this.#blocked(dn, address);
    if (meanwhile) return meanwhile;
    const agent = known.outcome === "accepted";
    const right = password === undefined ? agent : this.#isPassword(dn, password) && agent;
    if (right) {
      // Without a password nothing was proven that would make wrong ones good.
      if (password !== undefined) guard.succeeded(address, dn);
      return accepted;
    }
    // Nothing is waited for else: a wrong one counts before the next is judged.
    const byToken = mayBeToken(password) ? await this.#byToken(dn, password, address) : undefined;
    if (byToken) return byToken;
    guard.failed(address, dn);
    log.warn({ dn: dn.slice(0, 64), remoteAddress: address }, "login failed");
    registrar.events.emit("login-refused", dn, address, "password");
    return { outcome: "refused" };
  }

  #blocked(dn: string, address: string): LoginVerdict | undefined {
    const { guard, registrar } = this.#options;
    const seconds = guard.blockedSeconds(address, dn);
    if (seconds === 0) return undefined;
    registrar.events.emit("login-refused", dn, address, "blocked");
    return { outcome: "blocked", seconds };
  }

  async judgeKnown(dn: string, address: string): Promise<LoginVerdict> {
    const { accounts } = this.#options;
    const readiness = (await accounts.prepare(dn, address)) ?? "ready";
    if (readiness !== "ready") return unavailable;
    return accounts.has(dn) ? accepted : { outcome: "refused" };
  }

  /** A token or JWT in the place of the password; undefined: it is none that opens this DN. */
  async #byToken(dn: string, password: string, address: string): Promise<LoginVerdict | undefined> {
    const { tokens } = this.#options;
    if (!tokens) return undefined;
    const result = await tokens.exchange(password, address);
    if (!("refusal" in result)) return result.dn === dn ? accepted : undefined;
    return "seconds" in result && result.refusal === "unavailable" ? unavailable : undefined;
  }

  /** In a time that does not tell how far it was right, nor whether there is such an agent. */
  #isPassword(dn: string, password: string): boolean {
    const { accounts, realm } = this.#options;
    const secret: DigestSecret = accounts.secretOf(dn, undefined) ?? { ha1: {} };
    const { MD5, "SHA-256": sha256 } = "ha1" in secret ? secret.ha1 : {};
    const expected = "password" in secret ? secret.password : (sha256 ?? MD5 ?? nobody);
    const algorithm = "password" in secret ? undefined : sha256 === undefined ? "MD5" : "SHA-256";
    const given = algorithm ? digestHa1(algorithm, dn, realm, password) : password;
    return timingSafeEqual(hashOf(expected), hashOf(given));
  }
}

function mayBeToken(password: string | undefined): password is string {
  return password !== undefined && (looksLikeJwt(password) || tokenForm.test(password));
}

/** No HA1 is this. */
const nobody = "";

function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
