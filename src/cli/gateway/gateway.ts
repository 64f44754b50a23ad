import type { B2bua, CallRecord } from "../../b2bua/index.ts";
import type { Config } from "../../config/index.ts";
import { createMediaPool, type MediaPool } from "../../media/index.ts";
import type { AgentRegistrar, PacedTrunkRegistrations } from "../../registrar/index.ts";
import type { TransactionLayerWithReceiver } from "../../sip/index.ts";
import type { TraceStore } from "../../trace/index.ts";
import { closeInOrder } from "./close-in-order.ts";
import { GatewayDrain } from "./drain.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { openHep } from "./hep.ts";
import { HttpSide } from "./http-side.ts";
import { LiveConfig } from "./live-config.ts";
import type { ReloadResult } from "./reload.ts";
import { createSignalling, type Signalling } from "./signalling.ts";
import { receiveRequest } from "./sip-entry.ts";
import { openSipSocket, type SipSocket } from "./sip-socket.ts";
import type { GatewaySurroundings } from "./surroundings.ts";
import { createTraces } from "./traces.ts";
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

const unregisterPatienceMs = 5000;
/** How long the BYEs of a shutdown wait for their answers, ms. */
const byePatienceMs = 1000;

/** The whole gateway, built from its rooms in the order docs/lifetimes.md gives. */
export class Gateway {
  readonly #parts: GatewayParts;
  readonly #http: HttpSide;
  readonly drain: GatewayDrain;
  #closing = false;
  readonly #closed = Promise.withResolvers<void>();
  /** Resolves when the gateway has closed, by itself at the end of a drain or because somebody asked. */
  readonly closed: Promise<void> = this.#closed.promise;

  private constructor(parts: GatewayParts) {
    this.#parts = parts;
    const { clock, log } = parts.surroundings;
    this.drain = new GatewayDrain({
      ...parts.signalling,
      webSocket: () => this.#http.webSocket,
      clock,
      log: log.child({ room: "cli" }),
      close: (reason) => {
        this.close(reason).catch((error: unknown) =>
          log.error({ err: error }, "not everything could be closed"),
        );
      },
    });
    this.#http = new HttpSide({ ...parts, drain: this.drain, closing: () => this.#closing });
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
    let signalling: Signalling | undefined;
    let sip: SipSocket | undefined;
    try {
      // Requests arrive as soon as the socket is bound; what comes in the moment before is repeated by its sender.
      sip = await openSipSocket(
        config,
        surroundings,
        (request, transaction) => signalling && receiveRequest(signalling, request, transaction),
        watcher,
      );
      signalling = createSignalling(live, surroundings, sip, media, watcher);
      gateway = new Gateway({ live, surroundings, media, sip, signalling, traces, hep });
      await gateway.#http.open();
      return gateway;
    } catch (error) {
      await (gateway
        ? gateway.close("could not start")
        : Promise.all([sip?.close(), media.close(), hep?.close()]));
      throw error;
    }
  }

  /** What a reload replaces. */
  get live(): LiveConfig {
    return this.#parts.live;
  }

  get config(): Config {
    return this.live.current;
  }

  get media(): MediaPool {
    return this.#parts.media;
  }

  /** The ladders of the last calls; undefined: off, or nobody could read them. */
  get traces(): TraceStore | undefined {
    return this.#parts.traces;
  }

  get b2bua(): B2bua {
    return this.#parts.signalling.b2bua;
  }

  get registrar(): AgentRegistrar {
    return this.#parts.signalling.registrar;
  }

  get trunkRegistrations(): PacedTrunkRegistrations {
    return this.#parts.signalling.trunkRegistrations;
  }

  get transactions(): TransactionLayerWithReceiver {
    return this.#parts.sip.transactions;
  }

  get httpPort(): number {
    return this.#http.port;
  }

  get sipPort(): number {
    return this.#parts.sip.transports.port;
  }

  get counts(): GatewayCounts {
    const { client, server } = this.transactions.counts;
    return {
      calls: this.b2bua.size,
      dialogs: this.#parts.sip.dispatcher.size,
      transactions: client + server,
      mediaSessions: this.media.sessions,
      signedIn: this.registrar.size,
      connections: this.#http.webSocket?.connections ?? 0,
    };
  }

  /** Calls each `record` once, when its call is over. */
  onCallRecord(listener: (record: CallRecord) => void): () => void {
    return this.b2bua.events.on("ended", listener);
  }

  /** See `Reloader.reload`. */
  reload(by: string): ReloadResult {
    return this.#http.reload(by);
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
    this.#http.stopReloads();
    const hadCalls = this.b2bua.size > 0;
    this.b2bua.close(reason);
    if (hadCalls)
      await new Promise<void>((done) => void this.#parts.surroundings.clock.setTimer(byePatienceMs, done));
    try {
      await closeInOrder([
        () => this.trunkRegistrations.closeAll({ unregister: true, timeoutMs: unregisterPatienceMs }),
        ...this.#http.closeSteps(),
        () => this.#parts.signalling.accounts.directory?.close(),
        () => this.#parts.signalling.jwt?.close(),
        () => this.registrar.close(),
        () => this.transactions.close(),
        () => this.#parts.sip.close(),
        () => this.#parts.hep?.close(),
        () => this.media.close(),
      ]);
    } finally {
      this.drain.closed();
    }
  }
}
