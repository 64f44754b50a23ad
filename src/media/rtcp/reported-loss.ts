import type { ReportBlock } from "./packet.ts";

/** Sums of a side's counts about our line. */
export interface ReportedCounts {
  readonly reports: number;
  readonly expected: number;
  readonly lost: number;
}

/** Adds up what the far end's report blocks say of our line, each since the one before (RFC 3550 6.4.1). */
export class ReportedLoss implements ReportedCounts {
  reports = 0;
  expected = 0;
  lost = 0;
  #highest = -1;
  #cumulative = 0;
  #packets = 0;

  /** `packets`: sent on the line so far. A receiver that began anew is believed its fraction. */
  add(block: Readonly<ReportBlock>, packets: number): void {
    const sent = packets - this.#packets;
    const ahead = this.#highest < 0 ? -1 : block.extendedHighestSequence - this.#highest;
    const expected = ahead >= 0 && ahead < 0x8000 ? ahead : sent;
    const lost = block.cumulativeLost - this.#cumulative;
    this.reports++;
    this.expected += expected;
    this.lost += lost >= 0 && lost <= expected ? lost : Math.round((expected * block.fractionLost) / 256);
    this.#highest = block.extendedHighestSequence;
    this.#cumulative = block.cumulativeLost;
    this.#packets = packets;
  }
}
