import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Logger } from "../../core/index.ts";
import type { LocalCertificate } from "../contract.ts";
import type { LocalAnswer } from "./forward.ts";
import { isOwnHost } from "./guard.ts";

export interface LocalServerOptions {
  readonly port: number;
  readonly certificate: LocalCertificate;
  readonly log: Logger;
  /** Of what is refused. */
  readonly warn: Logger["warn"];
  /** Undefined: it has taken `response` over. */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<LocalAnswer | undefined>;
}

const host = "127.0.0.1";

/** HTTPS on loopback: limits, the check of `Host`, and what every answer has. */
export class LocalServer {
  readonly #options: LocalServerOptions;
  readonly #server: Server;

  constructor(options: LocalServerOptions) {
    this.#options = options;
    const { cert, key } = options.certificate;
    const limits = {
      requestTimeout: 10_000,
      headersTimeout: 10_000,
      handshakeTimeout: 10_000,
      keepAliveTimeout: 70_000,
      maxHeaderSize: 16_384,
    };
    this.#server = createServer({ cert, key, minVersion: "TLSv1.2", ...limits }, (request, response) => {
      // A page that reloads goes away in the middle of anything.
      response.on("error", () => {});
      this.#serve(request, response).catch((error: unknown) => {
        options.log.error({ err: error }, "request failed");
        response.destroy();
      });
    });
    this.#server.maxConnections = 200;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Rejects with the system's error, EADDRINUSE among them. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#options.port, host, () => {
        this.#server.off("error", reject);
        this.#server.on("error", (error) => this.#options.log.error({ err: error }, "server"));
        resolve();
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { host: asked } = request.headers;
    if (!isOwnHost(asked)) {
      this.#options.warn({ host: asked?.slice(0, 300) }, "refused: not asked by this machine's name");
      return send(response, { status: 403, body: '{"error":"Host must be 127.0.0.1 or localhost"}' });
    }
    for (const [name, value] of protection) response.setHeader(name, value);
    const answer = await this.#options.answer(request, response);
    if (answer) send(response, answer);
  }
}

const protection = [
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "no-referrer"],
  ["cache-control", "no-store"],
  ["cross-origin-resource-policy", "same-origin"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
] as const;

function send(response: ServerResponse, { status, headers, body = "" }: LocalAnswer): void {
  // What was not read of the request is read no more.
  const rest = response.req.complete ? {} : { connection: "close" };
  response.writeHead(status, { ...headers, ...rest, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
