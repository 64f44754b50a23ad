import type { CodecName, QualityOfWay } from "../contract.ts";
import type { OwnVoipMetrics } from "../rtcp/extended-report.ts";
import type { ReportedCounts } from "../rtcp/reported-loss.ts";
import type { RemoteView } from "../rtcp/reporter.ts";
import {
  burstRatioOf,
  countsBetween,
  countsOf,
  gmin,
  type LossCounts,
  type LossMeter,
} from "./loss-meter.ts";
import { equipmentOf, mosOf, oneWayDelay, ratingOf } from "./e-model.ts";
import { QualityTally, type QualitySample } from "./tally.ts";

/** Intervals without a receiver report after which what the last one said is no news any more. */
const staleIntervals = 3;
/** Time of one packet as burst and gap durations count it, ms. */
const packetMs = 20;

/** Where the figures of one side are read. */
export interface QualitySources {
  readonly meter: LossMeter;
  readonly codec: () => CodecName | undefined;
  readonly jitterMs: () => number;
  /** Packets recovered by FEC so far. */
  readonly recovered: () => number;
  readonly remote: () => RemoteView | undefined;
  readonly reported: ReportedCounts;
}

const zero: LossCounts = { expected: 0, missed: 0, runs: 0, burstPackets: 0, burstLosses: 0 };

/** How the sound from a side and toward it is, interval by interval and over the call. */
export class SideQuality {
  readonly #sources: QualitySources;
  readonly #received = new QualityTally();
  readonly #sent = new QualityTally();
  #counts = zero;
  #recovered = 0;
  #reported: ReportedCounts = { reports: 0, expected: 0, lost: 0 };
  #unheard = 0;

  constructor(sources: QualitySources) {
    this.#sources = sources;
  }

  /** An interval is over. */
  endInterval(): void {
    const { meter, recovered, reported } = this.#sources;
    this.#received.add(this.#receivedNow());
    this.#counts = countsOf(meter);
    this.#recovered = recovered();
    if (reported.reports > this.#reported.reports) {
      this.#unheard = 0;
      this.#sent.add(this.#sentNow());
      const { reports, expected, lost } = reported;
      this.#reported = { reports, expected, lost };
    } else if (++this.#unheard >= staleIntervals) this.#sent.silence();
  }

  get received(): QualityOfWay {
    return this.#received.figures(this.#receivedNow());
  }

  get sent(): QualityOfWay {
    return this.#sent.figures(this.#sentNow());
  }

  #receivedNow(): QualitySample {
    const { meter, codec, jitterMs, recovered, remote } = this.#sources;
    return {
      codec: codec(),
      counts: countsBetween(this.#counts, countsOf(meter)),
      recovered: recovered() - this.#recovered,
      jitterMs: jitterMs(),
      roundTripMs: remote()?.roundTripMs,
    };
  }

  /** A receiver report tells no runs: its loss counts as random. */
  #sentNow(): QualitySample {
    const { codec, remote, reported } = this.#sources;
    const view = remote();
    const missed = reported.lost - this.#reported.lost;
    const expected = reported.expected - this.#reported.expected;
    return {
      codec: codec(),
      counts: { ...zero, expected, missed, runs: missed },
      recovered: 0,
      jitterMs: view?.jitterMs ?? 0,
      roundTripMs: view?.roundTripMs,
    };
  }

  /** What we receive from the side, over the call, for an extended report (RFC 3611 4.7). */
  get voipMetrics(): OwnVoipMetrics {
    const { meter, codec, jitterMs, recovered, remote } = this.#sources;
    const counts = countsOf(meter);
    const percent = (part: number, whole: number): number => (whole > 0 ? (part * 100) / whole : 0);
    const roundTripMs = remote()?.roundTripMs;
    const transmission = {
      equipment: equipmentOf(codec()),
      lossPercent: percent(Math.max(0, counts.missed - recovered()), counts.expected),
      burstRatio: burstRatioOf(counts),
    };
    const listening = ratingOf({ ...transmission, delayMs: 0 });
    const conversation = ratingOf({ ...transmission, delayMs: oneWayDelay(roundTripMs, jitterMs()) });
    return {
      lossPercent: percent(meter.lost, meter.expected),
      discardPercent: percent(meter.discarded, meter.expected),
      burstLossPercent: percent(meter.burstLosses, meter.burstPackets),
      burstMs: meter.bursts > 0 ? (meter.burstPackets * packetMs) / meter.bursts : 0,
      gapLossPercent: percent(meter.gapLosses, meter.gapPackets),
      gapMs: meter.gaps > 0 ? (meter.gapPackets * packetMs) / meter.gaps : 0,
      roundTripMs: roundTripMs ?? 0,
      // What comes is sent on in the same turn.
      endSystemMs: 0,
      rFactor: conversation,
      mosLq: mosOf(listening),
      mosCq: mosOf(conversation),
      gmin,
    };
  }
}
