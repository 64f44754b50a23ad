import type { Clock, Logger, Random } from "../../core/index.ts";
import { CaptureDesk } from "../capture/desk.ts";
import {
  MediaExhaustedError,
  type MediaOptions,
  type MediaPool,
  type MediaSession,
  type WorkerStatistics,
} from "../contract.ts";
import { divide } from "./slices.ts";
import { WorkerHost, type SpawnWorker } from "./worker-host.ts";

const defaultIdleMs = 30_000;
const defaultQualityMs = 5000;
const defaultPortRestMs = 2000;
const defaultWarmUpFrames = 2000;

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
  const captures = new CaptureDesk(options.captureDirectory, dependencies.clock);
  const hosts = divide(options).map(
    (slice, index) =>
      new WorkerHost({
        ...dependencies,
        advertisedAddress: options.advertisedAddress,
        captures,
        settings: {
          index,
          host: options.host,
          ...slice,
          portRestMs: options.portRestMs ?? defaultPortRestMs,
          trunkSource: options.trunkSource ?? "address",
          idleMs: options.idleMs ?? defaultIdleMs,
          qualityMs: options.qualityMs ?? defaultQualityMs,
          rtcpXr: options.rtcpXr ?? false,
          warmUpFrames: dependencies.warmUpFrames ?? defaultWarmUpFrames,
        },
      }),
  );
  const started = await Promise.allSettled(hosts.map((host) => host.start()));
  const failed = started.find((result) => result.status === "rejected");
  if (failed) {
    await Promise.all(hosts.map((host) => host.stop()));
    throw failed.reason;
  }
  return new WorkerPool(hosts);
}

class WorkerPool implements MediaPool {
  readonly #hosts: readonly WorkerHost[];
  #closed = false;

  constructor(hosts: readonly WorkerHost[]) {
    this.#hosts = hosts;
  }

  get sessions(): number {
    return this.#hosts.reduce((sum, host) => sum + host.sessions, 0);
  }

  async open(): Promise<MediaSession> {
    if (this.#closed) throw new MediaExhaustedError("media pool is closed");
    const byLoad = this.#hosts.filter((host) => host.ready).sort((one, other) => one.load - other.load);
    for (const host of byLoad) {
      try {
        return await host.open();
      } catch (error) {
        // Full or just failed: the next one may still have room.
        if (!(error instanceof MediaExhaustedError)) throw error;
      }
    }
    throw new MediaExhaustedError("no media worker has a free RTP port pair");
  }

  async workers(): Promise<readonly WorkerStatistics[]> {
    // One that fails while it is asked has no figures.
    const all = await Promise.all(this.#hosts.map((host) => host.statistics().catch(() => undefined)));
    return all.filter((statistics) => statistics !== undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#hosts.map((host) => host.stop()));
  }
}
