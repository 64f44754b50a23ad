import { TypedEvents, type Clock, type Logger, type Random } from "../core/index.ts";
import type { DigestCredentials, Flow, TransactionLayer } from "../sip/index.ts";
import type { Registrar, TrunkEvents, TrunkRegistrations, TrunkStatus } from "./contract.ts";
import { Pacer } from "./pacer.ts";
import { createServerPool, type ServerPool, type ServerPoolOptions } from "./server-pool.ts";
import { TrunkDn, type TrunkContext } from "./trunk-dn.ts";
import type { TrunkCounters } from "./trunk-exchange.ts";
import type { TrunkTurns } from "./trunk-turns.ts";

/** How DNs are registered at SIP Server, and how fast. */
export interface TrunkOptions extends Partial<ServerPoolOptions> {
  /** Expires asked for, seconds. Default 300. */
  readonly expiresSeconds?: number;
  /** REGISTERs started a second, repeats for challenges not counted. Default 25: 999 DNs in 40 s. */
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
  readonly registrar: Pick<Registrar, "events" | "find">;
  readonly transactions: Pick<TransactionLayer, "request">;
  /** The SIP Servers in order of preference. */
  readonly servers: () => readonly Flow[];
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
}

/** How the registrations end when the gateway stops. */
export interface CloseAllOptions {
  /** Whether SIP Server is told; otherwise the registrations run out there. */
  readonly unregister: boolean;
  /** How long the un-REGISTERs may take altogether, ms. */
  readonly timeoutMs: number;
}

/** The trunk registrations with what their owner needs beside the contract. */
export interface PacedTrunkRegistrations extends TrunkRegistrations {
  /** Which SIP Server is in use; for outbound calls too. */
  readonly pool: ServerPool;
  readonly counters: Readonly<TrunkCounters>;
  /** `dns`: known ones, each keeping its Call-ID and CSeq. */
  readonly counts: { readonly dns: number; readonly queued: number; readonly outstanding: number };
  /** Takes no more sign-ins, un-registers what is ours, forgets all. Resolves with the number of DNs that were
   * still busy at the time limit. Idempotent. */
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
  readonly #context: TrunkContext;
  readonly #pacer: Pacer<TrunkTurns>;
  readonly #dns = new Map<string, TrunkDn>();
  readonly #unsubscribe: (() => void)[];
  readonly #always: ReadonlySet<string>;
  #receivedFrom = "";
  #closing: Promise<number> | undefined;

  constructor(options: TrunkRegistrationsOptions) {
    this.#options = options;
    this.#settings = { ...defaults, ...options.options };
    const { clock, random, log, transactions, registrar } = options;
    const { perSecond, maxOutstanding } = this.#settings;
    this.events = new TypedEvents(log);
    this.pool = createServerPool({
      servers: options.servers,
      transactions,
      clock,
      random,
      log,
      options: poolOptions(this.#settings),
    });
    this.#pacer = new Pacer(clock, { perSecond, burst, maxOutstanding }, (turns) => turns.start());
    this.#context = this.#createContext();
    this.#always = new Set(this.#settings.mode === "all" ? this.#settings.allDns : []);
    this.#unsubscribe = [
      registrar.events.on("signed-in", (presence) => this.#record(presence.dn).signIn()),
      registrar.events.on("signed-out", (presence) => this.#onSignedOut(presence.dn)),
      this.pool.events.on("moved", (current, forced) => this.#onMoved(current, forced)),
    ];
    for (const dn of this.#always) {
      const record = this.#record(dn);
      record.present = true;
      record.serverMoved(this.pool.current, true);
    }
  }

  get counts(): { readonly dns: number; readonly queued: number; readonly outstanding: number } {
    return { dns: this.#dns.size, queued: this.#pacer.queued, outstanding: this.#pacer.outstanding };
  }

  status(dn: string): TrunkStatus {
    return this.#dns.get(dn)?.status ?? { state: "idle", reason: "" };
  }

  retain(dn: string): () => void {
    const record = this.#closing ? undefined : this.#record(dn);
    if (record) record.retained++;
    let held = record !== undefined;
    return () => {
      if (!held || !record) return;
      held = false;
      // After `closeAll` nothing is held any more.
      record.retained = Math.max(0, record.retained - 1);
      record.settle();
    };
  }

  closeAll(options: CloseAllOptions): Promise<number> {
    this.#closing ??= this.#closeAll(options);
    return this.#closing;
  }

  async #closeAll({ unregister, timeoutMs }: CloseAllOptions): Promise<number> {
    for (const stop of this.#unsubscribe) stop();
    const { clock } = this.#options;
    if (unregister) {
      const rate = this.#settings.closePerSecond ?? this.#settings.perSecond * 4;
      this.#pacer.setRate(rate, rate / 5);
      for (const record of this.#dns.values()) {
        record.present = false;
        record.retained = 0;
        record.settle();
      }
      await this.#untilQuiet(clock.now() + timeoutMs);
    }
    let left = 0;
    for (const record of this.#dns.values()) if (record.busy) left++;
    this.#pacer.close();
    this.pool.close();
    for (const record of this.#dns.values()) record.close();
    this.#dns.clear();
    this.events.removeAllListeners();
    return left;
  }

  #untilQuiet(deadline: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const look = (): void => {
        const quiet = Array.from(this.#dns.values()).every((record) => !record.busy);
        if (quiet || clock.now() >= deadline) resolve();
        else clock.setTimer(Math.min(closePollMs, deadline - clock.now()), look);
      };
      look();
    });
  }

  #onSignedOut(dn: string): void {
    const record = this.#dns.get(dn);
    // Another client of the DN is there: a replaced tab takes nothing away from the one that took its place.
    if (!record || this.#options.registrar.find(dn) || this.#always.has(dn)) return;
    record.present = false;
    record.settle();
  }

  #onMoved(current: Flow | undefined, forced: boolean): void {
    // DNs in a call first: the pacer starts what it can as soon as it is asked.
    const records = Array.from(this.#dns.values()).sort((one, other) => other.retained - one.retained);
    for (const record of records) record.serverMoved(current, forced);
  }

  #record(dn: string): TrunkDn {
    let record = this.#dns.get(dn);
    if (!record) this.#dns.set(dn, (record = new TrunkDn(dn, this.#context)));
    return record;
  }

  /** SIP Server sends its calls to the Contact: one it has not seen us at is most likely wrong. Said once per address. */
  #compareReceived(address: string): void {
    const { contact, log } = this.#options;
    if (address === this.#receivedFrom) return;
    this.#receivedFrom = address;
    if (address !== contact.replace(/:\d+$/, ""))
      log.warn({ address, contact }, "SIP Server sees us at another address than sip.advertisedAddress");
  }

  #createContext(): TrunkContext {
    const { transactions, clock, random, log, contact, credentials, headers } = this.#options;
    const { expiresSeconds, timeoutMs, refusedBackOffMs } = this.#settings;
    return {
      transactions,
      clock,
      random,
      log,
      pool: this.pool,
      pacer: this.#pacer,
      contact,
      credentials,
      headers: headers ?? [],
      expiresSeconds,
      timeoutMs,
      refusedBackOffMs,
      counters: this.counters,
      onStatus: (dn, status) => this.events.emit("status", dn, status),
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
