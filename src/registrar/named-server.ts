import type { Clock, Logger, Random, Timer } from "../core/index.ts";
import type { Flow, SipUri } from "../sip/index.ts";
import { flowNamed } from "./addresses.ts";
import {
  literalEndpoint,
  lookUpServer,
  type Endpoint,
  type Found,
  type NameResolver,
  type ServerName,
  type ServiceTransport,
} from "./server-lookup.ts";
import type { ServerSource } from "./server-source.ts";

/** What looking a server up takes. */
export interface NamedServerOptions {
  readonly server: ServerName;
  readonly transport: ServiceTransport;
  readonly resolver: NameResolver;
  /** The way to an address; equal addresses give flows of equal `id`. */
  readonly flowTo: (address: string, port: number) => Flow;
  /** Seconds between lookups. */
  readonly refreshSeconds: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Between lookups while none succeeded yet, and at least between two because no server answers, ms. */
const retryMs = 5_000;

/**
 * One configured SIP Server whose name is looked up again and again. A lookup that fails changes nothing: what was
 * found before goes on being used. Addresses keep the place they have, whatever order the DNS rotates them to.
 */
export class NamedServer implements ServerSource {
  readonly name: string;
  readonly #options: NamedServerOptions;
  readonly #listeners = new Set<() => void>();
  /** By `address:port`; drawn once for each, so that the order does not change from lookup to lookup. */
  #places = new Map<string, number>();
  #endpoints: readonly Endpoint[] = [];
  #flows: readonly Flow[] = [];
  #asking: Promise<void> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #foundBy: Found["by"] | undefined;
  #failing = false;
  #closed = false;

  constructor(options: NamedServerOptions) {
    this.#options = options;
    const { host, port } = options.server;
    this.name = port === undefined ? host : `${host}:${port}`;
    const literal = literalEndpoint(options.server, options.transport);
    if (!literal) return;
    this.#foundBy = "address";
    this.#take([literal]);
  }

  /** The first lookup; resolves when it has succeeded or failed. Nothing to do for an address. */
  start(): Promise<void> {
    return this.#foundBy === "address" ? Promise.resolve() : this.#ask();
  }

  list(): readonly Flow[] {
    return this.#flows;
  }

  /** Whether an address is one of its. */
  knows(address: string): boolean {
    return this.#endpoints.some((endpoint) => endpoint.address === address);
  }

  find(uri: SipUri): Flow | undefined {
    const host = uri.host.toLowerCase();
    const own = host === this.#options.server.host.toLowerCase();
    const place = this.#endpoints.findIndex(
      (endpoint) =>
        (own || endpoint.host.toLowerCase() === host) &&
        (uri.port === undefined || uri.port === endpoint.port),
    );
    return flowNamed(uri, this.#flows) ?? this.#flows[place];
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  lookAgain(): void {
    const dueAt = this.#askedAt + retryMs;
    if (this.#foundBy !== "address" && this.#options.clock.now() >= dueAt) void this.#ask();
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.clear();
    this.#listeners.clear();
  }

  #ask(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#asking ??= this.#lookUp().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #lookUp(): Promise<void> {
    const { server, transport, resolver, clock, log, refreshSeconds } = this.#options;
    this.#timer?.clear();
    this.#askedAt = clock.now();
    try {
      const { by, endpoints } = await lookUpServer(server, transport, resolver, this.#foundBy);
      this.#foundBy = by;
      if (this.#failing) log.info({ name: this.name }, "SIP Server's name is known again");
      this.#failing = false;
      this.#take(endpoints);
    } catch (error) {
      this.#tell(error);
    }
    if (this.#closed) return;
    const delay = this.#flows.length === 0 ? retryMs : refreshSeconds * 1000;
    this.#timer = clock.setTimer(delay, () => void this.#ask());
  }

  /** Once per outage, not once per lookup. */
  #tell(error: unknown): void {
    if (this.#failing || this.#closed) return;
    this.#failing = true;
    const { log } = this.#options;
    if (this.#flows.length > 0)
      log.warn(
        { err: error, name: this.name },
        "SIP Server's name cannot be looked up; its last addresses are kept",
      );
    else log.error({ err: error, name: this.name }, "SIP Server's name cannot be looked up; trying on");
  }

  #take(found: readonly Endpoint[]): void {
    if (this.#closed) return;
    const places = new Map<string, number>();
    for (const endpoint of found) {
      const key = keyOf(endpoint);
      places.set(key, this.#places.get(key) ?? this.#draw(endpoint, places.size));
    }
    this.#places = places;
    const place = (endpoint: Endpoint): number => places.get(keyOf(endpoint)) ?? 0;
    const once = new Map(found.map((endpoint) => [keyOf(endpoint), endpoint]));
    this.#endpoints = Array.from(once.values()).sort(
      (one, other) => one.priority - other.priority || place(one) - place(other),
    );
    const flows = this.#endpoints.map(({ address, port }) => this.#options.flowTo(address, port));
    const same =
      flows.length === this.#flows.length && flows.every(({ id }, at) => id === this.#flows[at]?.id);
    this.#flows = flows;
    if (!same) for (const listener of this.#listeners) listener();
  }

  /**
   * Among SRV records of one priority the place is drawn by weight (RFC 2782: exponential keys give the same chances
   * as drawing one by one); A records keep the order in which the DNS gave them first.
   */
  #draw({ weight }: Endpoint, index: number): number {
    if (weight === 0) return this.#places.size + index + 1e9;
    return -Math.log(1 - this.#options.random.fraction()) / weight;
  }
}

function keyOf({ address, port }: Endpoint): string {
  return `${address}:${port}`;
}

/** Several configured servers as one, in their order: the addresses of the second stand behind all of the first. */
export function joinServers(sources: readonly ServerSource[]): ServerSource {
  const [only] = sources;
  if (sources.length === 1 && only) return only;
  return {
    name: sources.map(({ name }) => name).join(", "),
    list: () => {
      const flows = sources.flatMap((source) => source.list());
      // Two names may lead to the same address.
      return flows.filter(({ id }, index) => flows.findIndex((flow) => flow.id === id) === index);
    },
    find: (uri) => sources.map((source) => source.find(uri)).find((flow) => flow !== undefined),
    onChange: (listener) => {
      const stops = sources.map((source) => source.onChange(listener));
      return () => {
        for (const stop of stops) stop();
      };
    },
    lookAgain: () => {
      for (const source of sources) source.lookAgain();
    },
  };
}
