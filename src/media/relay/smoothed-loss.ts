/** Weight of a report that tells of more loss than thought, and of one that tells of less. */
const riseWeight = 0.5;
const fallWeight = 0.25;

/**
 * What the far end's receiver reports say of the loss of what we send, smoothed: one report covers a few hundred
 * packets, and a single stumble of the network is no reason to spend bitrate on redundancy. Quick to believe a loss,
 * slow to forget it: a network that lost lately will lose again.
 */
export class SmoothedLoss {
  #percent = 0;

  /** Takes the loss of one report and returns the loss to reckon with, both in percent. */
  take(percent: number): number {
    const weight = percent > this.#percent ? riseWeight : fallWeight;
    this.#percent += (percent - this.#percent) * weight;
    return this.#percent;
  }
}
