import { isDeepStrictEqual } from "node:util";
import {
  B2bua,
  OutboundServers,
  trunkCapabilities,
  trunkTermsOf,
  type OutboundPolicy,
  type Trunk,
} from "../b2bua/index.ts";
import {
  autoAnswerOf,
  configuredDns,
  findAccount,
  tokenSecret,
  trunkCredentials,
  turnTerms,
  type Config,
} from "../config/index.ts";
import type { MediaPool } from "../media/index.ts";
import {
  AgentTokens,
  createRegistrar,
  createTrunkRegistrations,
  type AgentRegistrar,
  type PacedTrunkRegistrations,
} from "../registrar/index.ts";
import {
  createDigestClient,
  createDigestServer,
  type DigestSecret,
  type DigestServer,
} from "../sip/index.ts";
import type { CallTracer } from "../trace/index.ts";
import type { LiveConfig } from "./live-config.ts";
import type { SipSocket } from "./sip-socket.ts";
import type { GatewaySurroundings } from "./surroundings.ts";
import { version } from "./version.ts";

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
  const tokens = openTokens(live, surroundings);
  const hasCall = (dn: string, instance: string): boolean => b2bua.hasCall(dn, instance);
  const digest = openDigest(live, surroundings, tokens);
  const registrar = openRegistrar(live, surroundings, digest, tokens, hasCall);
  const { registration, optionsSeconds, failBackSeconds } = config.sipServer;
  const trunkTerms = trunkTermsOf(config.sipServer);
  const trunkRegistrations = createTrunkRegistrations({
    registrar,
    transactions: sip.transactions,
    peers: sip.peers,
    contact: contactHost,
    credentials: (dn) => trunkCredentials(live.current, dn),
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
    trunk: trunkOf(live, surroundings, sip, contactHost, trunkRegistrations),
    userAgent,
    trunkTerms,
    realm: config.agents.realm,
    media,
    codecs: {
      browser: config.media.browserCodecs,
      trunk: config.media.trunkCodecs,
      trunkSrtp: config.media.trunkSrtp,
    },
    registrar,
    trunkRegistrations,
    callsPerDn,
    whenFull: config.media.whenFull,
    talkPatienceMs,
    pageRingback: config.agents.pageRingback,
    clients: config.clients,
    preanswerPatienceMs: config.calls.preanswerSeconds * 1000,
    autoAnswer: (dn) => autoAnswerOf(live.current, dn),
    headersToPage: config.calls.headersToPage,
    outbound: outboundOf(config),
    tracer,
    turn: () => turnTerms(live.current),
    ...gracesOf(config),
  });
  live.events.on("changed", (next, previous) => {
    if (!isDeepStrictEqual(next.turn, previous.turn)) b2bua.turnChanged();
  });
  pool.events.on("down", (server) => b2bua.serverDown(server));
  return { registrar, trunkRegistrations, b2bua, digest, tokens };
}

function openTokens(live: LiveConfig, { clock, random }: GatewaySurroundings): AgentTokens | undefined {
  const { realm, tokens } = live.current.agents;
  const secret = tokenSecret(live.current);
  if (secret === undefined) return undefined;
  const accounts = { has: (dn: string) => findAccount(live.current, dn) !== undefined };
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
  tokens: AgentTokens | undefined,
): DigestServer {
  return createDigestServer({
    realm: live.current.agents.realm,
    clock,
    random,
    nonceLifetimeMs,
    findSecret: (user) => secretOf(live.current, user, tokens),
  });
}

function openRegistrar(
  live: LiveConfig,
  { clock, random, log }: GatewaySurroundings,
  digest: DigestServer,
  tokens: AgentTokens | undefined,
  hasCall: (dn: string, instance: string) => boolean,
): AgentRegistrar {
  const { severalBrowsers, minExpires, maxExpires } = live.current.agents;
  return createRegistrar({
    digest,
    sessions: tokens,
    accounts: { has: (dn) => findAccount(live.current, dn) !== undefined },
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

function outboundOf({ calls, sipServer }: Config): OutboundPolicy {
  return { ...calls.outbound, shutdownStatus: sipServer.shutdownStatus };
}

function trunkOf(
  live: LiveConfig,
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
    displayName: (dn) => findAccount(live.current, dn)?.displayName,
    authentication: (dn) => {
      const credentials = trunkCredentials(live.current, dn);
      return credentials && { client: digest, credentials };
    },
  };
}

function secretOf(config: Config, user: string, tokens: AgentTokens | undefined): DigestSecret | undefined {
  const session = tokens?.secretOf(user);
  if (session !== undefined) return { password: session };
  const credentials = findAccount(config, user)?.credentials;
  if (!credentials) return undefined;
  if (credentials.kind === "password") return { password: credentials.password };
  const { md5, sha256 } = credentials;
  return {
    ha1: {
      ...(md5 === undefined ? {} : { MD5: md5 }),
      ...(sha256 === undefined ? {} : { "SHA-256": sha256 }),
    },
  };
}
