import { endpointCollector, registerEndpointTokenRoutes } from "../../admin/index.ts";
import { tokenSecret, type Config } from "../../config/index.ts";
import {
  EndpointDesk,
  EndpointSessions,
  EndpointTokens,
  registerEndpointRoutes,
  type EndpointTerms,
  type PageCredentials,
  type SipServerName,
} from "../../endpoint/index.ts";
import type { CertificateInfo } from "../../ws/index.ts";
import type { GatewayRooms, Onlooker } from "../gateway/rooms.ts";

/** WWE's SIP endpoint API at `/endpoint/`, and what issues its tokens. Undefined: it is off. */
export function openEndpoint(rooms: GatewayRooms): Onlooker | undefined {
  const { live, surroundings, http, guard, metrics, registrar, trunkRegistrations } = rooms;
  const secret = tokenSecret(live.current);
  if (!live.current.endpoint.enabled || secret === undefined) return undefined;
  const { clock, random } = surroundings;
  const log = surroundings.log.child({ room: "endpoint" });
  const tokens = new EndpointTokens({
    secret,
    revoked: () => live.current.endpoint.revokedTokens,
    pageSessionMs: live.current.agents.tokens.sessionHours * 3_600_000,
    clock,
    random,
  });
  const sessions = new EndpointSessions({
    registrar,
    trunk: trunkRegistrations,
    credentialsFor: (dn) => credentialsFor(rooms, dn),
    signOut: (dn, reason) => signOut(rooms, dn, reason),
    busy: (dn) => rooms.b2bua.hasCallOf(dn),
    isOver: (page) => tokens.isOver(page),
    clock,
    log,
  });
  const terms = termsOf(rooms);
  const servers = (): SipServerName[] => serverNames(rooms);
  const desk = new EndpointDesk({ tokens, sessions, guard, terms, servers, secure: http.secure, clock, log });
  registerEndpointRoutes(http.app, desk);
  openTokenRoutes(rooms, tokens, sessions);
  const stops = [
    metrics.add(endpointCollector(sessions, desk.counters)),
    live.events.on("changed", (next, previous) => {
      const now = tokenSecret(next);
      const isNew = now !== tokenSecret(previous);
      if (now !== undefined) tokens.secret = now;
      sessions.endPages((id) => isNew || tokens.isRevoked(id));
    }),
  ];
  return {
    close() {
      for (const stop of stops) stop();
      sessions.close();
    },
  };
}

function openTokenRoutes(
  { admin, http, accounts }: GatewayRooms,
  tokens: EndpointTokens,
  sessions: EndpointSessions,
): void {
  if (!admin) return;
  const prepare = accounts.prepare.bind(accounts);
  const { login: access, audits } = admin;
  registerEndpointTokenRoutes(http.app, { tokens, sessions, accounts, prepare, access, audits });
}

async function credentialsFor(
  { tokens, accounts }: GatewayRooms,
  dn: string,
): Promise<PageCredentials | string> {
  const readiness = (await accounts.prepare(dn, `endpoint of ${dn}`)) ?? "ready";
  if (readiness !== "ready") return "the agents' directory gives no answer";
  const session = tokens?.sessionFor(dn) ?? { refusal: "no-key" };
  if ("refusal" in session) return "nobody may sign in with this DN";
  const { user, realm, ha1, expiresAt } = session;
  return { dn, user, realm, ha1, expires_at: new Date(expiresAt).toISOString() };
}

/** As an administrator's sign-out: a connection with a call on it stays. */
function signOut({ registrar, b2bua, webSocket }: GatewayRooms, dn: string, reason: string): void {
  for (const { flow } of registrar.signOut(dn, reason))
    if (flow && !b2bua.hasCallOn(flow)) webSocket()?.dismiss(flow, reason);
}

/** Asked at each request: made anew only after a change. */
function termsOf({ live, http }: GatewayRooms): () => EndpointTerms {
  let of: { readonly config: Config; readonly certificate: CertificateInfo | undefined } | undefined;
  let terms: EndpointTerms = { origins: [], hosts: [] };
  return () => {
    const { current: config } = live;
    const { certificate } = http;
    if (of?.config !== config || of.certificate !== certificate) {
      of = { config, certificate };
      const { origins, hosts } = config.endpoint;
      terms = {
        origins,
        hosts: hosts.length > 0 ? hosts : ownNames(config.http.host, certificate?.names ?? []),
      };
    }
    return terms;
  };
}

function ownNames(host: string, certified: readonly string[]): string[] {
  if (host.startsWith("127.")) return [...certified, host, "localhost", "127.0.0.1"];
  return host === "0.0.0.0" ? [...certified] : [...certified, host];
}

/** As configured, where that leads now, and what else WWE may call them. */
function serverNames({ live, trunkRegistrations }: GatewayRooms): SipServerName[] {
  const { sipServer, endpoint } = live.current;
  const found = trunkRegistrations.servers().map(({ flow }) => {
    return { host: flow.remoteAddress, port: flow.remotePort };
  });
  const others = endpoint.sipServerNames.map((text) => {
    const [host = "", port] = text.split(":");
    return { host, port: port === undefined ? undefined : Number(port) };
  });
  return [...sipServer.addresses, ...found, ...others];
}
