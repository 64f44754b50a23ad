import { TypedEvents, type Clock, type Logger, type Random } from "../../core/index.ts";
import { CaptureDesk } from "../capture/desk.ts";
import {
  MediaExhaustedError,
  type ExhaustedCause,
  type MediaOptions,
  type MediaPool,
  type MediaPoolEvents,
  type MediaSession,
  type MediaTotals,
  type SideAddresses,
  type WorkerStatistics,
} from "../contract.ts";
import { divide } from "./slices.ts";
import { Totals } from "./totals.ts";
import { WorkerHost, type SpawnWorker } from "./worker-host.ts";

const defaultIdleMs = 30_000;
const defaultQualityMs = 5000;
const defaultPortRestMs = 2000;
const defaultWarmUpFrames = 2000;
const defaultMaxLoadPercent = 95;
/** Workers whose loads lie within one such step count as equally loaded, percent: then the fewer sessions decide. */
const loadStep = 10;

/** What the pool is made of besides its options. */
export interface MediaPoolDependencies {
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** For tests: starts the threads. */
  readonly spawn?: SpawnWorker;
  /** For tests: frames of codec warm-up before a worker is ready. Default 2000. */
  readonly warmUpFrames?: number;
}

/**
 * Starts the media workers and resolves when all of them serve. Throws RangeError on impossible ports, and
 * the worker's error when one cannot start (its browser port is taken).
 */
export async function createMediaPool(
  options: MediaOptions,
  dependencies: MediaPoolDependencies,
): Promise<MediaPool> {
  const events = new TypedEvents<MediaPoolEvents>(dependencies.log);
  const totals = new Totals();
  const captures = new CaptureDesk(options.captureDirectory, dependencies.clock);
  const both: SideAddresses = { host: options.host, advertisedAddresses: [options.advertisedAddress] };
  const { browserSide: browsers = both, sipServerSide: sipServer = both } = options;
  const hosts = divide(options).map(
    (slice, index) =>
      new WorkerHost({
        ...dependencies,
        advertised: {
          addresses: browsers.advertisedAddresses,
          trunkAddress: sipServer.advertisedAddresses[0],
          ownTrunkAddress: sipServer.host === "0.0.0.0" ? "127.0.0.1" : sipServer.host,
        },
        captures,
        totals,
        onFailed: (reason) => events.emit("worker-failed", index, reason),
        settings: {
          index,
          host: browsers.host,
          trunkHost: sipServer.host,
          ...slice,
          portRestMs: options.portRestMs ?? defaultPortRestMs,
          trunkSource: options.trunkSource ?? "address",
          jitterBuffer: options.jitterBuffer ?? "off",
          idleMs: options.idleMs ?? defaultIdleMs,
          qualityMs: options.qualityMs ?? defaultQualityMs,
          rtcpXr: options.rtcpXr ?? false,
          tellSteps: options.tellSteps ?? false,
          gainDb: options.gainDb,
          warmUpFrames: dependencies.warmUpFrames ?? defaultWarmUpFrames,
          maxCalls: options.maxCallsPerWorker ?? 0,
          maxLoadPercent: options.maxWorkerLoad ?? defaultMaxLoadPercent,
        },
      }),
  );
  const started = await Promise.allSettled(hosts.map((host) => host.start()));
  const failed = started.find((result) => result.status === "rejected");
  if (failed) {
    await Promise.all(hosts.map((host) => host.stop()));
    throw failed.reason;
  }
  return new WorkerPool(hosts, events, totals);
}

class WorkerPool implements MediaPool {
  admissionRefusals = 0;
  readonly events: TypedEvents<MediaPoolEvents>;
  readonly #hosts: readonly WorkerHost[];
  readonly #totals: Totals;
  #closed = false;

  constructor(hosts: readonly WorkerHost[], events: TypedEvents<MediaPoolEvents>, totals: Totals) {
    this.events = events;
    this.#totals = totals;
    this.#hosts = hosts;
  }

  get sessions(): number {
    return this.#hosts.reduce((sum, host) => sum + host.sessions, 0);
  }

  get full(): boolean {
    return this.#hosts.every((host) => host.full || !host.ready);
  }

  async open(): Promise<MediaSession> {
    if (this.#closed) throw this.#exhausted("down", ["media pool is closed"]);
    const ready = this.#hosts.filter((host) => host.ready);
    if (ready.length === 0) throw this.#exhausted("down", ["no media worker is up"]);
    const refusals: MediaExhaustedError[] = [];
    for (const host of ready.sort(byLoad)) {
      try {
        return await host.open();
      } catch (error) {
        // Full or just failed: the next one may still have room.
        if (!(error instanceof MediaExhaustedError)) throw error;
        refusals.push(error);
      }
    }
    throw this.#exhausted(
      refusals[0]?.reason ?? "down",
      refusals.map(({ message }) => message),
    );
  }

  #exhausted(reason: ExhaustedCause, words: readonly string[]): MediaExhaustedError {
    this.admissionRefusals++;
    return new MediaExhaustedError(reason, Array.from(new Set(words)).join("; "));
  }

  get totals(): MediaTotals {
    return this.#totals.all;
  }

  async workers(): Promise<readonly WorkerStatistics[]> {
    // One that fails while it is asked has no figures.
    const all = await Promise.all(this.#hosts.map((host) => host.statistics().catch(() => undefined)));
    return all.filter((statistics) => statistics !== undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#hosts.map((host) => host.stop()));
    this.events.removeAllListeners();
  }
}

/** Those that would refuse come last: what they told may be a second old. */
function byLoad(one: WorkerHost, other: WorkerHost): number {
  return (
    Number(one.full) - Number(other.full) ||
    Math.floor(one.load / loadStep) - Math.floor(other.load / loadStep) ||
    one.burden - other.burden
  );
}
