import { TypedEvents, type Clock, type Logger, type Random, type Timer } from "../core/index.ts";
import type { Flow, SipUri, TransactionLayer } from "../sip/index.ts";
import { hostPort } from "./addresses.ts";
import { PooledServer, type ServerPoolOptions } from "./pooled-server.ts";
import type { ServerSource } from "./server-source.ts";

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

/** One server of the pool. */
export interface ServerStanding {
  readonly flow: Flow;
  /** It answers and may be asked. */
  readonly up: boolean;
  /** It has answered; before that it is only taken to be up. */
  readonly proven: boolean;
  /** From a request to its answer (OPTIONS and REGISTER), smoothed, ms; undefined before the first. */
  readonly roundTripMs: number | undefined;
  /** REGISTERs it has answered since the start. */
  readonly registers: number;
}

/** Which SIP Servers answer, shared by everything that talks to them, so that each outage is found out once. */
export interface ServerPool {
  readonly events: TypedEvents<ServerPoolEvents>;
  /** Where requests go now; undefined while none answers. Sticky until it fails. */
  readonly current: Flow | undefined;
  /** The first server that may be asked besides `excluded`, for one that gave an error of its own. */
  other(excluded: readonly Flow[]): Flow | undefined;
  /** The server that the Contact of a 3xx means; undefined for strangers: a forged 3xx must not lead us away. */
  redirected(contact: SipUri): Flow | undefined;
  /** All servers in order of preference, those that are being left at the end. */
  list(): ServerStanding[];
  /** Whether it answers and is not suspended; false for strangers. */
  isUp(server: Flow): boolean;
  /** Some response came from it: it is alive. `roundTripMs`: of the REGISTER it answered. */
  heard(server: Flow, roundTripMs?: number): void;
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
  readonly source: ServerSource;
  readonly transactions: Pick<TransactionLayer, "request">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly options?: Partial<ServerPoolOptions>;
  /** Whether something still hangs on a server whose name no longer leads there; it is kept that long. */
  readonly inUse?: (server: Flow) => boolean;
}

/** Begins with the first server in use, and with an OPTIONS to each unless they are switched off. */
export function createServerPool(surroundings: ServerPoolSurroundings): ServerPool {
  return new OptionsPool(surroundings);
}

class OptionsPool implements ServerPool {
  readonly events: TypedEvents<ServerPoolEvents>;
  readonly #context: ServerPoolSurroundings;
  readonly #clock: Clock;
  readonly #options: ServerPoolOptions;
  #servers: PooledServer[];
  #current: PooledServer | undefined;
  #failBackTimer: Timer | undefined;
  #closed = false;
  readonly #stopListening: () => void;

  constructor(context: ServerPoolSurroundings) {
    this.#context = context;
    this.#clock = context.clock;
    this.#options = { ...defaultServerPoolOptions, ...context.options };
    this.events = new TypedEvents(context.log);
    this.#servers = context.source.list().map((flow) => this.#make(flow));
    this.#current = this.#servers[0];
    if (this.#options.optionsSeconds > 0) for (const server of this.#servers) server.probe();
    this.#stopListening = context.source.onChange(() => this.#follow());
  }

  get current(): Flow | undefined {
    return this.#current?.flow;
  }

  other(excluded: readonly Flow[]): Flow | undefined {
    const ids = new Set(excluded.map((flow) => flow.id));
    return this.#servers.find((server) => server.usable && !ids.has(server.flow.id))?.flow;
  }

  redirected(contact: SipUri): Flow | undefined {
    return this.#context.source.find(contact);
  }

  list(): ServerStanding[] {
    return this.#servers.map(({ flow, usable, proven, roundTripMs, registers }) => ({
      flow,
      up: usable,
      proven,
      roundTripMs,
      registers,
    }));
  }

  isUp(flow: Flow): boolean {
    return this.#find(flow)?.usable ?? false;
  }

  heard(flow: Flow, roundTripMs?: number): void {
    const server = this.#find(flow);
    if (!server || this.#closed) return;
    if (roundTripMs !== undefined) server.registered(roundTripMs);
    const first = !server.proven;
    server.heard();
    if (server.up) {
      if (first && this.#current?.leaving) this.#choose();
      return;
    }
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
    server.suspend(ms);
    this.#choose();
  }

  close(): void {
    this.#closed = true;
    this.#stopListening();
    this.#failBackTimer?.clear();
    for (const server of this.#servers) server.close();
    this.events.removeAllListeners();
  }

  #make(flow: Flow): PooledServer {
    const { transactions, random } = this.#context;
    const context = { transactions, clock: this.#clock, random, options: this.#options };
    return new PooledServer(flow, context, {
      onAnswer: () => {
        this.heard(flow);
        this.#dropLeft();
      },
      onSilence: () => this.#onSilence(flow),
      onResumed: () => this.#choose(),
    });
  }

  #onSilence(flow: Flow): void {
    const server = this.#find(flow);
    if (server) this.#down(server, "OPTIONS unanswered");
    if (!this.#current) this.#context.source.lookAgain();
    this.#dropLeft();
  }

  /** The source has other addresses: new ones join, those that are gone are left once nothing hangs on them. */
  #follow(): void {
    if (this.#closed) return;
    const flows = this.#context.source.list();
    const wanted = flows.map((flow) => this.#find(flow) ?? this.#make(flow));
    const fresh = wanted.filter((server) => !this.#servers.includes(server));
    const gone = this.#servers.filter((server) => !wanted.includes(server));
    for (const server of wanted) server.leaving = false;
    for (const server of gone) server.leaving = true;
    this.#servers = [...wanted, ...gone];
    const servers = (list: readonly PooledServer[]): string[] => list.map(({ flow }) => hostPort(flow));
    this.#context.log.info(
      { name: this.#context.source.name, fresh: servers(fresh), gone: servers(gone) },
      "SIP Server has other addresses",
    );
    this.#choose();
    for (const server of fresh) server.probe();
    this.#dropLeft();
  }

  #dropLeft(): void {
    if (!this.#current || this.#current.leaving) return;
    const done = this.#servers.filter(
      (server) => server.leaving && server !== this.#current && !this.#context.inUse?.(server.flow),
    );
    if (done.length === 0) return;
    for (const server of done) {
      server.close();
      server.flow.release?.();
    }
    this.#servers = this.#servers.filter((server) => !done.includes(server));
  }

  #find(flow: Flow): PooledServer | undefined {
    return this.#servers.find((server) => server.flow.id === flow.id);
  }

  #down(server: PooledServer, reason: string): void {
    if (!server.up) return;
    server.up = false;
    this.#context.log.warn({ server: hostPort(server.flow), reason }, "SIP Server is down");
    this.events.emit("down", server.flow, reason);
    this.#choose();
    if (!this.#current) this.#context.source.lookAgain();
    // At once, so that a short gap ends with the first answer and not with the next turn.
    server.probe();
  }

  /** Sticks to the present server while it is usable; otherwise the first usable one. */
  #choose(): void {
    if (this.#closed) return;
    this.#failBackTimer?.clear();
    this.#failBackTimer = undefined;
    const best = this.#servers.find((server) => server.usable);
    if (!this.#current?.usable) this.#move(best, true);
    // A server that works is left for one that is known to work.
    else if (this.#current.leaving) this.#move(this.#successor ?? this.#current, false);
    this.#planFailBack();
  }

  get #successor(): PooledServer | undefined {
    return this.#servers.find((server) => server.usable && server.proven && !server.leaving);
  }

  #planFailBack(): void {
    const current = this.#current;
    const place = current ? this.#servers.indexOf(current) : 0;
    // Those that are left stand at the end: never better than one that is not.
    const better = this.#servers.slice(0, place).filter((server) => server.usable && !current?.leaving);
    const readyAt = better.map((server) => server.upSince + this.#options.failBackSeconds * 1000);
    const first = Math.min(...readyAt);
    if (!Number.isFinite(first)) return;
    this.#failBackTimer = this.#clock.setTimer(Math.max(0, first - this.#clock.now()), () => {
      this.#failBackTimer = undefined;
      const target = better.find((_server, index) => readyAt[index] === first);
      if (target?.usable) this.#move(target, false);
      this.#planFailBack();
    });
  }

  #move(to: PooledServer | undefined, forced: boolean): void {
    if (to === this.#current) return;
    this.#current = to;
    this.#context.log.info({ server: to && hostPort(to.flow), forced }, "SIP Server in use");
    this.events.emit("moved", to?.flow, forced);
  }
}
