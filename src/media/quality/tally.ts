import type { CodecName, QualityOfWay, WayQuality, WayQualityOfCall } from "../contract.ts";
import { equipmentOf, mosOf, oneWayDelay, ratingOf } from "./e-model.ts";
import { burstRatioOf, type LossCounts } from "./loss-meter.ts";

/** Fewer packets than this tell nothing: a fifth of a second of sound. */
const fewestPackets = 10;
/** A sample with fewer packets is no measure of the worst: one lost packet would weigh too much. Two seconds. */
const solidPackets = 100;

/** What was seen of one way over a time. */
export interface QualitySample {
  readonly codec: CodecName | undefined;
  readonly counts: LossCounts;
  /** Of the missed packets, those recovered by FEC. */
  readonly recovered: number;
  readonly jitterMs: number;
  readonly roundTripMs: number | undefined;
}

/** Sums over the samples of a call. */
interface Sums {
  /** Times the packets expected, as jitter is. */
  readonly mos: number;
  readonly mosWorst: number;
  readonly expected: number;
  readonly missed: number;
  readonly burstPackets: number;
  readonly burstLosses: number;
  readonly jitterMs: number;
  readonly jitterMsWorst: number;
  readonly trips: number;
  readonly roundTripMs: number;
  readonly roundTripMsWorst: number;
}

const nothing: Sums = {
  mos: 0,
  mosWorst: 5,
  expected: 0,
  missed: 0,
  burstPackets: 0,
  burstLosses: 0,
  jitterMs: 0,
  jitterMsWorst: 0,
  trips: 0,
  roundTripMs: 0,
  roundTripMsWorst: 0,
};

/** Missed packets that were not recovered. */
function effectiveLoss({ counts, recovered }: QualitySample): number {
  return Math.max(0, counts.missed - recovered);
}

/** The figures of one sample; undefined when it holds too little. */
export function qualityOf(sample: QualitySample): WayQuality | undefined {
  const { codec, counts, jitterMs, roundTripMs } = sample;
  if (counts.expected < fewestPackets) return undefined;
  const lossPercent = Math.min(100, (effectiveLoss(sample) * 100) / counts.expected);
  const rating = ratingOf({
    equipment: equipmentOf(codec),
    lossPercent,
    burstRatio: burstRatioOf(counts),
    delayMs: oneWayDelay(roundTripMs, jitterMs),
  });
  const burstLossPercent = density(counts.burstLosses, counts.burstPackets);
  return { mos: mosOf(rating), lossPercent, burstLossPercent, jitterMs, roundTripMs };
}

function density(losses: number, packets: number): number {
  return packets > 0 ? Math.min(100, (losses * 100) / packets) : 0;
}

/** Quality of one way: of the last sample, and over the whole call. */
export class QualityTally {
  #last: WayQuality | undefined;
  #sums = nothing;

  /** Takes the sample of an interval that is over. */
  add(sample: QualitySample): void {
    this.#last = qualityOf(sample);
    this.#sums = plus(this.#sums, sample);
  }

  /** Nothing is known of the way any more, for the moment. */
  silence(): void {
    this.#last = undefined;
  }

  /** The figures with those of the interval under way, if it holds enough; the tally stays as it is. */
  figures(running: QualitySample): QualityOfWay {
    return { last: this.#last ?? qualityOf(running), call: ofCall(plus(this.#sums, running)) };
  }
}

function plus(sums: Sums, sample: QualitySample): Sums {
  const { counts, jitterMs, roundTripMs } = sample;
  const { expected } = counts;
  const quality = qualityOf(sample);
  if (!quality) return sums;
  const solid = expected >= solidPackets || sums.expected === 0;
  return {
    mos: sums.mos + quality.mos * expected,
    mosWorst: solid ? Math.min(sums.mosWorst, quality.mos) : sums.mosWorst,
    expected: sums.expected + expected,
    missed: sums.missed + effectiveLoss(sample),
    burstPackets: sums.burstPackets + counts.burstPackets,
    burstLosses: sums.burstLosses + counts.burstLosses,
    jitterMs: sums.jitterMs + jitterMs * expected,
    jitterMsWorst: Math.max(sums.jitterMsWorst, jitterMs),
    trips: sums.trips + (roundTripMs === undefined ? 0 : 1),
    roundTripMs: sums.roundTripMs + (roundTripMs ?? 0),
    roundTripMsWorst: Math.max(sums.roundTripMsWorst, roundTripMs ?? 0),
  };
}

function ofCall(sums: Sums): WayQualityOfCall | undefined {
  const { expected, trips } = sums;
  if (expected === 0) return undefined;
  const mosMean = sums.mos / expected;
  return {
    mosMean,
    // A short interval counts in the mean alone.
    mosWorst: Math.min(sums.mosWorst, mosMean),
    lossPercent: Math.min(100, (sums.missed * 100) / expected),
    burstLossPercent: density(sums.burstLosses, sums.burstPackets),
    jitterMsMean: sums.jitterMs / expected,
    jitterMsWorst: sums.jitterMsWorst,
    roundTripMsMean: trips > 0 ? sums.roundTripMs / trips : undefined,
    roundTripMsWorst: trips > 0 ? sums.roundTripMsWorst : undefined,
  };
}
