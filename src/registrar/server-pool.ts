import { randomId, TypedEvents, type Clock, type Logger, type Random, type Timer } from "../core/index.ts";
import { createRequest } from "../sip/index.ts";
import type { ClientTransaction, Flow, TransactionLayer } from "../sip/index.ts";
import { hostPort } from "./addresses.ts";

/** How servers are probed, and when they count as down and as back. */
export interface ServerPoolOptions {
  /** Seconds between OPTIONS to each server; 0: none to one that answers. Default 15. */
  readonly optionsSeconds: number;
  /** How long an OPTIONS is waited for, ms. Default 4,000 as Genesys advises for non-INVITE transactions. */
  readonly probeTimeoutMs: number;
  /** OPTIONS unanswered one after another until a server counts as down. Default 2. */
  readonly missesUntilDown: number;
  /** How long a better server must be up before we go back to it, seconds. Default 90. */
  readonly failBackSeconds: number;
}

/** What holds where nothing else is asked for. */
const defaultServerPoolOptions: ServerPoolOptions = {
  optionsSeconds: 15,
  probeTimeoutMs: 4_000,
  missesUntilDown: 2,
  failBackSeconds: 90,
};

/** What the pool tells. */
export type ServerPoolEvents = {
  up: [server: Flow];
  down: [server: Flow, reason: string];
  /** Another server is in use. `forced`: the former one does not answer; else this is the paced way back. */
  moved: [current: Flow | undefined, forced: boolean];
};

/** Which SIP Servers answer, shared by everything that talks to them, so that each outage is found out once. */
export interface ServerPool {
  readonly events: TypedEvents<ServerPoolEvents>;
  /** Where requests go now; undefined while none answers. Sticky until it fails. */
  readonly current: Flow | undefined;
  /** The first server that may be asked besides `excluded`, for one that gave an error of its own. */
  other(excluded: readonly Flow[]): Flow | undefined;
  /** All servers in order of preference. */
  list(): { readonly flow: Flow; readonly up: boolean }[];
  /** Some response came from it: it is alive. */
  heard(server: Flow): void;
  /**
   * A request sent at `sentAt` (clock time) got no answer. The server is down unless it has answered something
   * else since; returns whether it now counts as down.
   */
  unanswered(server: Flow, sentAt: number): boolean;
  /** 503 with Retry-After: not to be asked for `ms`. */
  suspend(server: Flow, ms: number): void;
  /** Stops the probes. Idempotent. */
  close(): void;
}

/** What the pool is made of. */
export interface ServerPoolSurroundings {
  /** The servers in order of preference, as flows; asked once. */
  readonly servers: () => readonly Flow[];
  readonly transactions: Pick<TransactionLayer, "request">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly options?: Partial<ServerPoolOptions>;
}

/** Between probes of a server that is down: often, since nothing else tells that it is back. */
const downProbeSeconds = 5;
/** Until a server whose OPTIONS was not answered is asked once more: one lost datagram is no outage. */
const missProbeSeconds = 1;

/** Begins with the first server in use, and with an OPTIONS to each unless they are switched off. */
export function createServerPool(surroundings: ServerPoolSurroundings): ServerPool {
  return new OptionsPool(surroundings);
}

interface Server {
  readonly flow: Flow;
  readonly callId: string;
  sequence: number;
  /** Assumed until proven wrong, so that start-up does not wait for the first OPTIONS. */
  up: boolean;
  upSince: number;
  heardAt: number;
  suspendedUntil: number;
  misses: number;
  probe: ClientTransaction | undefined;
  probeTimer: Timer | undefined;
  resumeTimer: Timer | undefined;
}

class OptionsPool implements ServerPool {
  readonly events: TypedEvents<ServerPoolEvents>;
  readonly #context: ServerPoolSurroundings;
  readonly #clock: Clock;
  readonly #options: ServerPoolOptions;
  readonly #servers: Server[];
  readonly #fromTag: string;
  #current: Server | undefined;
  #failBackTimer: Timer | undefined;
  #closed = false;

  constructor(context: ServerPoolSurroundings) {
    this.#context = context;
    this.#clock = context.clock;
    this.#options = { ...defaultServerPoolOptions, ...context.options };
    this.events = new TypedEvents(context.log);
    this.#fromTag = randomId(context.random);
    this.#servers = context.servers().map((flow) => ({
      flow,
      callId: `options-${randomId(context.random)}@${flow.sentBy}`,
      sequence: 0,
      up: true,
      upSince: this.#clock.now(),
      heardAt: Number.NEGATIVE_INFINITY,
      suspendedUntil: 0,
      misses: 0,
      probe: undefined,
      probeTimer: undefined,
      resumeTimer: undefined,
    }));
    this.#current = this.#servers[0];
    if (this.#options.optionsSeconds > 0) for (const server of this.#servers) this.#probe(server);
  }

  get current(): Flow | undefined {
    return this.#current?.flow;
  }

  other(excluded: readonly Flow[]): Flow | undefined {
    const ids = new Set(excluded.map((flow) => flow.id));
    return this.#servers.find((server) => this.#usable(server) && !ids.has(server.flow.id))?.flow;
  }

  list(): { readonly flow: Flow; readonly up: boolean }[] {
    return this.#servers.map((server) => ({ flow: server.flow, up: this.#usable(server) }));
  }

  heard(flow: Flow): void {
    const server = this.#find(flow);
    if (!server || this.#closed) return;
    server.heardAt = this.#clock.now();
    server.misses = 0;
    if (server.up) return;
    server.up = true;
    server.upSince = server.heardAt;
    this.#context.log.info({ server: hostPort(flow) }, "SIP Server answers again");
    this.events.emit("up", flow);
    this.#choose();
  }

  unanswered(flow: Flow, sentAt: number): boolean {
    const server = this.#find(flow);
    if (!server || this.#closed) return true;
    if (server.heardAt > sentAt) return !server.up;
    this.#down(server, "no answer");
    return true;
  }

  suspend(flow: Flow, ms: number): void {
    const server = this.#find(flow);
    if (!server || this.#closed) return;
    server.suspendedUntil = Math.max(server.suspendedUntil, this.#clock.now() + ms);
    server.resumeTimer?.clear();
    server.resumeTimer = this.#clock.setTimer(server.suspendedUntil - this.#clock.now(), () => {
      server.resumeTimer = undefined;
      server.upSince = this.#clock.now();
      this.#choose();
    });
    this.#choose();
  }

  close(): void {
    this.#closed = true;
    this.#failBackTimer?.clear();
    for (const server of this.#servers) {
      server.probeTimer?.clear();
      server.resumeTimer?.clear();
      server.probe?.abandon();
      server.probe = undefined;
    }
    this.events.removeAllListeners();
  }

  #find(flow: Flow): Server | undefined {
    return this.#servers.find((server) => server.flow.id === flow.id);
  }

  #usable(server: Server): boolean {
    return server.up && server.suspendedUntil <= this.#clock.now();
  }

  #down(server: Server, reason: string): void {
    if (!server.up) return;
    server.up = false;
    this.#context.log.warn({ server: hostPort(server.flow), reason }, "SIP Server is down");
    this.events.emit("down", server.flow, reason);
    this.#choose();
    // At once, so that a short gap ends with the first answer and not with the next turn.
    if (!server.probe) this.#probe(server);
  }

  /** Sticks to the present server while it is usable; otherwise the first usable one. */
  #choose(): void {
    if (this.#closed) return;
    this.#failBackTimer?.clear();
    this.#failBackTimer = undefined;
    const best = this.#servers.find((server) => this.#usable(server));
    if (!this.#current || !this.#usable(this.#current)) this.#move(best, true);
    this.#planFailBack();
  }

  #planFailBack(): void {
    const current = this.#current;
    const place = current ? this.#servers.indexOf(current) : 0;
    const better = this.#servers.slice(0, place).filter((server) => this.#usable(server));
    const readyAt = better.map((server) => server.upSince + this.#options.failBackSeconds * 1000);
    const first = Math.min(...readyAt);
    if (!Number.isFinite(first)) return;
    this.#failBackTimer = this.#clock.setTimer(Math.max(0, first - this.#clock.now()), () => {
      this.#failBackTimer = undefined;
      const target = better.find((_server, index) => readyAt[index] === first);
      if (target && this.#usable(target)) this.#move(target, false);
      this.#planFailBack();
    });
  }

  #move(to: Server | undefined, forced: boolean): void {
    if (to === this.#current) return;
    this.#current = to;
    this.#context.log.info({ server: to && hostPort(to.flow), forced }, "SIP Server in use");
    this.events.emit("moved", to?.flow, forced);
  }

  #probe(server: Server): void {
    if (this.#closed) return;
    server.probeTimer?.clear();
    server.probeTimer = undefined;
    const request = this.#optionsRequest(server);
    const done = (answered: boolean): void => {
      server.probe = undefined;
      this.#probed(server, answered);
    };
    server.probe = this.#context.transactions.request(
      request,
      server.flow,
      {
        // Any final response says that it lives (real servers answer 404 to OPTIONS as well).
        onResponse: (response) => {
          if (response.status >= 200) done(true);
        },
        onTimeout: () => done(false),
        onTransportError: () => done(false),
      },
      { timeoutMs: this.#options.probeTimeoutMs },
    );
  }

  #probed(server: Server, answered: boolean): void {
    if (this.#closed) return;
    if (!answered) server.misses++;
    const { missesUntilDown } = this.#options;
    const interval = this.#options.optionsSeconds || Infinity;
    const seconds = answered ? interval : Math.min(interval, server.up ? missProbeSeconds : downProbeSeconds);
    // One that is down is looked after in any case: nothing else tells that it is back.
    if (seconds < Infinity)
      server.probeTimer = this.#clock.setTimer(seconds * 1000, () => this.#probe(server));
    if (answered) {
      this.heard(server.flow);
      return;
    }
    if (server.misses >= missesUntilDown) this.#down(server, "OPTIONS unanswered");
  }

  #optionsRequest(server: Server) {
    const { flow } = server;
    const uri = `sip:${hostPort(flow)}`;
    server.sequence++;
    return createRequest({
      method: "OPTIONS",
      uri,
      headers: [
        ["Max-Forwards", "70"],
        ["From", `<sip:${flow.sentBy}>;tag=${this.#fromTag}`],
        ["To", `<${uri}>`],
        ["Call-ID", server.callId],
        ["CSeq", `${server.sequence} OPTIONS`],
        ["Contact", `<sip:${flow.sentBy}>`],
        ["Accept", "application/sdp"],
      ],
    });
  }
}
