import { afterEach, beforeEach, expect } from "vitest";
import { silentLogger, TypedEvents } from "../../src/core/index.ts";
import {
  createTrunkRegistrations,
  fixedServers,
  type PacedTrunkRegistrations,
  type RegistrarEvents,
  type SipPresence,
  type TrunkOptions,
  type TrunkRegistrationsOptions,
} from "../../src/registrar/index.ts";
import { createTransactionLayer, type TransactionLayerWithReceiver } from "../../src/sip/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { ScriptedServer, type Seen } from "./sip-server.ts";

/** Who is signed in, without a registrar behind it. */
export class PresenceDouble {
  readonly events = new TypedEvents<RegistrarEvents>();
  readonly #present = new Map<string, SipPresence>();

  find(dn: string): SipPresence | undefined {
    return this.#present.get(dn);
  }

  presences(): SipPresence[] {
    return Array.from(this.#present.values());
  }

  signIn(dn: string, instance = "one"): void {
    const presence: SipPresence = {
      kind: "sip",
      since: 0,
      dn,
      instance,
      userAgent: "",
      allowEvents: [],
      reachable: true,
      gone: false,
      contactUri: "sip:x@y.invalid",
      flow: undefined,
      path: [],
      carries: () => false,
      flowFailed() {},
      waitForFlow: () => Promise.resolve(undefined),
    };
    this.#present.set(dn, presence);
    this.events.emit("signed-in", presence);
  }

  signOut(dn: string, reason = "signed out"): void {
    const presence = this.#present.get(dn);
    this.#present.delete(dn);
    if (presence) this.events.emit("signed-out", presence, reason);
  }

  /** The connection of a DN's client ends: of `another` one than `find` knows, which stays. */
  lose(dn: string, another?: string): void {
    const presence = this.#present.get(dn);
    if (!presence) return;
    const lost = { ...presence, reachable: false, ...(another === undefined ? {} : { instance: another }) };
    if (another === undefined) this.#present.set(dn, lost);
    this.events.emit("flow-lost", lost);
  }

  /** A newer browser takes the DN: as the registrar tells it. */
  replace(dn: string): void {
    const former = this.#present.get(dn);
    const { events } = this;
    this.#present.delete(dn);
    const later: (() => void)[] = [];
    // The newcomer stands before the former is told.
    const newcomer = former && { ...former, instance: "two" };
    if (newcomer) this.#present.set(dn, newcomer);
    if (former) later.push(() => events.emit("signed-out", former, "replaced"));
    if (newcomer) later.push(() => events.emit("signed-in", newcomer));
    for (const tell of later) tell();
  }
}

/** Two addresses, preferred first. */
export const pairs = ["192.0.2.10", "192.0.2.11"];

/** DNs 5001 and so on. */
export const dnsOf = (count: number): string[] =>
  Array.from({ length: count }, (_value, index) => String(5001 + index));

/** Largest number of requests within any `windowMs`. */
export function peak(requests: readonly Seen[], windowMs: number): number {
  const times = requests.map(({ at }) => at).sort((one, other) => one - other);
  let first = 0;
  let most = 0;
  for (const [index, at] of times.entries()) {
    while ((times[first] ?? at) <= at - windowMs) first++;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

/** What `open` takes. */
export interface TrunkBenchOptions {
  readonly options?: TrunkOptions;
  readonly more?: Partial<TrunkRegistrationsOptions>;
  readonly addresses?: readonly string[];
  /** Each address is a peer with registrations of its own. */
  readonly everyOneAPeer?: boolean;
}

/** Trunk registrations against scripted servers on a fake clock, with a real transaction layer between. */
export class TrunkBench {
  clock = new FakeClock();
  presence = new PresenceDouble();
  servers: ScriptedServer[] = [];
  /** `5001 in-service`, `5001 stolen by sip:...` */
  history: string[] = [];
  #layer: TransactionLayerWithReceiver | undefined;
  #trunk: PacedTrunkRegistrations | undefined;

  get trunk(): PacedTrunkRegistrations {
    if (!this.#trunk) throw new Error("open comes first");
    return this.#trunk;
  }

  get server(): ScriptedServer {
    return this.#serverAt(0);
  }

  get second(): ScriptedServer {
    return this.#serverAt(1);
  }

  #serverAt(index: number): ScriptedServer {
    const server = this.servers[index];
    if (!server) throw new Error(`no server ${index}`);
    return server;
  }

  open({
    options = {},
    more = {},
    addresses = ["192.0.2.10"],
    everyOneAPeer = false,
  }: TrunkBenchOptions = {}): void {
    const clock = (this.clock = new FakeClock());
    const random = new CountingRandom();
    this.presence = new PresenceDouble();
    const user = { onRequest: () => {}, onAck: () => {} };
    const layer = (this.#layer = createTransactionLayer({ clock, random, log: silentLogger, user }));
    this.servers = addresses.map((address) => new ScriptedServer(clock, address));
    for (const server of this.servers)
      server.deliver = (flow, bytes) => layer.receive(flow, bytes, "datagram");
    const flows = this.servers.map((server) => server.flow);
    this.#trunk = createTrunkRegistrations({
      registrar: this.presence,
      transactions: layer,
      peers: everyOneAPeer ? flows.map((flow) => fixedServers([flow])) : [fixedServers(flows)],
      contact: "192.0.2.20:5070",
      credentials: () => undefined,
      clock,
      random,
      log: silentLogger,
      options,
      ...more,
    });
    const history: string[] = (this.history = []);
    this.trunk.events.on("status", (dn, status) =>
      history.push(`${dn} ${status.state}${status.reason ? `: ${status.reason}` : ""}`),
    );
    this.trunk.events.on("stolen", (dn, contact) => history.push(`${dn} stolen by ${contact}`));
  }

  /** Begins anew with other options. */
  async restart(
    options: TrunkOptions = {},
    more: Partial<TrunkRegistrationsOptions> = {},
    addresses?: readonly string[],
  ) {
    await this.end();
    this.open({ options, more, ...(addresses ? { addresses } : {}) });
  }

  state(dn = "5001"): string {
    return this.trunk.status(dn).state;
  }

  inService(dns: readonly string[]): number {
    return dns.filter((dn) => this.state(dn) === "in-service").length;
  }

  /** Closes without a word and proves that nothing is left. */
  async end(): Promise<void> {
    const trunk = this.trunk;
    await trunk.closeAll({ unregister: false, timeoutMs: 0 });
    this.#layer?.close();
    // Answers that the scripted servers were about to give.
    this.clock.advance(5);
    const left = { timers: this.clock.pendingTimers, clients: this.#layer?.counts.client, ...trunk.counts };
    expect(left).toEqual({ timers: 0, clients: 0, dns: 0, queued: 0, outstanding: 0 });
  }
}

/** A bench that is opened before each test of the file, and after each has nothing left. */
export function useTrunkBench(options: TrunkBenchOptions = {}): TrunkBench {
  const bench = new TrunkBench();
  beforeEach(() => bench.open(options));
  afterEach(() => bench.end());
  return bench;
}
