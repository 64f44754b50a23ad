/** What one call is taken to cost before there is a measure, percent: transcoded Opus, docs/benchmarks.md. */
export const usualCallPercent = 1;
/** The handshake of a call just answered takes some 10 ms of the interval it falls into, percent. */
const setUpPercent = 1;
/** Fewer calls tell nothing: most of their cost is the thread's own. */
const fewestCalls = 10;
/** From this share of the limit on the cost of a call is believed though it is above what was learned before. */
const trueFrom = 0.5;
/** Share of handshakes in the load above which it tells nothing of calls. */
const mostHandshakes = 0.25;
/** Share of a new measure in what is learned: noise of one second, or calls that end in it, move it little. */
const newShare = 1 / 8;

/** One interval of the worker. */
export interface PricedLoad {
  /** CPU time of the thread, percent of one core. */
  readonly cpuPercent: number;
  /** Calls' worth of sound: a call of which one side sounds is half a one. */
  readonly sounding: number;
  /** Calls answered in the interval: `cpuPercent` holds their handshakes. */
  readonly setUps: number;
}

/** What was not there only for the handshakes of calls just answered, percent. */
export function lastingPercent({ cpuPercent, setUps }: Pick<PricedLoad, "cpuPercent" | "setUps">): number {
  return Math.max(0, cpuPercent - setUps * setUpPercent);
}

/**
 * What a call of this worker costs once it sounds, learned from those that do. A few calls cost more each than many, so
 * while there is little load a measure can only be too high: it counts when it is below what is believed.
 */
export class CallPrice {
  /** Percent of one core. */
  percent = usualCallPercent;
  readonly #trueFromPercent: number;
  #learned = usualCallPercent;
  #soundedBefore = 0;

  constructor(maxLoadPercent: number) {
    this.#trueFromPercent = maxLoadPercent * trueFrom;
  }

  /** Once for each interval. */
  learn(load: PricedLoad): void {
    const { cpuPercent, sounding } = load;
    const lasting = lastingPercent(load);
    // The load of calls that ended in the interval is in it: learned is what all of them cost.
    const calls = Math.max(sounding, this.#soundedBefore);
    this.#soundedBefore = sounding;
    const telling = sounding >= fewestCalls && lasting >= cpuPercent * (1 - mostHandshakes);
    if (telling && cpuPercent >= this.#trueFromPercent)
      this.#learned += (lasting / calls - this.#learned) * newShare;
    this.percent = telling ? Math.min(this.#learned, lasting / sounding) : this.#learned;
  }
}
