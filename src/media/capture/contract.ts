/** Bounds of what may be asked for: ms, and bytes of the file. The smallest file holds its header and some packets. */
export const captureLimits = {
  durationMs: { least: 1000, most: 600_000, standard: 60_000 },
  bytes: { least: 1000, most: 100_000_000, standard: 10_000_000 },
  /** Captures running at one time in the process. */
  atOnce: 4,
} as const;

/** What a capture of one call's media holds, and when it ends by itself: at the first limit reached. */
export interface CaptureOptions {
  /** Begins the file's name: letters, digits, `_` and `-`, at most 64. */
  readonly label: string;
  readonly durationMs: number;
  /** Largest file, bytes. */
  readonly bytes: number;
  /** Payloads too: the sound, and the DTMF digits. Else each RTP packet is cut behind its header. */
  readonly payload: boolean;
}

/** How a capture ended, and what its file holds. */
export interface CaptureResult {
  /** Name in the configured folder. */
  readonly file: string;
  readonly packets: number;
  /** Packets that were not written: the disk was too slow, or an address was not IPv4. */
  readonly leftOut: number;
  /** Size of the file. */
  readonly bytes: number;
  /** In words: `time limit`, `size limit`, `stopped`, `call ended`, `write failed: ENOSPC`, ... */
  readonly reason: string;
}

export interface RunningCapture {
  readonly file: string;
  /** Resolves when the file is whole and closed; never rejects. */
  readonly ended: Promise<CaptureResult>;
  /** Asks for the end; `ended` follows. Idempotent. */
  stop(): void;
}

/**
 * Why none was started. `off`: no folder is configured; `limit`: as many run as may; `running`: one of this call runs;
 * `no-media`: the session is not there (any more); `file`: the file could not be made.
 */
export type CaptureRefusal = "off" | "limit" | "running" | "no-media" | "file";

/** Thrown where a capture is asked for and cannot be had. */
export class CaptureRefusedError extends Error {
  override readonly name = "CaptureRefusedError";
  readonly refusal: CaptureRefusal;

  constructor(refusal: CaptureRefusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}

/** Order for one capture, as it crosses to the worker. */
export interface CaptureOrder {
  /** Absolute path; must not exist. */
  readonly path: string;
  readonly file: string;
  readonly durationMs: number;
  readonly bytes: number;
  readonly payload: boolean;
  /** Stand as our addresses in the file where the worker binds 0.0.0.0. */
  readonly advertisedAddress: string;
  readonly trunkAdvertisedAddress: string;
}
