import { isDeepStrictEqual } from "node:util";
import { B2bua, OutboundServers, trunkCapabilities, trunkTermsOf, type Trunk } from "../../b2bua/index.ts";
import { autoAnswerOf, configuredDns, tokenSecret, turnTerms, type Config } from "../../config/index.ts";
import type { MediaPool } from "../../media/index.ts";
import {
  AgentTokens,
  createRegistrar,
  createTrunkRegistrations,
  JwtLogin,
  LoginGuard,
  RegisterDesk,
  SignInDesk,
  type AgentRegistrar,
  type PacedTrunkRegistrations,
} from "../../registrar/index.ts";
import {
  createDigestClient,
  createDigestServer,
  type DigestSecret,
  type DigestServer,
} from "../../sip/index.ts";
import type { CallTracer } from "../../trace/index.ts";
import { Accounts } from "./accounts.ts";
import type { LiveConfig } from "./live-config.ts";
import type { SipSocket } from "./sip-socket.ts";
import { callTermsOf } from "./terms.ts";
import type { GatewaySurroundings } from "./surroundings.ts";
import { version } from "../version.ts";

const userAgent = `Jackfield/${version}`;
const nonceLifetimeMs = 300_000;
const talkPatienceMs = 8000;
const callsPerDn = 3;

/** Everything above the SIP socket on the main thread. */
export interface Signalling {
  readonly registrar: AgentRegistrar;
  readonly trunkRegistrations: PacedTrunkRegistrations;
  readonly b2bua: B2bua;
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

/** Puts registrar, trunk registrations and B2BUA together and tells each what the configuration says of it. */
export function createSignalling(
  live: LiveConfig,
  surroundings: GatewaySurroundings,
  sip: SipSocket,
  media: MediaPool,
  tracer?: CallTracer,
): Signalling {
  const { clock, random, log } = surroundings;
  const config = live.current;
  const contactHost = `${config.sip.advertisedAddress}:${sip.transports.port}`;
  // The registrar asks the B2BUA, which is made after it, only when a socket is lost.
  const desks = openDesks(live, surroundings, (dn, instance) => b2bua.hasCall(dn, instance));
  const { registrar, accounts } = desks;
  const { registration, optionsSeconds, failBackSeconds } = config.sipServer;
  const trunkTerms = trunkTermsOf(config.sipServer);
  const trunkRegistrations = createTrunkRegistrations({
    registrar,
    transactions: sip.transactions,
    peers: sip.peers,
    contact: contactHost,
    credentials: (dn) => accounts.trunkCredentials(dn),
    headers: trunkCapabilities(userAgent, trunkTerms).headers,
    clock,
    random,
    log: log.child({ room: "registrar" }),
    options: {
      mode: registration.mode,
      expiresSeconds: registration.expires,
      perSecond: registration.perSecond,
      optionsSeconds,
      failBackSeconds,
      ...(registration.mode === "all" ? { allDns: configuredDns(config) } : {}),
    },
    inUse: (server) => b2bua.hasCallAt(server),
  });
  const { pool } = trunkRegistrations;
  sip.allowAlso((address) => pool.list().some(({ flow }) => flow.remoteAddress === address));
  const b2bua = new B2bua({
    context: {
      transactions: sip.transactions,
      dialogs: sip.dispatcher,
      clock,
      random,
      log: log.child({ room: "b2bua" }),
    },
    trunk: trunkOf(accounts, surroundings, sip, contactHost, trunkRegistrations),
    userAgent,
    trunkTerms,
    realm: config.agents.realm,
    media,
    registrar,
    trunkRegistrations,
    callsPerDn,
    talkPatienceMs,
    autoAnswer: (dn) => autoAnswerOf(live.current, dn),
    tracer,
    turn: () => turnTerms(live.current),
    ...callTermsOf(config),
    ...gracesOf(config),
  });
  live.events.on("changed", (next, previous) => {
    if (next.agents !== previous.agents) trunkRegistrations.setAllDns(configuredDns(next));
    if (!isDeepStrictEqual(next.turn, previous.turn)) b2bua.turnChanged();
    if (next.agents.jwt) desks.jwt?.useKey(next.agents.jwt);
  });
  pool.events.on("down", (server) => b2bua.serverDown(server));
  return { ...desks, trunkRegistrations, b2bua };
}

/** All that judges sign-ins. */
function openDesks(
  live: LiveConfig,
  surroundings: GatewaySurroundings,
  hasCall: (dn: string, instance: string) => boolean,
): Omit<Signalling, "trunkRegistrations" | "b2bua"> {
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
  }: Pick<Signalling, "accounts" | "guard" | "tokens" | "digest"> & {
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

function gracesOf({ agents }: Config) {
  return {
    newCallGraceMs: agents.newCallGraceSeconds * 1000,
    callGraceMs: agents.callGraceSeconds * 1000,
  };
}

function trunkOf(
  accounts: Accounts,
  { clock, random }: GatewaySurroundings,
  sip: SipSocket,
  contactHost: string,
  trunkRegistrations: PacedTrunkRegistrations,
): Trunk {
  const digest = createDigestClient({ random });
  const servers = new OutboundServers(trunkRegistrations, clock);
  return {
    contactHost,
    server: (dn, excluded) => servers.next(dn, excluded),
    avoid: (server, ms) => servers.avoid(server, ms),
    unanswered: (server, sentAt) => void trunkRegistrations.pool.unanswered(server, sentAt),
    flowTo: (uri) => sip.flowTo(uri),
    displayName: (dn) => accounts.displayName(dn),
    authentication: (dn) => {
      const credentials = accounts.trunkCredentials(dn);
      return credentials && { client: digest, credentials };
    },
  };
}
