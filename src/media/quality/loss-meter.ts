/** So many packets received in a row part two bursts (RFC 3611 4.7.2, the recommended value). */
export const gmin = 16;

/**
 * How the packets of one source were lost: one by one or in bursts (RFC 3611 4.7.2). A burst begins and ends with a
 * packet lost or discarded and has fewer than `gmin` received ones in a row; all else is gap, a lone loss too.
 * Counts up packet by packet and allocates nothing.
 */
export class LossMeter {
  /** Packets that came in time to be played. */
  received = 0;
  /** Packets that never came. */
  lost = 0;
  /** Packets that came too late to be played. */
  discarded = 0;
  /** Stretches of packets not played, of any length. */
  runs = 0;
  bursts = 0;
  burstPackets = 0;
  burstLosses = 0;
  gapPackets = 0;
  gapLosses = 0;
  /** Received since the last loss, and packets missed in the cluster that one ended. */
  #since = 0;
  #cluster = 0;
  #beganWithBurst = false;
  #resumed = true;

  /** Packets that should have been played. */
  get expected(): number {
    return this.received + this.lost + this.discarded;
  }

  /** A packet is here; `lost` are missing before it. */
  arrived(lost: number): void {
    if (lost > 0 && !this.#resumed) {
      this.lost += lost;
      this.#miss(lost);
    }
    this.#resumed = false;
    this.received++;
    this.gapPackets++;
    this.#since++;
  }

  /** The packet told of last came too late after all, and is thrown away. */
  discard(): void {
    if (this.#since === 0) return;
    this.received--;
    this.gapPackets--;
    this.#since--;
    this.discarded++;
    this.#miss(1);
  }

  /** A packet counted as lost has come after its place was filled: it is no loss of the network's. */
  cameTooLate(): void {
    if (this.lost === 0) return;
    this.lost--;
    this.discarded++;
  }

  /** Another source comes, or it is listened to again: what was missed before its first packet is no loss. */
  restart(): void {
    this.#resumed = true;
    this.#since = gmin;
  }

  /** Number of gaps that `gapPackets` are in. */
  get gaps(): number {
    const tail = this.#since > 0 || this.#cluster === 1 ? 1 : 0;
    return Math.max(0, this.bursts + tail - (this.#beganWithBurst ? 1 : 0));
  }

  #miss(count: number): void {
    if (this.#since > 0 || this.#cluster === 0) this.runs++;
    const joins = this.#cluster > 0 && this.#since < gmin;
    if (!joins && count === 1) {
      this.gapPackets++;
      this.gapLosses++;
      this.#cluster = 1;
    } else {
      if (!joins) this.#begin(0);
      else if (this.#cluster === 1) this.#begin(1);
      const between = joins ? this.#since : 0;
      this.gapPackets -= between;
      this.burstPackets += between + count;
      this.burstLosses += count;
      this.#cluster = (joins ? this.#cluster : 0) + count;
    }
    this.#since = 0;
  }

  /** A burst begins, with a lone loss before it that turns out to be its first. */
  #begin(loneLosses: number): void {
    this.bursts++;
    this.gapPackets -= loneLosses;
    this.gapLosses -= loneLosses;
    this.burstPackets += loneLosses;
    this.burstLosses += loneLosses;
    if (this.bursts === 1 && this.gapPackets === (loneLosses > 0 ? this.#since : 0))
      this.#beganWithBurst = true;
  }
}

/** Counters of a meter at one moment; a difference of two is what happened between. */
export interface LossCounts {
  readonly expected: number;
  /** Lost and discarded. */
  readonly missed: number;
  readonly runs: number;
  readonly burstPackets: number;
  readonly burstLosses: number;
}

export function countsOf(meter: LossMeter): LossCounts {
  const { expected, lost, discarded, runs, burstPackets, burstLosses } = meter;
  return { expected, missed: lost + discarded, runs, burstPackets, burstLosses };
}

export function countsBetween(before: LossCounts, after: LossCounts): LossCounts {
  return {
    expected: Math.max(0, after.expected - before.expected),
    missed: Math.max(0, after.missed - before.missed),
    runs: Math.max(0, after.runs - before.runs),
    burstPackets: Math.max(0, after.burstPackets - before.burstPackets),
    burstLosses: Math.max(0, after.burstLosses - before.burstLosses),
  };
}

/** Mean length of a run of missed packets over what it is when loss is random, at least 1 (G.107 7.5). */
export function burstRatioOf({ expected, missed, runs }: LossCounts): number {
  if (runs === 0 || missed >= expected) return 1;
  return Math.max(1, (missed / runs) * (1 - missed / expected));
}
