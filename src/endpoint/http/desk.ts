import type { FastifyReply, FastifyRequest } from "fastify";
import { TokenBucket, type Clock, type Logger } from "../../core/index.ts";
import type { LoginGuard } from "../../registrar/index.ts";
import type { EndpointSessions } from "../sessions.ts";
import type { EndpointTokens } from "../tokens/endpoint-tokens.ts";
import { hostIsExpected } from "./origins.ts";
import type { SipServerName } from "../wwe/register-dn.ts";

/** What a reload may change. */
export interface EndpointTerms {
  /** Of WWE's pages. */
  readonly origins: readonly string[];
  /** By which names browsers reach us. */
  readonly hosts: readonly string[];
}

export interface EndpointDeskOptions {
  readonly tokens: EndpointTokens;
  readonly sessions: EndpointSessions;
  readonly guard: Pick<LoginGuard, "blockedSeconds" | "failed" | "succeeded">;
  /** Asked at each request. */
  readonly terms: () => EndpointTerms;
  /** What RegisterDn may name. */
  readonly servers: () => readonly SipServerName[];
  /** Browsers reach us by TLS without a proxy in between. */
  readonly secure: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Why something was not done, for the metrics. */
export type EndpointRefusal = "host" | "origin" | "type" | "token" | "code" | "blocked" | "order" | "unknown";

/** Since the start. */
export interface EndpointCounters {
  pings: number;
  readonly refused: Record<EndpointRefusal, number>;
}

/** Lines in the log about what was refused, at once and a second: who floods us must not fill it. */
const linesAtOnce = 20;
const linesPerSecond = 1;
/** Of a host or origin in the log, characters. */
const longestName = 256;

/** What all routes have in common. */
export class EndpointDesk {
  readonly options: EndpointDeskOptions;
  readonly counters: EndpointCounters = {
    pings: 0,
    refused: { host: 0, origin: 0, type: 0, token: 0, code: 0, blocked: 0, order: 0, unknown: 0 },
  };
  readonly #lines: TokenBucket;
  #lastHost: string | undefined;
  #lastHosts: readonly string[] | undefined;

  constructor(options: EndpointDeskOptions) {
    this.options = options;
    this.#lines = new TokenBucket(linesAtOnce, linesPerSecond, options.clock.now());
  }

  /** See `hostIsExpected`; the last that was is remembered, since nearly all requests have the same. */
  expects(host: string | undefined): boolean {
    const { hosts } = this.options.terms();
    if (host !== undefined && host === this.#lastHost && hosts === this.#lastHosts) return true;
    if (!hostIsExpected(host, hosts)) return false;
    this.#lastHost = host;
    this.#lastHosts = hosts;
    return true;
  }

  /** Counts and logs; `details` without secrets. */
  note(refusal: EndpointRefusal, details: object, message: string): void {
    this.counters.refused[refusal]++;
    const { clock, log } = this.options;
    if (this.#lines.take(clock.now())) log.warn({ ...details, refusal }, message);
  }

  /** Counts, logs and answers with `{error, reason}`. */
  refuse(
    request: FastifyRequest,
    reply: FastifyReply,
    refusal: EndpointRefusal,
    status: number,
    error: string,
    reason: string = refusal,
  ): FastifyReply {
    const [host, origin] = [request.headers.host, request.headers.origin].map((text) =>
      text?.slice(0, longestName),
    );
    this.note(refusal, { address: request.ip, host, origin, reason }, `endpoint: ${error}`);
    return reply.status(status).send({ error, reason });
  }
}
