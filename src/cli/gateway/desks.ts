import { tokenSecret } from "../../config/index.ts";
import {
  AgentTokens,
  createRegistrar,
  JwtLogin,
  LoginGuard,
  RegisterDesk,
  SignInDesk,
  type AgentRegistrar,
} from "../../registrar/index.ts";
import { createDigestServer, type DigestSecret, type DigestServer } from "../../sip/index.ts";
import { Accounts } from "./accounts.ts";
import type { LiveConfig } from "./live-config.ts";
import type { GatewaySurroundings } from "./surroundings.ts";
import { gracesOf } from "./terms.ts";

const nonceLifetimeMs = 300_000;

/** All that judges sign-ins, and who is signed in. */
export interface Desks {
  readonly registrar: AgentRegistrar;
  /** Judges the browsers' REGISTERs. */
  readonly digest: DigestServer;
  /** Undefined: nobody could issue tokens, or there is no key. */
  readonly tokens: AgentTokens | undefined;
  readonly accounts: Accounts;
  /** Slows down who guesses passwords or tokens. */
  readonly guard: LoginGuard;
  /** Takes REGISTERs. */
  readonly registerDesk: RegisterDesk;
  /** Takes tokens; undefined: there are none. */
  readonly signIn: SignInDesk | undefined;
  /** Undefined: `agents.jwt` is not configured. */
  readonly jwt: JwtLogin | undefined;
}

/** `hasCall`: whether this client has a call to come back to. */
export function openDesks(
  live: LiveConfig,
  surroundings: GatewaySurroundings,
  hasCall: (dn: string, instance: string) => boolean,
): Desks {
  const { clock, random } = surroundings;
  const log = surroundings.log.child({ room: "registrar" });
  const accounts = new Accounts(live, surroundings);
  const guard = new LoginGuard({ clock, limits: () => live.current.agents.loginLimits, log });
  const tokens = openTokens(live, accounts, surroundings);
  const digest = openDigest(live, surroundings, (user) => accounts.secretOf(user, tokens));
  const registrar = openRegistrar(live, surroundings, { accounts, guard, tokens, digest, hasCall });
  const prepare = accounts.prepare.bind(accounts);
  const { jwt: jwtConfig } = live.current.agents;
  const jwt = jwtConfig && new JwtLogin({ ...jwtConfig, clock, log });
  return {
    registrar,
    accounts,
    guard,
    digest,
    tokens,
    jwt,
    registerDesk: new RegisterDesk({ registrar, guard, prepare, random, log }),
    signIn: tokens && new SignInDesk({ tokens, jwt, guard, prepare }),
  };
}

function openTokens(
  live: LiveConfig,
  accounts: Accounts,
  { clock, random }: GatewaySurroundings,
): AgentTokens | undefined {
  const { realm, tokens } = live.current.agents;
  const secret = tokenSecret(live.current);
  if (secret === undefined) return undefined;
  return new AgentTokens({
    secret,
    realm,
    sessionMs: tokens.sessionHours * 3_600_000,
    accounts,
    clock,
    random,
  });
}

function openDigest(
  live: LiveConfig,
  { clock, random }: GatewaySurroundings,
  findSecret: (user: string) => DigestSecret | undefined,
): DigestServer {
  return createDigestServer({
    realm: live.current.agents.realm,
    clock,
    random,
    nonceLifetimeMs,
    findSecret,
  });
}

function openRegistrar(
  live: LiveConfig,
  { clock, random, log }: GatewaySurroundings,
  {
    accounts,
    guard,
    tokens,
    digest,
    hasCall,
  }: Pick<Desks, "accounts" | "guard" | "tokens" | "digest"> & {
    readonly hasCall: (dn: string, instance: string) => boolean;
  },
): AgentRegistrar {
  const { severalBrowsers, minExpires, maxExpires } = live.current.agents;
  return createRegistrar({
    digest,
    sessions: tokens,
    accounts,
    guard,
    hasCall,
    clock,
    random,
    log: log.child({ room: "registrar" }),
    policy: { severalBrowsers, minExpires, maxExpires, ...gracesOf(live.current) },
  });
}
