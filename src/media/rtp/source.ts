import { timestampDistance } from "./packet.ts";

/** More packets missing than this at once is a restart of the source, not a loss (RFC 3550 A.1). */
const maxDropout = 3000;
/** A packet this far behind is a restart, not a late one (RFC 3550 A.1). */
const maxMisorder = 100;
/** How long stray packets of the SSRC we just left are refused, so that two overlapping senders (a call being
 * re-targeted) do not make us switch to and fro, ms. */
const formerSourceMs = 500;

/** `receive`'s answer when the packet is not simply next or after a loss; a number >= 0 is the packets lost. */
export const arrival = { started: -1, late: -2, duplicate: -3, suspicious: -4, former: -5 } as const;

/** What a receiver report says of a source, since the last report and in all (RFC 3550 6.4.1). */
export interface ReceptionReport {
  readonly ssrc: number;
  readonly fractionLost: number;
  readonly cumulativeLost: number;
  readonly extendedHighestSequence: number;
  readonly jitter: number;
}

/**
 * Follows the source of packets of one side: sequence numbers, loss and jitter (RFC 3550 A.1, A.3, A.8), over
 * changes of SSRC and restarts. Counters of earlier sources stay in the totals.
 */
export class ReceivedSource {
  #started = false;
  #ssrc = 0;
  #base = 0;
  #highest = 0;
  #received = 0;
  /** Bit n: the packet `highest - n` has come. */
  #seenLow = 0;
  #seenHigh = 0;
  #badNext = -1;
  #formerSsrc = -1;
  #switchedAt = 0;
  #jitter = 0;
  #transit = 0;
  #transitKnown = false;
  #expectedPrior = 0;
  #receivedPrior = 0;
  #lostBefore = 0;
  #paused = false;

  get started(): boolean {
    return this.#started;
  }

  get ssrc(): number {
    return this.#ssrc;
  }

  /** Packets missing over the whole session; never below zero though duplicates may make it so for a moment. */
  get packetsLost(): number {
    return this.#lostBefore + Math.max(0, this.#expected - this.#received);
  }

  /** Inter-arrival jitter in units of the source's RTP clock. */
  get jitter(): number {
    return this.#jitter;
  }

  get #expected(): number {
    return this.#started ? this.#highest - this.#base + 1 : 0;
  }

  /** Nothing is taken note of for a while: what is missing when it goes on was not lost. */
  pause(): void {
    this.#paused = this.#started;
  }

  /** Takes note of a packet; returns the number of packets missing before it, or one of `arrival`. */
  receive(ssrc: number, sequence: number, now: number): number {
    if (!this.#started || ssrc !== this.#ssrc) {
      if (this.#started && ssrc === this.#formerSsrc && now - this.#switchedAt < formerSourceMs)
        return arrival.former;
      this.#formerSsrc = this.#started ? this.#ssrc : -1;
      this.#switchedAt = now;
      this.#restart(ssrc, sequence);
      return arrival.started;
    }
    let ahead = (sequence - this.#highest) & 0xffff;
    if (ahead === 0) return arrival.duplicate;
    if (ahead < maxDropout) {
      this.#highest += ahead;
      this.#shiftSeen(ahead);
      if (this.#paused) {
        this.#paused = false;
        this.#base += ahead - 1;
        ahead = 1;
      }
      this.#received++;
      this.#badNext = -1;
      return ahead - 1;
    }
    const behind = 0x10000 - ahead;
    if (behind < maxMisorder) return this.#receiveLate(behind);
    // Two in a row of the far numbers mean that the sender began anew; one alone is a stray.
    if (sequence !== this.#badNext) {
      this.#badNext = (sequence + 1) & 0xffff;
      return arrival.suspicious;
    }
    this.#restart(ssrc, sequence);
    return arrival.started;
  }

  /** Feeds the jitter estimate with an audio packet's RTP timestamp; `now` in ms, `clockRate` in Hz. */
  measureJitter(timestamp: number, now: number, clockRate: number): void {
    const transit = (((now * clockRate) / 1000) | 0) - timestamp;
    if (this.#transitKnown) {
      const difference = Math.abs(timestampDistance(transit, this.#transit));
      // A jump of the timestamps is no jitter; leave it out instead of poisoning the estimate for minutes.
      if (difference < clockRate) this.#jitter += (difference - this.#jitter) / 16;
    }
    this.#transit = transit;
    this.#transitKnown = true;
  }

  /** The figures of the next report block; starts a new interval for the fraction lost (RFC 3550 A.3). */
  report(): ReceptionReport {
    const expected = this.#expected;
    const expectedInterval = expected - this.#expectedPrior;
    const lostInterval = expectedInterval - (this.#received - this.#receivedPrior);
    this.#expectedPrior = expected;
    this.#receivedPrior = this.#received;
    return {
      ssrc: this.#ssrc,
      fractionLost:
        expectedInterval > 0 && lostInterval > 0
          ? Math.min(255, Math.floor((lostInterval * 256) / expectedInterval))
          : 0,
      cumulativeLost: Math.max(-0x800000, Math.min(0x7fffff, expected - this.#received)),
      extendedHighestSequence: this.#highest >>> 0,
      jitter: Math.floor(this.#jitter),
    };
  }

  #receiveLate(behind: number): number {
    const seen = behind < 32 ? this.#seenLow >>> behind : behind < 64 ? this.#seenHigh >>> (behind - 32) : 0;
    if (seen & 1) return arrival.duplicate;
    if (behind < 32) this.#seenLow |= 1 << behind;
    else if (behind < 64) this.#seenHigh |= 1 << (behind - 32);
    this.#received++;
    return arrival.late;
  }

  #shiftSeen(by: number): void {
    if (by >= 64) {
      this.#seenHigh = 0;
      this.#seenLow = 1;
    } else if (by >= 32) {
      this.#seenHigh = this.#seenLow << (by - 32);
      this.#seenLow = 1;
    } else {
      this.#seenHigh = (this.#seenHigh << by) | (this.#seenLow >>> (32 - by));
      this.#seenLow = (this.#seenLow << by) | 1;
    }
  }

  #restart(ssrc: number, sequence: number): void {
    this.#lostBefore = this.packetsLost;
    this.#started = true;
    this.#paused = false;
    this.#ssrc = ssrc;
    this.#base = sequence;
    this.#highest = sequence;
    this.#received = 1;
    this.#seenLow = 1;
    this.#seenHigh = 0;
    this.#badNext = -1;
    this.#transitKnown = false;
    this.#expectedPrior = 0;
    this.#receivedPrior = 0;
  }
}
