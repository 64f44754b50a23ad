import {
  AuditLog,
  Login,
  MetricsDoor,
  registerAdminRoutes,
  registerLoginRoutes,
  type HealthSources,
} from "../../admin/index.ts";
import type { B2bua, CallRecord } from "../../b2bua/index.ts";
import { adminIsOn, type Config } from "../../config/index.ts";
import { createMediaPool, type MediaPool } from "../../media/index.ts";
import type { AgentRegistrar, PacedTrunkRegistrations } from "../../registrar/index.ts";
import type {
  Flow,
  FlowReceiver,
  ServerTransaction,
  SipRequest,
  TransactionLayerWithReceiver,
} from "../../sip/index.ts";
import {
  attachWebSocket,
  openHttpServer,
  servePages,
  type HttpServer,
  type WebSocketEndpoint,
} from "../../ws/index.ts";
import { TraceStore } from "../../trace/index.ts";
import { closeInOrder, closeTogether } from "./close-in-order.ts";
import { GatewayDrain } from "./drain.ts";
import { openHep, type HepCopy } from "./hep.ts";
import { LiveConfig } from "./live-config.ts";
import { onlookers } from "../onlookers/onlookers.ts";
import { Reloader, type ReloadResult } from "./reload.ts";
import type { GatewayRooms, Onlooker } from "./rooms.ts";
import { createSignalling, type Signalling } from "./signalling.ts";
import { openSipSocket, type SipSocket } from "./sip-socket.ts";
import { pageOptionsOf, webSocketTermsOf } from "./terms.ts";
import type { GatewaySurroundings } from "./surroundings.ts";
import { joinWatchers } from "./watchers.ts";

/** What still lives: all zero when nobody is signed in and no call runs. */
export interface GatewayCounts {
  readonly calls: number;
  readonly dialogs: number;
  readonly transactions: number;
  readonly mediaSessions: number;
  readonly signedIn: number;
  readonly connections: number;
}

/** A page has registered long before; who has not by then only holds a place. */
const signInSeconds = 60;
const unregisterPatienceMs = 5000;
/** How long the BYEs of a shutdown wait for their answers, ms. */
const byePatienceMs = 1000;

/** The whole gateway, built from its rooms in the order docs/lifetimes.md gives. */
export class Gateway {
  /** What a reload replaces. */
  readonly live: LiveConfig;
  readonly media: MediaPool;
  readonly #surroundings: GatewaySurroundings;
  readonly #sip: SipSocket;
  readonly #signalling: Signalling;
  /** The ladders of the last calls; undefined: off, or nobody could read them. */
  readonly traces: TraceStore | undefined;
  readonly #hep: HepCopy | undefined;
  #http: HttpServer | undefined;
  readonly #onlookers: Onlooker[] = [];
  #webSocket: WebSocketEndpoint | undefined;
  #reloader: Reloader | undefined;
  #closing = false;
  readonly #closed = Promise.withResolvers<void>();
  readonly drain: GatewayDrain;
  /** Resolves when the gateway has closed, by itself at the end of a drain or because somebody asked. */
  readonly closed: Promise<void> = this.#closed.promise;
  /** Monotonic, ms. */
  readonly #startedAt: number;
  /** The HTTP server listens: everything is open. */
  #listening = false;

  private constructor(
    live: LiveConfig,
    surroundings: GatewaySurroundings,
    media: MediaPool,
    sip: SipSocket,
    signalling: Signalling,
    traces: TraceStore | undefined,
    hep: HepCopy | undefined,
  ) {
    this.live = live;
    this.#surroundings = surroundings;
    this.media = media;
    this.#sip = sip;
    this.#signalling = signalling;
    this.traces = traces;
    this.#startedAt = surroundings.clock.now();
    this.#hep = hep;
    const { clock, log } = surroundings;
    const { b2bua, registrar, trunkRegistrations } = signalling;
    this.drain = new GatewayDrain({
      b2bua,
      registrar,
      trunkRegistrations,
      webSocket: () => this.#webSocket,
      clock,
      log: log.child({ room: "cli" }),
      close: (reason) => {
        this.close(reason).catch((error: unknown) =>
          log.error({ err: error }, "not everything could be closed"),
        );
      },
    });
  }

  /** Opens everything; rejects with the system's error when an address cannot be bound or found. */
  static async open(config: Config, surroundings: GatewaySurroundings): Promise<Gateway> {
    const { clock, random, log } = surroundings;
    const live = new LiveConfig(config, log);
    const traces = createTraces(config, surroundings);
    const media = await createMediaPool(
      { ...config.media, idleMs: config.media.idleSeconds * 1000, tellSteps: traces !== undefined },
      { clock, random, log: log.child({ room: "media" }) },
    );
    const hep = openHep(config, surroundings);
    const watcher = joinWatchers([traces, hep?.watcher].filter((one) => one !== undefined));
    let gateway: Gateway | undefined;
    let sip: SipSocket | undefined;
    try {
      // Requests arrive as soon as the socket is bound; what comes in the moment before is repeated by its sender.
      sip = await openSipSocket(
        config,
        surroundings,
        (request, transaction) => gateway?.receiveRequest(request, transaction),
        watcher,
      );
      const signalling = createSignalling(live, surroundings, sip, media, watcher);
      gateway = new Gateway(live, surroundings, media, sip, signalling, traces, hep);
      await gateway.#openHttp();
      return gateway;
    } catch (error) {
      await (gateway
        ? gateway.close("could not start")
        : Promise.all([sip?.close(), media.close(), hep?.close()]));
      throw error;
    }
  }

  get config(): Config {
    return this.live.current;
  }

  get b2bua(): B2bua {
    return this.#signalling.b2bua;
  }

  get registrar(): AgentRegistrar {
    return this.#signalling.registrar;
  }

  get trunkRegistrations(): PacedTrunkRegistrations {
    return this.#signalling.trunkRegistrations;
  }

  get transactions(): TransactionLayerWithReceiver {
    return this.#sip.transactions;
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
    registerAdminRoutes(server.app, this.#health);
    await this.#openOnlookers(server);
    await servePages(server.app, pageDirectory, () => pageOptionsOf(this.config));
    this.#webSocket = attachWebSocket({
      server,
      path: websocket.path,
      ...webSocketTermsOf(this.config),
      receiver: this.#browserReceiver(),
      clock,
      log: log.child({ room: "ws" }),
      signIn: { withinSeconds: signInSeconds, done: (flow) => this.#inUse(flow) },
    });
    await server.listen();
    this.#listening = true;
  }

  get #health(): HealthSources {
    const { clock } = this.#surroundings;
    return {
      phase: () => (this.#closing ? "stopping" : this.#listening ? "open" : "starting"),
      registeredAgents: () => this.registrar.size,
      activeCalls: () => this.b2bua.size,
      sipServers: () => this.trunkRegistrations.pool.list(),
      probing: () => this.config.sipServer.optionsSeconds > 0,
      mediaFull: () => this.media.full,
      draining: () => this.b2bua.draining,
      uptime: () => (clock.now() - this.#startedAt) / 1000,
    };
  }

  async #openOnlookers(http: HttpServer): Promise<void> {
    const { live, media, registrar, trunkRegistrations, b2bua, traces } = this;
    const surroundings = this.#surroundings;
    const rooms = {
      live,
      surroundings,
      sip: this.#sip,
      registrar,
      trunkRegistrations,
      b2bua,
      media,
      http,
      webSocket: () => this.#webSocket,
      metrics: new MetricsDoor(),
      health: this.#health,
      drain: this.drain,
      traces,
      digest: this.#signalling.digest,
      hep: this.#hep,
      tokens: this.#signalling.tokens,
      accounts: this.#signalling.accounts,
      guard: this.#signalling.guard,
      signIn: this.#signalling.signIn,
      admin: this.#openAdmin(http),
    };
    const reloader = new Reloader(rooms);
    this.#reloader = reloader;
    for (const open of onlookers) {
      const onlooker = await open({ ...rooms, reloader });
      if (onlooker) this.#onlookers.push(onlooker);
    }
  }

  /** Who may ask for more than health, and how he signs in. */
  #openAdmin({ app, secure }: HttpServer): GatewayRooms["admin"] {
    if (!adminIsOn(this.config)) return undefined;
    const { admin } = this.config;
    const { clock, random, log: gatewayLog } = this.#surroundings;
    const log = gatewayLog.child({ room: "admin" });
    const login = new Login({ admin, secure, clock, random, log });
    registerLoginRoutes(app, { login, clock, random, log });
    return { login, audits: new AuditLog(clock, log) };
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

  /** Requests outside dialogs: by the side they came from, then by method. */
  receiveRequest(request: SipRequest, transaction: ServerTransaction): void {
    if (transaction.flow.side === "trunk") this.b2bua.handleFromTrunk(request, transaction);
    else if (request.method === "REGISTER") this.#signalling.registerDesk.receive(transaction);
    else this.b2bua.handleFromBrowser(request, transaction);
  }

  get httpPort(): number {
    return this.#http?.port ?? 0;
  }

  get sipPort(): number {
    return this.#sip.transports.port;
  }

  get counts(): GatewayCounts {
    const { client, server } = this.transactions.counts;
    return {
      calls: this.b2bua.size,
      dialogs: this.#sip.dispatcher.size,
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

  /** See `Reloader.reload`. */
  reload(by: string): ReloadResult {
    return this.#reloader?.reload(by) ?? { outcome: "impossible", reason: "the gateway is not up yet" };
  }

  /** Ends calls with BYE, un-registers the DNs, closes sockets and workers. Idempotent. */
  close(reason = "gateway is shutting down"): Promise<void> {
    if (!this.#closing)
      void this.#close(reason).then(
        () => this.#closed.resolve(),
        (error: unknown) => this.#closed.reject(error),
      );
    this.#closing = true;
    return this.closed;
  }

  async #close(reason: string): Promise<void> {
    this.drain.closing();
    this.#reloader?.close();
    const hadCalls = this.b2bua.size > 0;
    this.b2bua.close(reason);
    if (hadCalls)
      await new Promise<void>((done) => void this.#surroundings.clock.setTimer(byePatienceMs, done));
    try {
      await closeInOrder([
        () => this.trunkRegistrations.closeAll({ unregister: true, timeoutMs: unregisterPatienceMs }),
        () => closeTogether(this.#onlookers.map((onlooker) => () => onlooker.close())),
        () => this.#webSocket?.close(),
        () => this.#http?.close(),
        () => this.#signalling.accounts.directory?.close(),
        () => this.#signalling.jwt?.close(),
        () => this.registrar.close(),
        () => this.transactions.close(),
        () => this.#sip.close(),
        () => this.#hep?.close(),
        () => this.media.close(),
      ]);
    } finally {
      this.drain.closed();
    }
  }
}

function createTraces(config: Config, { clock }: GatewaySurroundings): TraceStore | undefined {
  const { calls, megabytes, showDigits } = config.trace;
  const read = adminIsOn(config) || config.openTelemetry.endpoint !== undefined;
  if (!read || calls === 0) return undefined;
  return new TraceStore(clock, { calls, bytes: megabytes * 1_000_000, showDigits });
}
