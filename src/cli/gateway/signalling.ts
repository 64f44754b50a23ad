import { isDeepStrictEqual } from "node:util";
import { B2bua, OutboundServers, trunkCapabilities, trunkTermsOf, type Trunk } from "../../b2bua/index.ts";
import { autoAnswerOf, configuredDns, turnTerms } from "../../config/index.ts";
import type { MediaPool } from "../../media/index.ts";
import { createTrunkRegistrations, type PacedTrunkRegistrations } from "../../registrar/index.ts";
import { createDigestClient } from "../../sip/index.ts";
import type { CallTracer } from "../../trace/index.ts";
import type { Accounts } from "./accounts.ts";
import { openDesks, type Desks } from "./desks.ts";
import type { LiveConfig } from "./live-config.ts";
import type { SipSocket } from "./sip-socket.ts";
import { callTermsOf, gracesOf, registrationOf } from "./terms.ts";
import type { GatewaySurroundings } from "./surroundings.ts";
import { version } from "../version.ts";

const userAgent = `Jackfield/${version}`;
const talkPatienceMs = 8000;
const callsPerDn = 3;

/** Everything above the SIP socket on the main thread. */
export interface Signalling extends Desks {
  readonly trunkRegistrations: PacedTrunkRegistrations;
  readonly b2bua: B2bua;
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
  const trunkTerms = trunkTermsOf(config.sipServer);
  // Registrar and trunk registrations ask the B2BUA, which is made after them, only when a connection is lost.
  const desks = openDesks(live, surroundings, (dn, instance) => b2bua.hasCall(dn, instance));
  const { registrar, accounts } = desks;
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
    options: registrationOf(config),
    inUse: (server) => b2bua.hasCallAt(server),
  });
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
  const signalling = { ...desks, trunkRegistrations, b2bua };
  connect(signalling, live, sip);
  return signalling;
}

/** What each is told of the others, and of a reload. */
function connect({ trunkRegistrations, b2bua, jwt }: Signalling, live: LiveConfig, sip: SipSocket): void {
  const { pool } = trunkRegistrations;
  sip.allowAlso((address) => pool.list().some(({ flow }) => flow.remoteAddress === address));
  live.events.on("changed", (next, previous) => {
    if (next.agents !== previous.agents) trunkRegistrations.setAllDns(configuredDns(next));
    if (!isDeepStrictEqual(next.turn, previous.turn)) b2bua.turnChanged();
    if (next.agents.jwt) jwt?.useKey(next.agents.jwt);
  });
  pool.events.on("down", (server) => b2bua.serverDown(server));
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
