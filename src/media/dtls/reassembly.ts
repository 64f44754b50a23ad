import type { HandshakeFragment, HandshakeMessage } from "./records.ts";

/** A browser's certificate chain and its ClientHello with post-quantum key shares are well below this, bytes. */
const maxMessageBytes = 8192;
/** Messages held ahead of the next one: a client's whole flight is four. */
const maxAhead = 8;
/** Separate stretches of one message that may be missing in between. */
const maxStretches = 16;

/** One message being put together. */
class Assembly {
  readonly type: number;
  readonly body: Buffer;
  /** Covered stretches [start, end), sorted, apart from each other. */
  #covered: [start: number, end: number][] = [];

  constructor(type: number, length: number) {
    this.type = type;
    this.body = Buffer.alloc(length);
  }

  get complete(): boolean {
    const first = this.#covered[0];
    return this.body.length === 0 || (first !== undefined && first[0] === 0 && first[1] === this.body.length);
  }

  /** Takes a fragment in, whatever it overlaps. */
  add({ offset, body }: HandshakeFragment): void {
    body.copy(this.body, offset);
    let start = offset;
    let end = offset + body.length;
    const apart: [number, number][] = [];
    for (const stretch of this.#covered) {
      if (stretch[1] < start || stretch[0] > end) apart.push(stretch);
      else {
        start = Math.min(start, stretch[0]);
        end = Math.max(end, stretch[1]);
      }
    }
    if (apart.length >= maxStretches) return;
    apart.push([start, end]);
    this.#covered = apart.sort((a, b) => a[0] - b[0]);
  }
}

/**
 * Puts handshake messages together from fragments in any order, each once, and hands them out in order of
 * message_seq (RFC 6347 4.2.2, 4.2.3). At most 8 messages of 8 KB are held.
 */
export class HandshakeReassembler {
  readonly #assemblies = new Map<number, Assembly>();
  #next: number;

  /** `next`: message_seq of the first message wanted. */
  constructor(next: number) {
    this.#next = next;
  }

  /** message_seq of the message wanted next. */
  get next(): number {
    return this.#next;
  }

  /** Takes a fragment; false when it is of the past, too far ahead or too long. */
  add(fragment: HandshakeFragment): boolean {
    const { sequence, type, length } = fragment;
    if (sequence < this.#next || sequence >= this.#next + maxAhead || length > maxMessageBytes) return false;
    let assembly = this.#assemblies.get(sequence);
    // Fragments that contradict each other cannot be told apart, so the newest wins: the client sends again.
    if (assembly === undefined || assembly.type !== type || assembly.body.length !== length) {
      assembly = new Assembly(type, length);
      this.#assemblies.set(sequence, assembly);
    }
    assembly.add(fragment);
    return true;
  }

  /** Next message in order, once it is whole. */
  take(): HandshakeMessage | undefined {
    const message = this.takeAny(this.#next);
    if (message !== undefined) this.#next++;
    return message;
  }

  /** The message of `sequence`, once it is whole, without moving on: for hellos, which may come again. */
  takeAny(sequence: number): HandshakeMessage | undefined {
    const assembly = this.#assemblies.get(sequence);
    if (assembly === undefined || !assembly.complete) return undefined;
    this.#assemblies.delete(sequence);
    return { type: assembly.type, sequence, body: assembly.body };
  }
}
