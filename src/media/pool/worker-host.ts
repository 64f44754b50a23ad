import { Worker } from "node:worker_threads";
import { randomId, type Clock, type Logger, type Random, type Timer } from "../../core/index.ts";
import type { CaptureDesk } from "../capture/desk.ts";
import { usualCallPercent } from "../worker/call-price.ts";
import { MediaExhaustedError, type WorkerStatistics } from "../contract.ts";
import type {
  SessionNotice,
  WorkerCommand,
  WorkerLoad,
  WorkerMessage,
  WorkerReply,
  WorkerSettings,
} from "../worker/messages.ts";
import { Pulse } from "./pulse.ts";
import { PoolSession, type SessionLine, type SessionPlace } from "./session.ts";
import type { SessionTold, Totals } from "./totals.ts";

/** A worker that lived less than this is taken to die of the same cause again: its restart waits. */
const soundLifeMs = 30_000;
const firstBackOffMs = 500;
const longestBackOffMs = 30_000;
/** A worker that does not end by itself when told is ended after this, ms. */
const stopPatienceMs = 3000;
/** Heap of one worker; a leak ends it and its own calls, not the process. */
const heapLimitMb = 512;

/** Starts the thread; tests give one that keeps hold of it. */
export type SpawnWorker = (settings: WorkerSettings) => Worker;

const spawnWorker: SpawnWorker = (settings) =>
  new Worker(
    new URL(import.meta.url.endsWith(".ts") ? "../worker/main.ts" : "../worker/main.js", import.meta.url),
    {
      workerData: settings,
      name: `media-${settings.index}`,
      resourceLimits: { maxOldGenerationSizeMb: heapLimitMb },
    },
  );

export interface WorkerHostOptions {
  readonly settings: WorkerSettings;
  readonly advertised: Pick<SessionPlace, "addresses" | "trunkAddress" | "ownTrunkAddress">;
  readonly captures: CaptureDesk;
  readonly totals: Totals;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The thread ended though nobody had stopped it. */
  readonly onFailed: (reason: string) => void;
  readonly spawn?: SpawnWorker;
}

/** Before a worker has told its own; with it, sessions opened at once still spread evenly. */
const noLoad: WorkerLoad = { percent: 0, callPercent: usualCallPercent, full: false };

interface Pending<Result> {
  resolve(result: Result): void;
  reject(error: Error): void;
}

/** One worker thread seen from the main thread: its sessions, and its life after it failed. */
export class WorkerHost implements SessionLine {
  restarts = 0;
  #settings: WorkerSettings;
  readonly #options: WorkerHostOptions;
  readonly #log: Logger;
  readonly #sessions = new Map<string, PoolSession>();
  /** What of each session is in the totals. */
  readonly #counted = new Map<string, SessionTold>();
  readonly #opening = new Map<string, Pending<PoolSession>>();
  readonly #requests = new Map<number, Pending<WorkerReply>>();
  #nextRequest = 1;
  #worker: Worker | undefined;
  #ready = false;
  #stopping = false;
  #startedAt = 0;
  #backOffMs = 0;
  #restartTimer: Timer | undefined;
  #failure: Error | undefined;
  #toldLoad = noLoad;
  #openedSinceTold = 0;
  readonly #pulse: Pulse;

  constructor(options: WorkerHostOptions) {
    this.#options = options;
    this.#pulse = new Pulse(
      options.clock,
      () => this.statistics(),
      () => this.#onHang(),
    );
    this.#settings = options.settings;
    this.#log = options.log.child({ worker: options.settings.index });
  }

  /** Open sessions and such as are being opened. */
  get burden(): number {
    return this.#sessions.size + this.#opening.size;
  }

  /** CPU time of the thread once all its sessions sound, percent of one core: as last told, and what came since. */
  get load(): number {
    // Short ones may have come and gone untold: a worker at rest tells nothing.
    const untold = Math.min(this.#openedSinceTold, this.burden);
    return this.#toldLoad.percent + untold * this.#toldLoad.callPercent;
  }

  /** Whether it refused a session a moment ago, or would have. */
  get full(): boolean {
    return this.#toldLoad.full;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Starts the thread; resolves when it serves, rejects when it dies before (its port is taken). */
  start(): Promise<void> {
    return new Promise((resolve, reject) => this.#spawn({ resolve, reject }));
  }

  /** Opens a session here. Rejects with MediaExhaustedError when the worker has no room or is not up. */
  open(): Promise<PoolSession> {
    if (!this.#ready) return Promise.reject(new MediaExhaustedError("down", "media worker is not up"));
    this.#openedSinceTold++;
    const session = randomId(this.#options.random);
    return new Promise((resolve, reject) => {
      this.#opening.set(session, { resolve, reject });
      this.post({ type: "open", session });
    });
  }

  post(command: WorkerCommand): void {
    this.#worker?.postMessage(command);
  }

  ask(make: (request: number) => WorkerCommand): Promise<WorkerReply> {
    if (!this.#ready) return Promise.reject(new Error("media worker is not up"));
    const request = this.#nextRequest++;
    return new Promise((resolve, reject) => {
      this.#requests.set(request, { resolve, reject });
      this.post(make(request));
    });
  }

  /** Figures of the worker; undefined while it is not up. */
  async statistics(): Promise<WorkerStatistics | undefined> {
    if (!this.#ready) return undefined;
    const reply = await this.ask((request) => ({ type: "workerStatistics", request }));
    return reply.type === "workerStatistics" ? { ...reply.statistics, restarts: this.restarts } : undefined;
  }

  /** Ends the sessions and the thread. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#pulse.stop();
    this.#restartTimer?.clear();
    const worker = this.#worker;
    if (!worker) return;
    const gone = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    this.post({ type: "stop" });
    const patience = this.#options.clock.setTimer(stopPatienceMs, () => void worker.terminate());
    await gone;
    patience.clear();
  }

  #spawn(starting: Pending<void>): void {
    const worker = (this.#options.spawn ?? spawnWorker)(this.#settings);
    this.#worker = worker;
    this.#failure = undefined;
    this.#tellsLoad(noLoad);
    this.#startedAt = this.#options.clock.now();
    worker.on("message", (message: WorkerMessage) => {
      if (message.type === "ready") this.#onReady(message.browserPort, starting);
      else this.#onMessage(message);
    });
    worker.on("error", (error) => {
      this.#failure = error instanceof Error ? error : new Error(String(error));
    });
    worker.once("exit", (code) => this.#onExit(code, starting));
  }

  #onReady(browserPort: number, starting: Pending<void>): void {
    this.#ready = true;
    this.#pulse.start();
    // A port the system chose is asked for again by the next thread: the browsers know it.
    this.#settings = { ...this.#settings, browserPort };
    starting.resolve();
  }

  #onMessage(message: Exclude<WorkerMessage, { type: "ready" }>): void {
    switch (message.type) {
      case "log":
        this.#log[message.level](message.details, message.message);
        return;
      case "reply": {
        const pending = this.#requests.get(message.reply.request);
        this.#requests.delete(message.reply.request);
        pending?.resolve(message.reply);
        return;
      }
      case "opened":
        this.#onOpened(message);
        return;
      case "refused": {
        const pending = this.#opening.get(message.session);
        this.#opening.delete(message.session);
        pending?.reject(
          message.cause ? new MediaExhaustedError(message.cause, message.reason) : new Error(message.reason),
        );
        return;
      }
      case "load":
        this.#tellsLoad(message.load);
        return;
      case "closed":
        this.#count(message);
        this.#take(message.session)?.ownerClosed(message.reason, message.statistics);
        return;
      case "connected":
      case "dtmf":
      case "step":
      case "quality":
      case "idle":
        if (message.type === "quality") this.#count(message);
        this.#sessions.get(message.session)?.receive(message);
    }
  }

  #onOpened(opened: Extract<SessionNotice, { type: "opened" }>): void {
    const pending = this.#opening.get(opened.session);
    this.#opening.delete(opened.session);
    const { advertised, captures, log } = this.#options;
    const { browserPort, rtcpXr } = this.#settings;
    const session = new PoolSession(opened, { ...advertised, browserPort, rtcpXr }, this, captures, log);
    this.#sessions.set(opened.session, session);
    this.#counted.set(opened.session, this.#options.totals.begin());
    pending?.resolve(session);
  }

  #count({ session, statistics }: Extract<SessionNotice, { type: "quality" | "closed" }>): void {
    const told = this.#counted.get(session);
    if (told) this.#options.totals.add(told, statistics);
  }

  #tellsLoad(load: WorkerLoad): void {
    this.#toldLoad = load;
    this.#openedSinceTold = 0;
  }

  #take(id: string): PoolSession | undefined {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    this.#counted.delete(id);
    return session;
  }

  #onHang(): void {
    this.#failure = new Error("gives no sign of life");
    void this.#worker?.terminate();
  }

  #onExit(code: number, starting: Pending<void>): void {
    const died = this.#failure?.message ?? `exit code ${code}`;
    const wasReady = this.#ready;
    this.#ready = false;
    this.#pulse.stop();
    this.#worker = undefined;
    this.#endAll(this.#stopping ? "media pool closed" : `media worker failed: ${died}`);
    starting.reject(new Error(`media worker ${this.#settings.index} did not start: ${died}`));
    if (this.#stopping) return;
    this.#log.error({ err: this.#failure, code }, "media worker failed");
    this.#options.onFailed(died);
    if (wasReady || this.restarts > 0) this.#restart();
  }

  /** Everything that hung on the thread that is gone: its sessions end, waiting callers are told. */
  #endAll(reason: string): void {
    const error = new MediaExhaustedError("down", reason);
    for (const pending of this.#opening.values()) pending.reject(error);
    for (const pending of this.#requests.values()) pending.reject(error);
    this.#opening.clear();
    this.#requests.clear();
    for (const id of Array.from(this.#sessions.keys())) this.#take(id)?.ownerClosed(reason, undefined);
  }

  /** A new thread on the old ports: at once after a sound life, else later and later. */
  #restart(): void {
    const { clock } = this.#options;
    const sound = clock.now() - this.#startedAt >= soundLifeMs || this.restarts === 0;
    const delayMs = sound ? 0 : this.#backOffMs;
    this.#backOffMs = sound ? firstBackOffMs : Math.min(longestBackOffMs, this.#backOffMs * 2);
    this.restarts++;
    this.#restartTimer = clock.setTimer(delayMs, () => {
      this.start().then(
        () => this.#log.info({ restarts: this.restarts }, "media worker started anew"),
        () => {}, // told and followed up where the thread's exit is handled
      );
    });
  }
}
