import type { MediaOptions } from "../contract.ts";

/** What one worker may bind. */
export interface WorkerSlice {
  /** 0 = any. */
  readonly browserPort: number;
  readonly rtpPorts: readonly [first: number, last: number];
}

const highestPort = 0xffff;

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= highestPort;
}

/**
 * Shares the ports out: worker i has `browserPort + i` and an equal slice of the RTP pairs. Throws RangeError
 * when ports are no ports, ranges overlap, or there is less than one pair for each worker.
 */
export function divide(
  options: Pick<MediaOptions, "browserPort" | "rtpPorts" | "workers">,
): readonly WorkerSlice[] {
  const { browserPort, rtpPorts, workers } = options;
  const [lowest, highest] = rtpPorts;
  if (!Number.isInteger(workers) || workers < 1)
    throw new RangeError(`media.workers is ${workers}: at least one worker is needed`);
  if (!isPort(lowest) || !isPort(highest))
    throw new RangeError(`media.rtpPorts ${lowest}-${highest}: ports are 1 to ${highestPort}`);
  checkBrowserPorts(browserPort, workers, lowest, highest);
  const first = lowest + (lowest % 2);
  const pairs = Math.floor((highest - first + 1) / 2);
  const pairsEach = Math.floor(pairs / workers);
  if (pairsEach < 1)
    throw new RangeError(
      `media.rtpPorts ${lowest}-${highest} hold ${Math.max(0, pairs)} pairs for ${workers} workers`,
    );
  return Array.from({ length: workers }, (_, index) => {
    const start = first + index * pairsEach * 2;
    return {
      browserPort: browserPort === 0 ? 0 : browserPort + index,
      rtpPorts: [start, start + pairsEach * 2 - 1],
    };
  });
}

function checkBrowserPorts(browserPort: number, workers: number, lowest: number, highest: number): void {
  if (browserPort === 0) return;
  const last = browserPort + workers - 1;
  if (!isPort(browserPort) || !isPort(last))
    throw new RangeError(
      `media.browserPort ${browserPort}: with ${workers} workers it leaves 1 to ${highestPort}`,
    );
  if (browserPort <= highest && last >= lowest)
    throw new RangeError(
      `media.browserPort ${browserPort} to ${last} overlaps media.rtpPorts ${lowest}-${highest}`,
    );
}
