import { TypedEvents, type Clock, type Logger, type Random } from "../core/index.ts";
import type { DigestCredentials, Flow, TransactionLayer } from "../sip/index.ts";
import type { TrunkEvents, TrunkRegistrations, TrunkState, TrunkStatus } from "./contract.ts";
import { JoinedPools } from "./joined-pools.ts";
import { Pacer } from "./pacer.ts";
import { PeerRegistrations } from "./peer-registrations.ts";
import { joinedStatus } from "./peer-status.ts";
import type { ServerPoolOptions } from "./pooled-server.ts";
import type { AgentRegistrar } from "./registrar.ts";
import type { ServerPool, ServerStanding } from "./server-pool.ts";
import type { ServerSource } from "./server-source.ts";
import type { TrunkContext } from "./trunk-dn.ts";
import type { TrunkCounters } from "./trunk-exchange.ts";
import type { TrunkTurns } from "./trunk-turns.ts";

/** How DNs are registered at SIP Server, and how fast. */
export interface TrunkOptions extends Partial<ServerPoolOptions> {
  /** Expires asked for, seconds. Default 300. */
  readonly expiresSeconds?: number;
  /** REGISTERs started a second at all peers together, repeats for challenges not counted. Default 25: 999 DNs in 40 s. */
  readonly perSecond?: number;
  /** REGISTERs started and unanswered. Default 50. */
  readonly maxOutstanding?: number;
  /** `on-sign-in`: a DN is registered while somebody is signed in. `all`: the DNs of `allDns` always. */
  readonly mode?: "on-sign-in" | "all";
  readonly allDns?: readonly string[];
  /** How long an answer is waited for, ms. Default 4,000. */
  readonly timeoutMs?: number;
  /** How long a DN is left alone after 403, 404, 6xx ..., ms. Default 600,000. */
  readonly refusedBackOffMs?: number;
  /** un-REGISTERs a second while `closeAll` runs. Default four times `perSecond`. */
  readonly closePerSecond?: number;
}

/** What the trunk registrations are made of. */
export interface TrunkRegistrationsOptions {
  readonly registrar: Pick<AgentRegistrar, "events" | "find" | "presences">;
  readonly transactions: Pick<TransactionLayer, "request">;
  /**
   * The SIP Servers at which each DN is registered, preferred first: one, that may have several addresses to fail
   * over to; or several active peers, each of them with registrations of its own (Business Continuity).
   */
  readonly peers: readonly ServerSource[];
  /** `advertised:port` for our Contacts. */
  readonly contact: string;
  /** What SIP Server wants to know about a DN when it challenges; undefined for none. */
  readonly credentials: (dn: string) => DigestCredentials | undefined;
  /** Further headers of each REGISTER, e.g. Allow and User-Agent. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly options?: TrunkOptions;
  /** Whether a call goes by this server; one whose name no longer leads there is kept that long. */
  readonly inUse?: (server: Flow) => boolean;
}

/** How the registrations end when the gateway stops. */
export interface CloseAllOptions {
  /** Whether SIP Server is told; otherwise the registrations run out there. */
  readonly unregister: boolean;
  /** How long the un-REGISTERs may take altogether, ms. */
  readonly timeoutMs: number;
}

/** A SIP Server and what it has of us. */
export interface RegistrationServer extends ServerStanding {
  /** The peer as configured. */
  readonly name: string;
  /** New requests go there. */
  readonly inUse: boolean;
  /** DNs it has in service. */
  readonly registered: number;
}

/** The trunk registrations with what their owner needs beside the contract. */
export interface PacedTrunkRegistrations extends TrunkRegistrations {
  /** Which SIP Server is in use; for outbound calls too. Of several peers the first that answers. */
  readonly pool: ServerPool;
  /** Where `dn`'s calls should go: the server that has it in service, preferred peer first, else the pool's current. */
  serverFor(dn: string): Flow | undefined;
  /** The server that has `dn` in service and answers; undefined while none does. */
  serverOf(dn: string): Flow | undefined;
  /** How many DNs are in each state. */
  states(): Readonly<Record<TrunkState, number>>;
  /** All servers of all peers. */
  servers(): RegistrationServer[];
  /**
   * True: DNs without a call are un-registered, so that SIP Server sends them no calls, the others when their calls are
   * over, and no sign-in registers one. False: the DNs of those who are signed in are registered again, paced. A DN
   * whose clients' connections were all lost meanwhile is left as it is: it may be registered by another gateway by then.
   */
  drain(draining: boolean): void;
  /** With mode `all`, other DNs are always registered from now on; else it does nothing. */
  setAllDns(dns: readonly string[]): void;
  /** Whether anything of `dn` is wanted, under way or left at SIP Server. */
  holds(dn: string): boolean;
  /** Whether no REGISTER is under way or waits for its turn. */
  readonly quiet: boolean;
  readonly counters: Readonly<TrunkCounters>;
  /** `dns`: known ones at all peers, each keeping its Call-ID and CSeq. */
  readonly counts: { readonly dns: number; readonly queued: number; readonly outstanding: number };
  /** Takes no more sign-ins, un-registers what is ours, forgets all. Resolves with the number of registrations
   * that were still busy at the time limit. Idempotent. */
  closeAll(options: CloseAllOptions): Promise<number>;
}

/** Couples the DNs of `registrar` to SIP Server from now on. */
export function createTrunkRegistrations(options: TrunkRegistrationsOptions): PacedTrunkRegistrations {
  return new PresenceCoupledRegistrations(options);
}

const defaults = {
  expiresSeconds: 300,
  perSecond: 25,
  maxOutstanding: 50,
  timeoutMs: 4_000,
  refusedBackOffMs: 600_000,
};

/** Started at once after a pause: small, so that a restart does not become a volley. */
const burst = 5;
/** What pages are told of their DN meanwhile. */
const drainedReason = "the gateway is being drained";
/** While closing, how often it is looked whether all is done, ms. */
const closePollMs = 50;

class PresenceCoupledRegistrations implements PacedTrunkRegistrations {
  readonly events: TypedEvents<TrunkEvents>;
  readonly pool: ServerPool;
  readonly counters: TrunkCounters = {
    registers: 0,
    unregisters: 0,
    accepted: 0,
    challenges: 0,
    refused: 0,
    unavailable: 0,
    timeouts: 0,
    stolen: 0,
  };
  readonly #options: TrunkRegistrationsOptions;
  readonly #settings: typeof defaults & TrunkOptions;
  readonly #pacer: Pacer<TrunkTurns>;
  readonly #peers: readonly PeerRegistrations[];
  readonly #unsubscribe: (() => void)[];
  #always: ReadonlySet<string>;
  /** What was told last of each DN, where several peers make up what is told. */
  readonly #told = new Map<string, TrunkStatus>();
  #receivedFrom = "";
  #draining = false;
  #closing: Promise<number> | undefined;

  constructor(options: TrunkRegistrationsOptions) {
    this.#options = options;
    this.#settings = { ...defaults, ...options.options };
    const { clock, log, registrar } = options;
    const { perSecond, maxOutstanding } = this.#settings;
    this.events = new TypedEvents(log);
    this.#pacer = new Pacer(clock, { perSecond, burst, maxOutstanding }, (turns) => turns.start());
    this.#peers = options.peers.map((source) => this.#openPeer(source));
    const [only] = this.#peers;
    this.pool =
      this.#peers.length === 1 && only
        ? only.pool
        : new JoinedPools(
            this.#peers.map(({ pool }) => pool),
            log,
          );
    this.#always = new Set(this.#settings.mode === "all" ? this.#settings.allDns : []);
    this.#unsubscribe = [
      registrar.events.on("signed-in", ({ dn }) => {
        if (!this.#draining) for (const peer of this.#peers) peer.signIn(dn);
      }),
      registrar.events.on("signed-out", (presence) => this.#onSignedOut(presence.dn)),
      registrar.events.on("flow-lost", ({ dn }) => this.#noteLost(dn)),
      registrar.events.on("flow-resumed", ({ dn }) => this.#setElsewhere(dn, false)),
    ];
    for (const dn of this.#always) for (const peer of this.#peers) peer.always(dn);
  }

  get counts(): { readonly dns: number; readonly queued: number; readonly outstanding: number } {
    const dns = this.#peers.reduce((sum, peer) => sum + peer.size, 0);
    return { dns, queued: this.#pacer.queued, outstanding: this.#pacer.outstanding };
  }

  status(dn: string): TrunkStatus {
    return joinedStatus(this.#peers.map((peer) => ({ name: peer.name, status: peer.status(dn) })));
  }

  states(): Record<TrunkState, number> {
    const states = { idle: 0, registering: 0, "in-service": 0, "backing-off": 0, rejected: 0 };
    for (const dn of new Set(this.#peers.flatMap((peer) => [...peer.dns()]))) states[this.status(dn).state]++;
    return states;
  }

  serverFor(dn: string): Flow | undefined {
    return this.serverOf(dn) ?? this.pool.current;
  }

  serverOf(dn: string): Flow | undefined {
    for (const peer of this.#peers) {
      const server = peer.serverOf(dn);
      if (server) return server;
    }
    return undefined;
  }

  servers(): RegistrationServer[] {
    return this.#peers.flatMap((peer) =>
      peer.pool.list().map((server) => ({
        ...server,
        name: peer.name,
        inUse: server.flow.id === peer.pool.current?.id,
        registered: peer.registeredAt(server.flow),
      })),
    );
  }

  drain(draining: boolean): void {
    if (draining === this.#draining || this.#closing) return;
    this.#draining = draining;
    const { perSecond } = this.#settings;
    const rate = draining ? this.#closeRate : perSecond;
    this.#pacer.setRate(rate, draining ? rate / 5 : burst);
    if (draining) for (const { dn } of this.#options.registrar.presences()) this.#noteLost(dn);
    for (const peer of this.#peers) {
      if (draining) {
        peer.drain(drainedReason);
        continue;
      }
      peer.undrain();
      for (const dn of this.#wanted()) peer.signIn(dn);
    }
  }

  setAllDns(dns: readonly string[]): void {
    if (this.#settings.mode !== "all" || this.#closing) return;
    const before = this.#always;
    this.#always = new Set(dns);
    for (const dn of before) if (!this.#always.has(dn)) this.#onSignedOut(dn);
    if (this.#draining) return;
    for (const dn of dns) if (!before.has(dn)) for (const peer of this.#peers) peer.always(dn);
  }

  holds(dn: string): boolean {
    return this.#peers.some((peer) => peer.holds(dn));
  }

  get quiet(): boolean {
    return this.#pacer.queued === 0 && this.#pacer.outstanding === 0;
  }

  /** One client of the DN may have been lost: only with the last one that is connected here the DN may be another gateway's. */
  #noteLost(dn: string): void {
    if (!this.#options.registrar.find(dn)?.reachable) this.#setElsewhere(dn, true);
  }

  /** Only while drained: else a lost client comes back here, or to nowhere. */
  #setElsewhere(dn: string, elsewhere: boolean): void {
    if (!this.#draining || this.#always.has(dn)) return;
    for (const peer of this.#peers) peer.setElsewhere(dn, elsewhere);
  }

  get #closeRate(): number {
    return this.#settings.closePerSecond ?? this.#settings.perSecond * 4;
  }

  #wanted(): Set<string> {
    return new Set([...this.#options.registrar.presences().map(({ dn }) => dn), ...this.#always]);
  }

  retain(dn: string): () => void {
    let held = this.#closing === undefined;
    if (held) for (const peer of this.#peers) peer.retain(dn);
    return () => {
      if (held) for (const peer of this.#peers) peer.release(dn);
      held = false;
    };
  }

  closeAll(options: CloseAllOptions): Promise<number> {
    this.#closing ??= this.#closeAll(options);
    return this.#closing;
  }

  async #closeAll({ unregister, timeoutMs }: CloseAllOptions): Promise<number> {
    for (const stop of this.#unsubscribe) stop();
    if (unregister) {
      const rate = this.#closeRate;
      this.#pacer.setRate(rate, rate / 5);
      for (const peer of this.#peers) peer.letGo();
      await this.#untilQuiet(this.#options.clock.now() + timeoutMs);
    }
    const left = this.#busy;
    this.#pacer.close();
    this.pool.close();
    for (const peer of this.#peers) peer.close();
    this.#told.clear();
    this.events.removeAllListeners();
    return left;
  }

  get #busy(): number {
    return this.#peers.reduce((sum, peer) => sum + peer.busy, 0);
  }

  #untilQuiet(deadline: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#busy === 0 || clock.now() >= deadline) resolve();
        else clock.setTimer(Math.min(closePollMs, deadline - clock.now()), look);
      };
      look();
    });
  }

  #onSignedOut(dn: string): void {
    // Another client of the DN is there: a replaced tab takes nothing away from the one that took its place.
    if (this.#options.registrar.find(dn) || this.#always.has(dn)) return;
    for (const peer of this.#peers) peer.signOut(dn);
  }

  #onStatus(dn: string, changed: TrunkStatus): void {
    if (this.#options.peers.length === 1) return this.events.emit("status", dn, changed);
    const status = this.status(dn);
    const before = this.#told.get(dn);
    if (before?.state === status.state && before.reason === status.reason) return;
    this.#told.set(dn, status);
    this.events.emit("status", dn, status);
  }

  /** SIP Server sends its calls to the Contact: one it has not seen us at is most likely wrong. Said once per address. */
  #compareReceived(address: string): void {
    const { contact, log } = this.#options;
    if (address === this.#receivedFrom) return;
    this.#receivedFrom = address;
    if (address !== contact.replace(/:\d+$/, ""))
      log.warn({ address, contact }, "SIP Server sees us at another address than sip.advertisedAddress");
  }

  #openPeer(source: ServerSource): PeerRegistrations {
    const { transactions, clock, random, log, inUse } = this.#options;
    const options = poolOptions(this.#settings);
    return new PeerRegistrations({
      pool: { source, transactions, clock, random, log, options },
      trunk: this.#trunkContext(),
      inUse: inUse ?? (() => false),
    });
  }

  #trunkContext(): Omit<TrunkContext, "pool"> {
    const { transactions, clock, random, log, contact, credentials, headers } = this.#options;
    const { expiresSeconds, timeoutMs, refusedBackOffMs } = this.#settings;
    return {
      transactions,
      clock,
      random,
      log,
      pacer: this.#pacer,
      contact,
      credentials,
      headers: headers ?? [],
      expiresSeconds,
      timeoutMs,
      refusedBackOffMs,
      counters: this.counters,
      onStatus: (dn, status) => this.#onStatus(dn, status),
      onStolen: (dn, foreign) => this.events.emit("stolen", dn, foreign),
      onReceived: (address) => this.#compareReceived(address),
    };
  }
}

/** Only what was given: an explicit `undefined` must not hide a default. */
function poolOptions(options: TrunkOptions): Partial<ServerPoolOptions> {
  const { optionsSeconds, probeTimeoutMs, missesUntilDown, failBackSeconds } = options;
  return {
    ...(optionsSeconds === undefined ? {} : { optionsSeconds }),
    ...(probeTimeoutMs === undefined ? {} : { probeTimeoutMs }),
    ...(missesUntilDown === undefined ? {} : { missesUntilDown }),
    ...(failBackSeconds === undefined ? {} : { failBackSeconds }),
  };
}
