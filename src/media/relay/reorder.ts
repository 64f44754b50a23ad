import { maxRtpLength } from "../rtp/packet.ts";

/** Packets that may wait for one before them: reordering by one or two places is what networks do. */
const slotCount = 2;
/** Most packets that may be missing before one that waits. */
const longestHole = 2;
/** Longest wait, ms, looked at by each packet and tick: two packets of 20 ms. Longer is not worth the delay. */
const longestHoldMs = 40;
/** Holds in a row that ended in vain, after which holes are taken for losses. */
const vainHolds = 2;

/**
 * Hands on a packet of the order. `lost` packets are missing before it; `arrivedAt` is when it came, `now` when it is
 * handed on. The memory may be ours and is used again afterwards.
 */
export type Deliver = (packet: Buffer, length: number, lost: number, arrivedAt: number, now: number) => void;

/** Puts the packets of one source in the order of their sequence numbers, at its price in delay. */
export interface PacketOrder {
  /** Packets that came out of order and could take their place. */
  readonly reordered: number;
  /** Whether any packet waits. */
  readonly holding: boolean;
  /** What comes next is `sequence`, whatever was before; what waits must have been released or cleared. */
  start(sequence: number): void;
  /** True when the packet is the next one and nothing waits: it is taken as handed on. */
  passes(sequence: number): boolean;
  /** Takes a packet that is no duplicate, `audio` or a key press; false when its place is gone. */
  take(packet: Buffer, length: number, sequence: number, now: number, audio: boolean): boolean;
  /** Every 20 ms; `caughtUp`: all that has come was read, so what is missing has not come. */
  tick(now: number, caughtUp: boolean): void;
  /** Hands on at once what waits. */
  release(now: number): void;
  /** Forgets what waits. */
  clear(): void;
}

interface Slot {
  readonly packet: Buffer;
  length: number;
  sequence: number;
  arrivedAt: number;
  used: boolean;
}

/**
 * Repairs reordering by one or two places without delay in the normal case: only a packet with a small hole before it
 * waits, and only while that has paid. Holds in vain mean loss and stop the holding, a packet that came too late means
 * reordering and starts it again. So neither traffic in order nor traffic with losses alone is delayed.
 */
export class ReorderBuffer implements PacketOrder {
  reordered = 0;
  readonly #deliver: Deliver;
  readonly #slots: readonly Slot[];
  #next = 0;
  #waiting = 0;
  #heldSince = 0;
  #vain = 0;

  constructor(deliver: Deliver) {
    this.#deliver = deliver;
    this.#slots = Array.from({ length: slotCount }, () => ({
      packet: Buffer.allocUnsafeSlow(maxRtpLength),
      length: 0,
      sequence: 0,
      arrivedAt: 0,
      used: false,
    }));
  }

  /** Whether a packet with a hole before it would wait. */
  get armed(): boolean {
    return this.#vain < vainHolds;
  }

  get holding(): boolean {
    return this.#waiting > 0;
  }

  start(sequence: number): void {
    this.#next = sequence;
  }

  passes(sequence: number): boolean {
    if (this.#waiting > 0 || sequence !== this.#next) return false;
    this.#next = (sequence + 1) & 0xffff;
    return true;
  }

  take(packet: Buffer, length: number, sequence: number, now: number): boolean {
    const ahead = distance(sequence, this.#next);
    if (ahead < 0) {
      // One so late that no hold would have waited for it proves nothing.
      if (ahead >= -(longestHole + 1)) this.#vain = 0;
      return false;
    }
    if (this.#waiting > 0 && this.#isOvertaken(sequence)) this.reordered++;
    if (ahead > 0 && this.#mayWait(ahead, now)) this.#hold(packet, length, sequence, now);
    else this.#place(packet, length, sequence, now);
    return true;
  }

  tick(now: number, caughtUp: boolean): void {
    if (caughtUp && this.#waiting > 0 && now - this.#heldSince > longestHoldMs) this.release(now);
  }

  release(now: number): void {
    if (this.#waiting === 0) return;
    this.#vain++;
    for (let slot = this.#first(); slot; slot = this.#first()) this.#handOnSlot(slot, now);
  }

  clear(): void {
    this.#waiting = 0;
    for (const slot of this.#slots) slot.used = false;
  }

  #mayWait(ahead: number, now: number): boolean {
    if (this.#waiting === 0) return ahead <= longestHole && this.armed;
    return (
      this.#waiting < slotCount &&
      ahead <= longestHole + slotCount - 1 &&
      now - this.#heldSince <= longestHoldMs
    );
  }

  /** Hands on a packet that shall not wait, what waits for it, and, if there is no more time or room, all the rest. */
  #place(packet: Buffer, length: number, sequence: number, now: number): void {
    const ahead = distance(sequence, this.#next);
    let first = this.#first();
    if (first && after(first.sequence, sequence)) this.#vain = 0;
    else if (first) this.#vain++;
    for (; first && after(sequence, first.sequence); first = this.#first()) this.#handOnSlot(first, now);
    this.#handOn(packet, length, sequence, now, now);
    this.#drain(now);
    // With a hole before it given up there is no more to be waited for; one that only filled a hole leaves the rest.
    if (ahead > 0) this.release(now);
    this.#heldSince = now;
  }

  #hold(packet: Buffer, length: number, sequence: number, now: number): void {
    const slot = this.#slots.find(({ used }) => !used);
    if (!slot) return;
    packet.copy(slot.packet, 0, 0, length);
    slot.length = length;
    slot.sequence = sequence;
    slot.arrivedAt = now;
    slot.used = true;
    if (this.#waiting++ === 0) this.#heldSince = now;
  }

  /** Whether a packet that waits comes after this one. */
  #isOvertaken(sequence: number): boolean {
    for (const slot of this.#slots) if (slot.used && after(slot.sequence, sequence)) return true;
    return false;
  }

  #first(): Slot | undefined {
    let first: Slot | undefined;
    for (const slot of this.#slots)
      if (slot.used && (!first || after(first.sequence, slot.sequence))) first = slot;
    return first;
  }

  /** Hands on what joins what was handed on. */
  #drain(now: number): void {
    for (let slot = this.#first(); slot?.sequence === this.#next; slot = this.#first())
      this.#handOnSlot(slot, now);
  }

  #handOnSlot(slot: Slot, now: number): void {
    slot.used = false;
    this.#waiting--;
    this.#handOn(slot.packet, slot.length, slot.sequence, slot.arrivedAt, now);
  }

  #handOn(packet: Buffer, length: number, sequence: number, arrivedAt: number, now: number): void {
    const lost = distance(sequence, this.#next);
    this.#next = (sequence + 1) & 0xffff;
    this.#deliver(packet, length, lost, arrivedAt, now);
  }
}

/** `later - earlier` of two sequence numbers, signed, as they wrap. */
export function distance(later: number, earlier: number): number {
  return ((later - earlier) << 16) >> 16;
}

/** Whether `one` comes after `other`. */
export function after(one: number, other: number): boolean {
  return distance(one, other) > 0;
}
