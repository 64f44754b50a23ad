import { MetricsDoor, registerAdminRoutes, type HealthSources } from "../../admin/index.ts";
import type { Flow } from "../../sip/index.ts";
import {
  attachWebSocket,
  openHttpServer,
  servePages,
  type HttpServer,
  type WebSocketEndpoint,
} from "../../ws/index.ts";
import { onlookers } from "../onlookers/onlookers.ts";
import { version } from "../version.ts";
import { openAdminLogin } from "./admin-login.ts";
import { closeTogether, type CloseStep } from "./close-in-order.ts";
import type { GatewayDrain } from "./drain.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { Reloader, type ReloadResult } from "./reload.ts";
import type { Onlooker } from "./rooms.ts";
import { browserReceiver } from "./sip-entry.ts";
import { pageOptionsOf, webSocketTermsOf } from "./terms.ts";

/** A page has registered long before; who has not by then only holds a place. */
const signInSeconds = 60;

export interface HttpSideParts extends GatewayParts {
  readonly drain: GatewayDrain;
  /** The gateway is being closed. */
  readonly closing: () => boolean;
}

/** All that is reached by HTTP: health, onlookers, pages and the browsers' WebSockets. */
export class HttpSide {
  readonly #parts: HttpSideParts;
  /** Monotonic, ms. */
  readonly #startedAt: number;
  #http: HttpServer | undefined;
  #webSocket: WebSocketEndpoint | undefined;
  readonly #onlookers: Onlooker[] = [];
  #reloader: Reloader | undefined;
  /** Everything is open. */
  #listening = false;

  constructor(parts: HttpSideParts) {
    this.#parts = parts;
    this.#startedAt = parts.surroundings.clock.now();
  }

  get port(): number {
    return this.#http?.port ?? 0;
  }

  /** Undefined before it is open. */
  get webSocket(): WebSocketEndpoint | undefined {
    return this.#webSocket;
  }

  /** Opened last; rejects with the system's error when an address cannot be bound. What is open then, `closeSteps` closes. */
  async open(): Promise<void> {
    const { live, surroundings, signalling, sip } = this.#parts;
    const { clock, log, pageDirectory } = surroundings;
    const { host, port, tls } = live.current.http;
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
    await servePages(server.app, pageDirectory, () => pageOptionsOf(live.current));
    this.#webSocket = attachWebSocket({
      server,
      path: live.current.websocket.path,
      ...webSocketTermsOf(live.current),
      receiver: browserReceiver(sip.transactions, signalling),
      clock,
      log: log.child({ room: "ws" }),
      signIn: { withinSeconds: signInSeconds, done: (flow) => this.#inUse(flow) },
    });
    await server.listen();
    this.#listening = true;
  }

  get #health(): HealthSources {
    const { live, media, signalling, surroundings, closing } = this.#parts;
    const { b2bua, registrar, trunkRegistrations } = signalling;
    return {
      phase: () => (closing() ? "stopping" : this.#listening ? "open" : "starting"),
      registeredAgents: () => registrar.size,
      activeCalls: () => b2bua.size,
      sipServers: () => trunkRegistrations.pool.list(),
      probing: () => live.current.sipServer.optionsSeconds > 0,
      mediaFull: () => media.full,
      draining: () => b2bua.draining,
      uptime: () => (surroundings.clock.now() - this.#startedAt) / 1000,
      version,
    };
  }

  async #openOnlookers(http: HttpServer): Promise<void> {
    const { live, surroundings, sip, media, signalling, traces, hep, drain } = this.#parts;
    const rooms = {
      ...signalling,
      live,
      surroundings,
      sip,
      media,
      http,
      webSocket: () => this.#webSocket,
      metrics: new MetricsDoor(),
      health: this.#health,
      drain,
      traces,
      hep,
      admin: openAdminLogin(live.current, surroundings, http),
    };
    const reloader = new Reloader(rooms);
    this.#reloader = reloader;
    for (const open of onlookers) {
      const onlooker = await open({ ...rooms, reloader });
      if (onlooker) this.#onlookers.push(onlooker);
    }
  }

  /** Somebody is signed in by this connection, or was and still has a call on it. */
  #inUse(flow: Flow): boolean {
    const { registrar, b2bua } = this.#parts.signalling;
    return registrar.findByFlow(flow) !== undefined || b2bua.hasCallOn(flow);
  }

  /** See `Reloader.reload`. */
  reload(by: string): ReloadResult {
    return this.#reloader?.reload(by) ?? { outcome: "impossible", reason: "the gateway is not up yet" };
  }

  /** No file is watched any more. */
  stopReloads(): void {
    this.#reloader?.close();
  }

  /** In this order; onlookers first, since they have routes and connections here. */
  closeSteps(): CloseStep[] {
    return [
      () => closeTogether(this.#onlookers.map((onlooker) => () => onlooker.close())),
      () => this.#webSocket?.close(),
      () => this.#http?.close(),
    ];
  }
}
