import { createServer, type IncomingMessage, type Server } from "node:http";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { fastify, type FastifyInstance, type FastifyReply, type FastifyServerFactoryHandler } from "fastify";
import { FileWatch, TypedEvents, type Clock, type Logger } from "../core/index.ts";
import {
  loadCertificate,
  type CertificateFiles,
  type CertificateInfo,
  type LoadedCertificate,
} from "./certificate.ts";
import { limitHttp2, type TimeLimits } from "./time-limits.ts";

/** What the HTTP socket binds, and its limits. */
export interface HttpServerOptions {
  readonly host: string;
  /** 0 asks for a free one; see `HttpServer.port`. */
  readonly port: number;
  /** Absent: plain HTTP/1.1. Present: HTTP/2 and HTTP/1.1 on the same port. */
  readonly tls?: CertificateFiles;
  readonly log: Logger;
  readonly clock: Clock;
  /** A request must be whole within this time, in ms. Default 15,000. */
  readonly requestTimeoutMs?: number;
  /** Idle connections end after this time, in ms. Default 75,000: above the 60 s of common reverse proxies. */
  readonly idleTimeoutMs?: number;
  /** Largest request body, bytes. Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Connections of any kind at one time. Default 10,000. */
  readonly maxConnections?: number;
  /** What `close` gives running requests before it cuts them, in ms. Default 2,000. */
  readonly closeTimeoutMs?: number;
  /** How long the certificate files must be unchanged before they are read again, in ms. Default 500. */
  readonly certificateSettleMs?: number;
}

/** Counted since start. */
export interface HttpCounters {
  requests: number;
  /** HTTP/1.1 requests that could not be parsed or were not whole in time. */
  clientErrors: number;
  /** HTTP/2 requests not whole in time, and sessions ended for idleness. */
  http2Timeouts: number;
  tlsErrors: number;
  certificateReloads: number;
  certificateReloadFailures: number;
}

/** Takes a request with `Upgrade`, as Node hands it out. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** What the server tells. */
export type HttpServerEvents = {
  /** A new certificate is unusable, why in words; the old one stays. */
  "certificate-fault": [reason: string];
};

/** The one HTTP(S) socket: pages and the admin API on `app`, WebSockets through `onUpgrade`. */
export interface HttpServer {
  /** For routes; add them before `listen`. */
  readonly app: FastifyInstance;
  readonly secure: boolean;
  /** The port really bound; 0 before `listen`. */
  readonly port: number;
  readonly counters: Readonly<HttpCounters>;
  /** What is presented now; undefined without TLS. */
  readonly certificate: CertificateInfo | undefined;
  readonly events: TypedEvents<HttpServerEvents>;
  /** TCP connections open now. */
  readonly connections: number;
  /** Who gets requests with `Upgrade: websocket`; the first handler that returns true has taken it. Without a
   * taker the answer is 404. The returned function takes the handler away. */
  onUpgrade(handler: (...args: Parameters<UpgradeHandler>) => boolean): () => void;
  /** Reads the certificate files again; false (and the old ones kept, with a log line) when they are unusable. */
  reloadCertificate(): boolean;
  /**
   * Presents the pair in these files from now on, to new connections, and watches them. Returns why not, in words, and
   * keeps the former pair then.
   */
  useCertificate(files: CertificateFiles): string | undefined;
  /** @throws the socket's error (EADDRINUSE, EACCES ...). */
  listen(): Promise<void>;
  /** Stops listening, lets running requests end for `closeTimeoutMs`, then cuts. Idempotent. */
  close(): Promise<void>;
}

const defaults = {
  requestTimeoutMs: 15_000,
  idleTimeoutMs: 75_000,
  maxBodyBytes: 1024 * 1024,
  maxConnections: 10_000,
  closeTimeoutMs: 2_000,
  certificateSettleMs: 500,
};

/** TLS 1.2 is the oldest that any current browser speaks. */
const tlsFloor = { minVersion: "TLSv1.2" } as const;

/** @throws Error when the certificate or key is unusable. */
export function openHttpServer(options: HttpServerOptions): HttpServer {
  return new FastifyHttpServer({ ...defaults, ...options });
}

class FastifyHttpServer implements HttpServer {
  readonly app: FastifyInstance;
  readonly secure: boolean;
  readonly counters: HttpCounters = {
    requests: 0,
    clientErrors: 0,
    http2Timeouts: 0,
    tlsErrors: 0,
    certificateReloads: 0,
    certificateReloadFailures: 0,
  };
  readonly events: TypedEvents<HttpServerEvents>;
  readonly #options: HttpServerOptions & typeof defaults;
  readonly #log: Logger;
  readonly #sockets = new Set<Socket>();
  readonly #upgradeHandlers = new Set<(...args: Parameters<UpgradeHandler>) => boolean>();
  #files: CertificateFiles | undefined;
  #watch: FileWatch | undefined;
  #server: Server | Http2SecureServer;
  #certificate: LoadedCertificate | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: HttpServerOptions & typeof defaults) {
    this.#options = options;
    this.#log = options.log;
    this.events = new TypedEvents(options.log);
    this.secure = options.tls !== undefined;
    if (options.tls) this.#certificate = loadCertificate(options.tls);
    this.#server = createServer();
    this.app = fastify({
      bodyLimit: options.maxBodyBytes,
      // A path that cannot be decoded reaches no route, and no hook.
      frameworkErrors: (error, _request, reply) => {
        const answer: FastifyReply = reply;
        protect(answer);
        void answer.status(statusOf(error)).send({ error: error.message });
      },
      // fastify calls the factory within this call; what it returns is the only server there is.
      serverFactory: (handler) => {
        this.#server = this.#createServer(handler);
        // fastify's types know one server class at a time; at run time it takes either.
        return this.#server as Server;
      },
    });
    this.#wireServer();
    this.#wireApp();
    if (options.tls) this.#watchFiles(options.tls);
  }

  #watchFiles(files: CertificateFiles): void {
    const { clock, certificateSettleMs } = this.#options;
    this.#files = files;
    this.#watch?.close();
    this.#watch = new FileWatch({
      files: [files.certFile, files.keyFile],
      clock,
      log: this.#log,
      settleMs: certificateSettleMs,
      onChange: () => void this.reloadCertificate(),
    });
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === "object" ? address.port : 0;
  }

  get certificate(): CertificateInfo | undefined {
    return this.#certificate?.info;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  onUpgrade(handler: (...args: Parameters<UpgradeHandler>) => boolean): () => void {
    this.#upgradeHandlers.add(handler);
    return () => this.#upgradeHandlers.delete(handler);
  }

  reloadCertificate(): boolean {
    return this.#files !== undefined && this.useCertificate(this.#files) === undefined;
  }

  useCertificate(files: CertificateFiles): string | undefined {
    const server = this.#server;
    if (!this.#files || !("setSecureContext" in server)) return "the gateway was started without TLS";
    try {
      const loaded = loadCertificate(files);
      const { certFile, keyFile } = this.#files;
      if (files.certFile !== certFile || files.keyFile !== keyFile) this.#watchFiles(files);
      // The whole file: its chain may be another one.
      if (this.#certificate?.cert.equals(loaded.cert)) return undefined;
      // Only new handshakes use the new pair; open connections keep their keys.
      server.setSecureContext({ cert: loaded.cert, key: loaded.key, ...tlsFloor });
      this.#certificate = loaded;
      this.counters.certificateReloads++;
      this.#log.info({ certificate: loaded.info }, "certificate reloaded");
      return undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.counters.certificateReloadFailures++;
      this.#log.error({ err: error }, "new certificate is unusable, the old one stays");
      this.events.emit("certificate-fault", reason);
      return reason;
    }
  }

  async listen(): Promise<void> {
    await this.app.listen({ host: this.#options.host, port: this.#options.port });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#watch?.close();
    const deadline = this.#options.clock.setTimer(this.#options.closeTimeoutMs, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    try {
      await this.app.close();
    } finally {
      deadline.clear();
      const rest = Array.from(this.#sockets);
      for (const socket of rest) socket.destroy();
      await Promise.all(rest.map((socket) => new Promise((resolve) => socket.once("close", resolve))));
      this.#upgradeHandlers.clear();
      this.events.removeAllListeners();
    }
  }

  #createServer(handler: FastifyServerFactoryHandler): Server | Http2SecureServer {
    const { requestTimeoutMs, idleTimeoutMs, clock } = this.#options;
    const http1 = {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      keepAliveTimeout: idleTimeoutMs,
      // Node looks at its connections only this often.
      connectionsCheckingInterval: Math.max(10, Math.min(1_000, requestTimeoutMs / 4)),
      maxHeaderSize: 16_384,
    };
    if (!this.#certificate) return Object.assign(createServer(http1, handler), { shouldUpgradeCallback });
    const server = createSecureServer({
      ...http1,
      ...tlsFloor,
      allowHTTP1: true,
      cert: this.#certificate.cert,
      key: this.#certificate.key,
      handshakeTimeout: requestTimeoutMs,
      settings: { maxConcurrentStreams: 100, maxHeaderListSize: 16_384 },
    });
    // Same class of handler: Node gives HTTP/1.1 objects for HTTP/1.1 connections and compatible ones for HTTP/2.
    server.on("request", handler as unknown as Parameters<typeof server.on>[1]);
    const limits: TimeLimits = { requestMs: requestTimeoutMs, idleMs: idleTimeoutMs };
    limitHttp2(server, limits, clock, () => this.counters.http2Timeouts++);
    return Object.assign(server, { shouldUpgradeCallback });
  }

  #wireServer(): void {
    const server: NodeJS.EventEmitter = this.#server;
    this.#server.maxConnections = this.#options.maxConnections;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("clientError", () => this.counters.clientErrors++);
    server.on("tlsClientError", (error: Error) => {
      this.counters.tlsErrors++;
      this.#log.debug({ err: error }, "TLS handshake failed");
    });
    server.on("sessionError", (error: Error) => this.#log.debug({ err: error }, "HTTP/2 session failed"));
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      for (const handler of this.#upgradeHandlers) if (handler(request, socket, head)) return;
      refuseUpgrade(socket, 404, "there is no WebSocket at this path");
    });
  }

  #wireApp(): void {
    // By callback: two promises for each request are dear where hundreds come a second.
    this.app.addHook("onRequest", (_request, _reply, next) => {
      this.counters.requests++;
      next();
    });
    this.app.addHook("onSend", (_request, reply, payload, next) => {
      protect(reply);
      next(null, payload);
    });
    this.app.setErrorHandler((error, request, reply) => {
      const status = statusOf(error);
      // The path alone: queries may carry tokens.
      const path = request.url.split("?", 1)[0];
      if (status >= 500) this.#log.error({ err: error, path }, "request handler failed");
      // What went wrong inside is for the log; the client learns only what it did wrong itself.
      const message = status < 500 && error instanceof Error ? error.message : "internal error";
      return reply.status(status).send({ error: message });
    });
  }
}

/** What every answer has, unless its route has said otherwise. */
function protect(reply: FastifyReply): void {
  reply.header("x-content-type-options", "nosniff");
  reply.header("referrer-policy", "no-referrer");
  if (!reply.hasHeader("cross-origin-resource-policy"))
    reply.header("cross-origin-resource-policy", "same-origin");
  // No Strict-Transport-Security: it holds for every port of the host name, where other servers may live.
  if (!reply.hasHeader("content-security-policy"))
    reply.header("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
}

/** Node asks this of its server: h2c and other offers are answered as the ordinary request they also are. */
function shouldUpgradeCallback(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket";
}

function statusOf(error: unknown): number {
  const status =
    typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : 500;
  return typeof status === "number" && status >= 400 && status <= 599 ? status : 500;
}

const phrases: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  429: "Too Many Requests",
  503: "Service Unavailable",
};

/** Answers a WebSocket handshake with an error and ends the connection. */
export function refuseUpgrade(socket: Duplex, status: number, why: string): void {
  socket.on("error", () => socket.destroy());
  const body = `${why}\n`;
  const retry = status === 429 || status === 503 ? "Retry-After: 10\r\n" : "";
  socket.end(
    `HTTP/1.1 ${status} ${phrases[status] ?? "Error"}\r\nConnection: close\r\n${retry}` +
      `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
