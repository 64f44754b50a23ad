import { join } from "node:path";
import type { Clock } from "../../core/index.ts";
import {
  captureLimits,
  CaptureRefusedError,
  type CaptureOptions,
  type CaptureOrder,
  type CaptureResult,
  type RunningCapture,
} from "./contract.ts";
import type { CaptureStart } from "./worker-captures.ts";

/** One session's way to its worker, for a capture. */
export interface CaptureLine {
  readonly advertisedAddress: string;
  readonly trunkAdvertisedAddress: string;
  /** Rejects when the worker fails first; undefined when the session is gone. */
  start(order: CaptureOrder): Promise<CaptureStart | undefined>;
  /** Sent right behind `start`; resolves when the capture has ended. Undefined when none began. */
  result(): Promise<CaptureResult | undefined>;
  stop(): void;
}

/** Where captures are asked for on the main thread: names their files and counts them over all workers. */
export class CaptureDesk {
  readonly #directory: string | undefined;
  readonly #clock: Clock;
  #running = 0;

  /** `directory`: absolute path of the folder for the files; without one no capture is started. */
  constructor(directory: string | undefined, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /**
   * Resolves when packets are being captured; `onEnded` is called when the file is closed, which may be sooner.
   * Rejects with RangeError on options out of bounds, and with CaptureRefusedError.
   */
  async start(options: CaptureOptions, line: CaptureLine, onEnded: () => void): Promise<RunningCapture> {
    checkOptions(options);
    const { label, durationMs, bytes, payload } = options;
    if (this.#directory === undefined)
      throw new CaptureRefusedError("off", "captures are off: media.captureDirectory names no folder");
    if (this.#running >= captureLimits.atOnce)
      throw new CaptureRefusedError("limit", `${this.#running} captures run already: stop one, or wait`);
    const file = `${label}-${timeName(this.#clock.wallClock())}.pcap`;
    const path = join(this.#directory, file);
    this.#running++;
    const { advertisedAddress, trunkAdvertisedAddress } = line;
    const addresses = { advertisedAddress, trunkAdvertisedAddress };
    const order = { path, file, durationMs, bytes, payload, ...addresses };
    // Both questions go out at once, so that no end can come between them.
    const started = line.start(order);
    const ended = line
      .result()
      .catch(() => undefined)
      .then((result) => {
        this.#running--;
        onEnded();
        return result ?? { file, packets: 0, leftOut: 0, bytes: 0, reason: "media worker failed" };
      });
    const start = await started.catch(() => undefined);
    if (!start?.ok) await ended;
    if (!start) throw new CaptureRefusedError("no-media", "the call's media is not there any more");
    if (!start.ok) throw new CaptureRefusedError("file", `capture file ${file} not made: ${start.reason}`);
    return { file, ended, stop: () => line.stop() };
  }
}

function checkOptions({ label, durationMs, bytes }: CaptureOptions): void {
  const within = (value: number, { least, most }: { least: number; most: number }): boolean =>
    value >= least && value <= most;
  if (!/^[\w-]{1,64}$/.test(label)) throw new RangeError("label of a capture is no name");
  if (!within(durationMs, captureLimits.durationMs)) throw new RangeError(`durationMs is ${durationMs}`);
  if (!within(bytes, captureLimits.bytes)) throw new RangeError(`bytes is ${bytes}`);
}

/** `20261121T112013.045Z`: sorts by time, and no two captures of one call begin in the same millisecond. */
function timeName(wallClock: number): string {
  return new Date(wallClock).toISOString().replaceAll(/[-:]/g, "");
}
