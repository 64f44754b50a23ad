import { lookup } from "node:dns/promises";
import { BlockList, isIPv4 } from "node:net";
import { registerAdminRoutes } from "../admin/index.ts";
import { B2bua, trunkCapabilities, type CallRecord, type Trunk } from "../b2bua/index.ts";
import { findAccount, trunkCredentials, type Config } from "../config/index.ts";
import type { Clock, Logger, Random } from "../core/index.ts";
import { createMediaPool, type MediaPool } from "../media/index.ts";
import {
  createRegistrar,
  createTrunkRegistrations,
  type AgentRegistrar,
  type PacedTrunkRegistrations,
} from "../registrar/index.ts";
import {
  createDigestClient,
  createDigestServer,
  createTransactionLayer,
  DialogDispatcher,
  openUdpTransport,
  parseUri,
  type DigestSecret,
  type Flow,
  type FlowReceiver,
  type ServerTransaction,
  type SipRequest,
  type TransactionLayerWithReceiver,
  type UdpTransport,
} from "../sip/index.ts";
import {
  attachWebSocket,
  openHttpServer,
  servePage,
  type HttpServer,
  type WebSocketEndpoint,
} from "../ws/index.ts";
import { version } from "./version.ts";

export interface GatewaySurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Folder of the built pages. */
  readonly pageDirectory: string;
}

/** What still lives: all zero when nobody is signed in and no call runs. */
export interface GatewayCounts {
  readonly calls: number;
  readonly dialogs: number;
  readonly transactions: number;
  readonly mediaSessions: number;
  readonly signedIn: number;
  readonly connections: number;
}

const nonceLifetimeMs = 300_000;
/** A page has registered long before; who has not by then only holds a place. */
const signInSeconds = 60;
const talkPatienceMs = 8000;
const callsPerDn = 3;
const unregisterPatienceMs = 5000;
/** How long the BYEs of a shutdown wait for their answers, ms. */
const byePatienceMs = 1000;

/** The whole gateway, built from its rooms in the order docs/lifetimes.md gives. */
export class Gateway {
  readonly config: Config;
  readonly b2bua: B2bua;
  readonly registrar: AgentRegistrar;
  readonly trunkRegistrations: PacedTrunkRegistrations;
  readonly media: MediaPool;
  readonly transactions: TransactionLayerWithReceiver;
  readonly #surroundings: GatewaySurroundings;
  readonly #dispatcher: DialogDispatcher;
  readonly #udp: UdpTransport;
  #http: HttpServer | undefined;
  #webSocket: WebSocketEndpoint | undefined;
  #closing: Promise<void> | undefined;

  private constructor(config: Config, surroundings: GatewaySurroundings, media: MediaPool, opened: Opened) {
    this.config = config;
    this.#surroundings = surroundings;
    this.media = media;
    this.transactions = opened.transactions;
    this.#dispatcher = opened.dispatcher;
    this.#udp = opened.udp;
    const { clock, random, log } = surroundings;
    const context = { transactions: this.transactions, dialogs: this.#dispatcher, clock, random, log };
    const { agents, sip } = config;
    const contactHost = `${sip.advertisedAddress}:${this.#udp.port}`;
    const newCallGraceMs = agents.newCallGraceSeconds * 1000;
    const callGraceMs = agents.callGraceSeconds * 1000;
    this.registrar = createRegistrar({
      digest: createDigestServer({
        realm: agents.realm,
        clock,
        random,
        nonceLifetimeMs,
        findSecret: (dn) => secretOf(config, dn),
      }),
      accounts: { has: (dn) => findAccount(config, dn) !== undefined },
      hasCall: (dn, instance) => this.b2bua.hasCall(dn, instance),
      clock,
      random,
      log: log.child({ room: "registrar" }),
      policy: {
        severalBrowsers: agents.severalBrowsers,
        minExpires: agents.minExpires,
        maxExpires: agents.maxExpires,
        newCallGraceMs,
        callGraceMs,
      },
    });
    const { registration, optionsSeconds } = config.sipServer;
    this.trunkRegistrations = createTrunkRegistrations({
      registrar: this.registrar,
      transactions: this.transactions,
      servers: () => opened.servers,
      contact: contactHost,
      credentials: (dn) => trunkCredentials(config, dn),
      headers: trunkCapabilities(userAgent).headers,
      clock,
      random,
      log: log.child({ room: "registrar" }),
      options: {
        mode: registration.mode,
        expiresSeconds: registration.expires,
        perSecond: registration.perSecond,
        optionsSeconds,
      },
    });
    this.b2bua = new B2bua({
      context,
      trunk: this.#trunk(contactHost, opened.allow, random),
      userAgent,
      realm: agents.realm,
      media,
      codecs: { browser: config.media.browserCodecs, trunk: config.media.trunkCodecs },
      registrar: this.registrar,
      trunkRegistrations: this.trunkRegistrations,
      callsPerDn,
      talkPatienceMs,
      newCallGraceMs,
      callGraceMs,
    });
    opened.connect(this);
  }

  /** Opens everything; rejects with the system's error when an address cannot be bound or found. */
  static async open(config: Config, surroundings: GatewaySurroundings): Promise<Gateway> {
    const { clock, random, log } = surroundings;
    const media = await createMediaPool(mediaOptions(config), {
      clock,
      random,
      log: log.child({ room: "media" }),
    });
    let gateway: Gateway | undefined;
    try {
      gateway = new Gateway(config, surroundings, media, await openSip(config, surroundings));
      await gateway.#openHttp();
      return gateway;
    } catch (error) {
      await (gateway ? gateway.close("could not start") : media.close());
      throw error;
    }
  }

  async #openHttp(): Promise<void> {
    const { http, websocket } = this.config;
    const { clock, log, pageDirectory } = this.#surroundings;
    const { host, port, tls } = http;
    const server = openHttpServer({
      host,
      port,
      ...(tls ? { tls: { certFile: tls.cert, keyFile: tls.key } } : {}),
      log: log.child({ room: "ws" }),
      clock,
    });
    this.#http = server;
    registerAdminRoutes(server.app, {
      registeredAgents: () => this.registrar.size,
      activeCalls: () => this.b2bua.size,
      sipServerUp: () => this.trunkRegistrations.pool.current !== undefined,
    });
    await servePage(server.app, pageDirectory, { frameAncestors: websocket.origins });
    this.#webSocket = attachWebSocket({
      server,
      path: websocket.path,
      origins: websocket.origins,
      allowMissingOrigin: websocket.allowMissingOrigin,
      receiver: this.#browserReceiver(),
      clock,
      log: log.child({ room: "ws" }),
      limits: {
        maxMessageBytes: websocket.maxMessageBytes,
        maxConnections: websocket.maxConnections,
        maxConnectionsPerAddress: websocket.maxConnectionsPerAddress,
      },
      pingSeconds: websocket.pingSeconds,
      signIn: { withinSeconds: signInSeconds, done: (flow) => this.#inUse(flow) },
    });
    await server.listen();
  }

  /** Somebody is signed in by this connection, or was and still has a call on it. */
  #inUse(flow: Flow): boolean {
    return this.registrar.findByFlow(flow) !== undefined || this.b2bua.hasCallOn(flow);
  }

  #browserReceiver(): FlowReceiver {
    return {
      receive: (flow, bytes, framing) => this.transactions.receive(flow, bytes, framing),
      flowClosed: (flow) => {
        this.transactions.flowClosed(flow);
        this.registrar.flowClosed(flow);
        this.b2bua.connectionLost();
      },
    };
  }

  #trunk(contactHost: string, allow: (address: string) => boolean, random: Random): Trunk {
    const digest = createDigestClient({ random });
    return {
      contactHost,
      server: () => {
        const flow = this.trunkRegistrations.pool.current;
        return flow && { flow, host: `${flow.remoteAddress}:${flow.remotePort}` };
      },
      flowTo: (uri) => {
        const target = parseUri(uri);
        if (!target || !isIPv4(target.host) || !allow(target.host)) return undefined;
        return this.#udp.flowTo(target.host, target.port ?? 5060);
      },
      authentication: (dn) => {
        const credentials = trunkCredentials(this.config, dn);
        return credentials && { client: digest, credentials };
      },
    };
  }

  /** Requests outside dialogs: by the side they came from, then by method. */
  receiveRequest(request: SipRequest, transaction: ServerTransaction): void {
    if (transaction.flow.protocol === "UDP") this.b2bua.handleFromTrunk(request, transaction);
    else if (request.method === "REGISTER") this.registrar.handleRegister(transaction);
    else this.b2bua.handleFromBrowser(request, transaction);
  }

  get httpPort(): number {
    return this.#http?.port ?? 0;
  }

  get sipPort(): number {
    return this.#udp.port;
  }

  get counts(): GatewayCounts {
    const { client, server } = this.transactions.counts;
    return {
      calls: this.b2bua.size,
      dialogs: this.#dispatcher.size,
      transactions: client + server,
      mediaSessions: this.media.sessions,
      signedIn: this.registrar.size,
      connections: this.#webSocket?.connections ?? 0,
    };
  }

  /** Calls each `record` once, when its call is over. */
  onCallRecord(listener: (record: CallRecord) => void): () => void {
    return this.b2bua.events.on("ended", listener);
  }

  /** Ends calls with BYE, un-registers the DNs, closes sockets and workers. Idempotent. */
  close(reason = "gateway is shutting down"): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: string): Promise<void> {
    const hadCalls = this.b2bua.size > 0;
    this.b2bua.close(reason);
    if (hadCalls)
      await new Promise<void>((done) => void this.#surroundings.clock.setTimer(byePatienceMs, done));
    await this.trunkRegistrations.closeAll({ unregister: true, timeoutMs: unregisterPatienceMs });
    await this.#webSocket?.close();
    await this.#http?.close();
    this.registrar.close();
    this.transactions.close();
    await this.#udp.close();
    await this.media.close();
  }
}

const userAgent = `Jackfield/${version}`;

interface Opened {
  readonly transactions: TransactionLayerWithReceiver;
  readonly dispatcher: DialogDispatcher;
  readonly udp: UdpTransport;
  readonly servers: readonly Flow[];
  readonly allow: (address: string) => boolean;
  /** Requests arrive as soon as the socket is bound; they are led to the gateway from here on. */
  connect(gateway: Gateway): void;
}

async function openSip(config: Config, { clock, random, log }: GatewaySurroundings): Promise<Opened> {
  let gateway: Gateway | undefined;
  const dispatcher = new DialogDispatcher((request, transaction) =>
    gateway?.receiveRequest(request, transaction),
  );
  const sipLog = log.child({ room: "sip" });
  const transactions = createTransactionLayer({ clock, random, log: sipLog, user: dispatcher });
  const addresses = await resolveServers(config);
  const allow = allowList([...addresses.map(({ address }) => address), ...config.sipServer.allow]);
  const udp = await openUdpTransport({ ...config.sip, receiver: transactions, allow, log: sipLog });
  const servers = addresses.map(({ address, port }) => udp.flowTo(address, port));
  return { transactions, dispatcher, udp, servers, allow, connect: (opened) => (gateway = opened) };
}

/** Every A record of every address, in the order configured (genesys-sip-server.md 10: SIP Proxy pools). */
async function resolveServers(config: Config): Promise<{ address: string; port: number }[]> {
  const found = await Promise.all(
    config.sipServer.addresses.map(async ({ host, port }) => {
      const records = await lookup(host, { all: true, family: 4 });
      return records.map(({ address }) => ({ address, port }));
    }),
  );
  return found.flat();
}

function allowList(entries: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", bits] = entry.split("/");
    if (bits === undefined) list.addAddress(address, "ipv4");
    else list.addSubnet(address, Number(bits), "ipv4");
  }
  return (address) => isIPv4(address) && list.check(address, "ipv4");
}

function mediaOptions({ media }: Config) {
  const { host, advertisedAddress, browserPort, rtpPorts, workers, trunkSource, idleSeconds } = media;
  return { host, advertisedAddress, browserPort, rtpPorts, workers, trunkSource, idleMs: idleSeconds * 1000 };
}

function secretOf(config: Config, dn: string): DigestSecret | undefined {
  const credentials = findAccount(config, dn)?.credentials;
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
