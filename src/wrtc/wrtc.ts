import type { FastifyInstance } from "fastify";
import { limitedWarn, type Clock, type Logger, type Random } from "../core/index.ts";
import type { AgentRegistrar, PacedTrunkRegistrations } from "../registrar/index.ts";
import type { ClientCalls, ClientLine } from "./contract.ts";
import { Desk } from "./http/desk.ts";
import type { OtherVariant } from "./http/exchange.ts";
import { registerWrtcRoutes, type RouteOptions } from "./http/routes.ts";
import { SignIn, type DnLogin } from "./http/sign-in.ts";
import { PollClients, type PollClientsTerms, type PollCounters } from "./session/poll-clients.ts";
import { Sessions, type SessionCounters, type SessionsTerms } from "./session/sessions.ts";
import { SsidMint } from "./session/ssid.ts";

/** What a reload may change. */
export interface WrtcTerms extends SessionsTerms, PollClientsTerms {
  /** Pages of other origins that may ask. */
  readonly origins: readonly string[];
  /** RISK: DNs without a password, and clients without a DN. */
  readonly allowAnonymous: boolean;
}

export interface WrtcOptions {
  readonly registrar: Pick<AgentRegistrar, "admit" | "release" | "noteReachable">;
  readonly trunk: Pick<PacedTrunkRegistrations, "status" | "events">;
  readonly login: DnLogin;
  /** Acts on what a client says. */
  readonly makeCalls: (line: ClientLine) => ClientCalls;
  readonly terms: () => WrtcTerms;
  /** See `SessionsOptions.accepting`. */
  readonly accepting: () => boolean;
  /** See `SsidOptions`. */
  readonly secret: () => string;
  readonly node: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Where and how the routes are served. */
export interface WrtcRoutes {
  /** Prefixes, `/wrtc`; empty: none. */
  readonly paths: readonly string[];
  /** See `OriginOptions.secure`. */
  readonly secure: boolean;
  /** Asked before grtc.js' own protocol. */
  readonly variants?: readonly OtherVariant[];
}

/** What `/metrics` shows. */
export interface WrtcFigures {
  readonly sessions: number;
  /** Hanging GETs. */
  readonly polls: number;
  /** Requests of pages whose origin is none of `WrtcTerms.origins`. */
  readonly foreign: number;
  readonly session: SessionCounters;
  readonly message: PollCounters;
}

const longestOrigin = 256;

/** The gateway as Genesys' WebRTC library (grtc.js) knows it: wrtc-http-protocol.md. */
export class Wrtc {
  /** Opens sessions for other variants on the same paths too. */
  readonly signIn: SignIn;
  readonly #options: WrtcOptions;
  readonly #sessions: Sessions;
  readonly #clients: PollClients;
  readonly #desk: Desk;
  readonly #warn: Logger["warn"];
  #foreign = 0;

  constructor(options: WrtcOptions) {
    const { registrar, makeCalls, terms, accepting, login, trunk, clock, random, log, secret, node } =
      options;
    this.#options = options;
    this.#sessions = new Sessions({ registrar, makeCalls, terms, accepting, clock, log });
    const mint = new SsidMint({ secret, node, clock, random });
    const sessions = this.#sessions;
    const clients = new PollClients({ sessions, mint, terms, clock, log });
    this.#clients = clients;
    const allowAnonymous = (): boolean => terms().allowAnonymous;
    const shared = { clients, login, accepting, allowAnonymous, clock, log };
    this.signIn = new SignIn({ ...shared, sessions, trunk });
    this.#desk = new Desk({ ...shared, signIn: this.signIn });
    this.#warn = limitedWarn(log, clock);
  }

  get figures(): WrtcFigures {
    const { size: sessions, counters: session } = this.#sessions;
    const { polls, counters: message } = this.#clients;
    return { sessions, polls, foreign: this.#foreign, session, message };
  }

  /** Adds the routes; before `listen`. */
  serve(app: FastifyInstance, { paths, secure, variants = [] }: WrtcRoutes): void {
    const { terms, log } = this.#options;
    const origins = (): readonly string[] => terms().origins;
    const passwordless = (): boolean => terms().allowAnonymous;
    const onForeign: RouteOptions["onForeign"] = (asked) => this.#refused(asked);
    const desk = this.#desk;
    registerWrtcRoutes(app, { paths, secure, origins, passwordless, desk, variants, onForeign, log });
  }

  #refused({ origin, host, address }: Parameters<RouteOptions["onForeign"]>[0]): void {
    this.#foreign++;
    const [from, to] = [origin, host].map((text) => text.slice(0, longestOrigin));
    this.#warn({ origin: from, host: to, address }, "a page was refused: wrtc.origins");
  }

  /** Ends all sessions; open polls get 503. Idempotent. */
  close(reason: string): void {
    this.#sessions.close(reason);
    this.signIn.close();
  }
}
