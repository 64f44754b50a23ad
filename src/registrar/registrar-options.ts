import type { Clock, Logger, Random } from "../core/index.ts";
import type { DigestServer } from "../sip/index.ts";
import type { AgentTokens } from "./agent-tokens.ts";
import type { LoginGuard, LoginLimits } from "./login-guard.ts";
import type { ExpiresPolicy } from "./register-request.ts";

/** How the registrar treats its clients. */
export interface RegistrarPolicy extends ExpiresPolicy {
  /**
   * When a second browser signs in for a DN: `newest` signs the former out, `first` refuses the new one with 403
   * while the former is reachable. There is one client to a DN: no call forks.
   */
  readonly severalBrowsers: "newest" | "first";
  /** Connections of one client, told apart by `reg-id` (RFC 5626). */
  readonly maxFlows: number;
  /** Flow-Timer of our 200 to clients with `reg-id`, seconds (RFC 5626 10): how often we ask for a keep-alive. */
  readonly flowTimerSeconds: number;
  /** How long a lost socket is waited for when no call runs, ms. */
  readonly newCallGraceMs: number;
  /** How long a lost socket is waited for while a call runs, ms. */
  readonly callGraceMs: number;
}

/** What holds where the configuration says nothing. */
export const defaultRegistrarPolicy: RegistrarPolicy = {
  severalBrowsers: "newest",
  maxFlows: 4,
  flowTimerSeconds: 120,
  minExpires: 30,
  maxExpires: 3_600,
  defaultExpires: 300,
  newCallGraceMs: 5_000,
  callGraceMs: 30_000,
};

/** What the registrar is made of. */
export interface RegistrarOptions {
  readonly digest: Pick<DigestServer, "challenge" | "verify">;
  /** Reads user names that stand for a session of a DN's; left out, there are none. */
  readonly sessions?: Pick<AgentTokens, "sessionOf"> | undefined;
  /** The DNs that may sign in here. */
  readonly accounts: { has(dn: string): boolean };
  /** Whether a call runs for that client: it then gets the longer grace. */
  readonly hasCall: (dn: string, instance: string) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly policy?: Partial<RegistrarPolicy>;
  readonly loginLimits?: Partial<LoginLimits>;
  /** Shared with who else judges sign-ins; else one of its own, with `loginLimits`. */
  readonly guard?: LoginGuard;
}

/** Counted since start. */
export interface RegistrarCounters {
  registers: number;
  challenges: number;
  failedLogins: number;
  /** Refused without a look at the password: too many failures before. */
  blockedLogins: number;
  /** Answered with any other error. */
  refused: number;
  signedIn: number;
  signedOut: number;
  replaced: number;
  graceStarted: number;
  resumed: number;
  /** Connections lost of clients that had another. */
  failedOver: number;
}
