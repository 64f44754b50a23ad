import {
  Agent as HttpAgent,
  request as httpRequest,
  type ClientRequest,
  type IncomingHttpHeaders,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Clock, Timer } from "../../core/index.ts";

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface GatewayQuestion {
  readonly method: string;
  /** From the root, token and all: never logged. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | undefined;
}

export interface GatewayClientOptions {
  /** Origin of the gateway. */
  readonly url: string;
  /** Authorities that may have signed its certificate, PEM; empty: Node's own. */
  readonly authorities: readonly string[];
  readonly clock: Clock;
  /** From the question to the last byte of the answer, ms; the gateway itself waits 5 s for a page. */
  readonly timeLimitMs?: number;
}

/** Of an answer; WWE's are under a hundred bytes. */
const maxAnswerBytes = 65_536;

/** Why there is no answer, in words without address or token. */
export class GatewayUnreachable extends Error {
  override readonly name = "GatewayUnreachable";
}

/** Questions to the gateway over few connections that stay open. */
export class GatewayClient {
  readonly #options: GatewayClientOptions;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #running = new Map<ClientRequest, Timer>();

  constructor(options: GatewayClientOptions) {
    this.#options = options;
    const pool = { keepAlive: true, maxSockets: 8, maxFreeSockets: 2 };
    const { authorities } = options;
    const ca = authorities.length > 0 ? { ca: [...authorities] } : {};
    this.#agent = options.url.startsWith("https:")
      ? new HttpsAgent({ ...pool, ...ca, minVersion: "TLSv1.2" })
      : new HttpAgent(pool);
  }

  /** Rejects with `GatewayUnreachable`. A GET that met a connection just closed goes out once more. */
  async ask(question: GatewayQuestion): Promise<GatewayAnswer> {
    const first = await this.#ask(question);
    if (!("stale" in first)) return first;
    const again = question.method === "GET" ? await this.#ask(question) : first;
    if ("stale" in again) throw new GatewayUnreachable(again.stale);
    return again;
  }

  close(): void {
    for (const [request, timer] of this.#running) {
      timer.clear();
      request.destroy();
    }
    this.#agent.destroy();
  }

  #ask({
    method,
    path,
    headers,
    body,
  }: GatewayQuestion): Promise<GatewayAnswer | { readonly stale: string }> {
    const { url, clock, timeLimitMs = 8000 } = this.#options;
    const request = (url.startsWith("https:") ? httpsRequest : httpRequest)(new URL(path, url), {
      method,
      agent: this.#agent,
      headers: { ...headers, ...(body ? { "content-length": String(body.length) } : {}) },
    });
    return new Promise<GatewayAnswer | { readonly stale: string }>((resolve, reject) => {
      const fail = (error: Error): void => {
        const words = wordsOf(error);
        if (request.reusedSocket && isReset(error)) resolve({ stale: words });
        else reject(new GatewayUnreachable(words));
        request.destroy();
      };
      const timer = clock.setTimer(timeLimitMs, () =>
        fail(new Error(`no answer within ${timeLimitMs / 1000} s`)),
      );
      this.#running.set(request, timer);
      request.on("close", () => {
        timer.clear();
        this.#running.delete(request);
        // Nothing is left that could settle it; a promise settled before does not mind.
        reject(new GatewayUnreachable("the connection was closed"));
      });
      request.on("error", fail);
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on("data", (chunk: Buffer) => {
          length += chunk.length;
          if (length > maxAnswerBytes) return fail(new Error("the answer is too long"));
          chunks.push(chunk);
        });
        response.on("error", fail);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      request.end(body);
    });
  }
}

function isReset(error: Error): boolean {
  return "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

const known: Readonly<Record<string, string>> = {
  ENOTFOUND: "the gateway's name is unknown here (DNS)",
  EAI_AGAIN: "no name server answers (network, DNS)",
  ECONNREFUSED: "nothing listens at the gateway's address",
  EHOSTUNREACH: "there is no way to the gateway (network, VPN)",
  ENETUNREACH: "there is no way to the gateway (network, VPN)",
  ECONNRESET: "the connection was cut",
  ETIMEDOUT: "the gateway's address does not answer (network, VPN, firewall)",
  CERT_HAS_EXPIRED: "the gateway's certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "the gateway's certificate is for another name",
};

const untrusted = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

function wordsOf(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === undefined) return error.message;
  if (untrusted.has(code))
    return `this machine does not trust who signed the gateway's certificate (gateway.ca names a further authority): ${code}`;
  return `${known[code] ?? "the connection failed"}: ${code}`;
}
