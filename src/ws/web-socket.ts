import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { randomId, systemRandom, type Clock, type Logger, type Random } from "../core/index.ts";
import type { Flow, FlowReceiver } from "../sip/index.ts";
import { refuseUpgrade, type HttpServer } from "./http-server.ts";
import type { WebSocketCounters, WebSocketLimits } from "./web-socket-limits.ts";
import { closeCodes, WebSocketFlow, type FlowSurroundings, type SignInDeadline } from "./web-socket-flow.ts";

/** What may change while the endpoint serves. */
export type WebSocketTerms = Pick<
  WebSocketOptions,
  "origins" | "allowMissingOrigin" | "limits" | "pingSeconds"
>;

/** Where WebSockets are served, to whom, and who gets their messages. */
export interface WebSocketOptions {
  readonly server: HttpServer;
  /** Path of the endpoint, e.g. `/ws`. */
  readonly path: string;
  /** Origins whose pages may connect, e.g. `https://wwe.example.com`. Our own is allowed only when listed. */
  readonly origins: readonly string[];
  /** True lets clients in that send no Origin: programs, not browsers. */
  readonly allowMissingOrigin?: boolean;
  readonly receiver: FlowReceiver;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random?: Random;
  readonly limits?: WebSocketLimits;
  /** Ends connections on which nobody signed in. Default: none is ended for it. */
  readonly signIn?: SignInDeadline;
  /** Seconds between pings. Default 25: below the 30 s after which the impatient proxies cut. */
  readonly pingSeconds?: number;
}

/** SIP over WebSocket at one path of the HTTP server. */
export interface WebSocketEndpoint {
  readonly counters: Readonly<WebSocketCounters>;
  /** Connections open now. */
  readonly connections: number;
  /** Addresses that they come from. */
  readonly addresses: number;
  /** What holds for connections that come from now on. */
  configure(terms: WebSocketTerms): void;
  /** Ends one connection (1008, RFC 6455 7.4.1) with words for its page; false when it is none of ours, or gone. */
  dismiss(flow: Pick<Flow, "id">, reason: string): boolean;
  /** Ends one connection whose client is to connect again (1012, Service Restart); false as for `dismiss`. */
  move(flow: Pick<Flow, "id">, reason: string): boolean;
  /** Takes no more, says 1001 to all, cuts those that do not answer in a second. Idempotent. */
  close(): Promise<void>;
}

const defaultLimits: Required<WebSocketLimits> = {
  maxMessageBytes: 65_536,
  maxConnections: 4_000,
  maxConnectionsPerAddress: 1_200,
  maxBufferedBytes: 1024 * 1024,
  messagesPerSecond: 50,
  messageBurst: 200,
};

const defaultPingSeconds = 25;
const subprotocol = "sip";
const closeTimeoutMs = 1_000;

/** Serves RFC 7118 at `path`. Attach before `server.listen()`. */
export function attachWebSocket(options: WebSocketOptions): WebSocketEndpoint {
  return new Endpoint(options);
}

class Endpoint implements WebSocketEndpoint {
  readonly counters: WebSocketCounters = {
    accepted: 0,
    closed: 0,
    refusedOrigin: 0,
    refusedProtocol: 0,
    refusedLimit: 0,
    messagesReceived: 0,
    messagesSent: 0,
    keepAlives: 0,
    pongs: 0,
    sendErrors: 0,
    protocolErrors: 0,
    closedForRate: 0,
    closedForSilence: 0,
    closedForNoSignIn: 0,
    closedForBackpressure: 0,
    receiverErrors: 0,
  };
  readonly #options: WebSocketOptions;
  #limits: Required<WebSocketLimits>;
  #origins: ReadonlySet<string>;
  #allowMissingOrigin: boolean;
  readonly #random: Random;
  #shared: FlowSurroundings;
  readonly #wss: WebSocketServer;
  readonly #flows = new Set<WebSocketFlow>();
  readonly #perAddress = new Map<string, number>();
  readonly #detach: () => void;
  #closing: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: WebSocketOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#origins = new Set(options.origins.map(normalOrigin));
    this.#allowMissingOrigin = options.allowMissingOrigin === true;
    this.#random = options.random ?? systemRandom;
    this.#shared = {
      clock: options.clock,
      log: options.log,
      limits: this.#limits,
      pingSeconds: options.pingSeconds ?? defaultPingSeconds,
      signIn: options.signIn,
      receiver: options.receiver,
      counters: this.counters,
    };
    this.#wss = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: this.#limits.maxMessageBytes,
      maxFragments: 64,
      // The flow answers pings itself, within its limits.
      autoPong: false,
      handleProtocols: () => subprotocol,
    });
    this.#wss.on("wsClientError", (_error, socket) => {
      this.counters.protocolErrors++;
      refuseUpgrade(socket, 400, "not a WebSocket handshake (RFC 6455 4.2.1)");
    });
    this.#detach = options.server.onUpgrade((request, socket, head) =>
      this.#onUpgrade(request, socket, head),
    );
    options.server.app.get(options.path, (_request, reply) =>
      reply.status(426).header("upgrade", "websocket").send({ error: "this path speaks SIP over WebSocket" }),
    );
  }

  get connections(): number {
    return this.#flows.size;
  }

  get addresses(): number {
    return this.#perAddress.size;
  }

  configure({ origins, allowMissingOrigin, limits, pingSeconds }: WebSocketTerms): void {
    this.#origins = new Set(origins.map(normalOrigin));
    this.#allowMissingOrigin = allowMissingOrigin === true;
    this.#limits = { ...defaultLimits, ...limits };
    this.#shared = { ...this.#shared, limits: this.#limits, pingSeconds: pingSeconds ?? defaultPingSeconds };
    // Read anew for each connection.
    this.#wss.options.maxPayload = this.#limits.maxMessageBytes;
  }

  dismiss(flow: Pick<Flow, "id">, reason: string): boolean {
    return this.#end(flow, closeCodes.policyViolation, reason);
  }

  move(flow: Pick<Flow, "id">, reason: string): boolean {
    return this.#end(flow, closeCodes.serviceRestart, reason);
  }

  #end({ id }: Pick<Flow, "id">, code: number, reason: string): boolean {
    for (const flow of this.#flows) {
      if (flow.id !== id || !flow.open) continue;
      flow.close(code, reason);
      return true;
    }
    return false;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#detach();
    for (const flow of this.#flows) flow.close(closeCodes.goingAway, "server is closing");
    if (this.#flows.size > 0) {
      const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
      const timer = this.#options.clock.setTimer(closeTimeoutMs, () => {
        for (const flow of this.#flows) flow.terminate();
      });
      await empty;
      timer.clear();
    }
    this.#wss.close();
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (request.url?.split("?", 1)[0] !== this.#options.path) return false;
    const address = plainAddress(request.socket.remoteAddress);
    const refusal = this.#refusal(request, address);
    if (refusal) {
      const [status, why] = refusal;
      this.#options.log.info(
        { remoteAddress: address, origin: request.headers.origin, status, why },
        "WebSocket refused",
      );
      refuseUpgrade(socket, status, why);
      return true;
    }
    this.#wss.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, request, address));
    return true;
  }

  #refusal(request: IncomingMessage, address: string): [status: number, why: string] | undefined {
    const { origin } = request.headers;
    const originAllowed =
      origin === undefined ? this.#allowMissingOrigin : this.#origins.has(normalOrigin(origin));
    if (!originAllowed) {
      this.counters.refusedOrigin++;
      return [403, "this Origin is not in websocket.origins"];
    }
    const offered = request.headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim()) ?? [];
    if (!offered.includes(subprotocol)) {
      this.counters.refusedProtocol++;
      return [400, "subprotocol sip is required (RFC 7118 4.1)"];
    }
    if (this.#flows.size >= this.#limits.maxConnections) {
      this.counters.refusedLimit++;
      return [503, "too many connections"];
    }
    if ((this.#perAddress.get(address) ?? 0) >= this.#limits.maxConnectionsPerAddress) {
      this.counters.refusedLimit++;
      return [429, "too many connections from this address"];
    }
    return undefined;
  }

  #accept(webSocket: WebSocket, request: IncomingMessage, address: string): void {
    const id = randomId(this.#random);
    const flow = new WebSocketFlow(
      webSocket,
      {
        id: `ws-${id}`,
        protocol: this.#options.server.secure ? "WSS" : "WS",
        remoteAddress: address,
        remotePort: request.socket.remotePort ?? 0,
        local: { address: plainAddress(request.socket.localAddress), port: request.socket.localPort ?? 0 },
        sentBy: `${id}.invalid`,
      },
      this.#shared,
    );
    this.counters.accepted++;
    this.#flows.add(flow);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    this.#options.log.debug({ flow: flow.id, remoteAddress: address }, "flow opened");
    webSocket.once("close", () => this.#forget(flow));
  }

  #forget(flow: WebSocketFlow): void {
    this.#flows.delete(flow);
    const left = (this.#perAddress.get(flow.remoteAddress) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(flow.remoteAddress, left);
    else this.#perAddress.delete(flow.remoteAddress);
    if (this.#flows.size === 0) this.#onEmpty?.();
  }
}

/** An origin as browsers write it: lower case, no default port, no path. What has no such form (`null`, the
 * schemes of extensions) stays as it is. */
function normalOrigin(origin: string): string {
  const parsed = URL.canParse(origin) ? new URL(origin).origin : "null";
  return parsed === "null" ? origin : parsed;
}

/** `::ffff:192.0.2.1` as `192.0.2.1`, so that both sockets of one client count as one address. */
function plainAddress(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:/i, "");
}
