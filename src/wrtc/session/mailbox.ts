import type { Clock, Timer } from "../../core/index.ts";
import type { Letter } from "../protocol/gateway-message.ts";
import type { PollAnswer, PollEvents, PollLine } from "./poll.ts";
import { PollLimit } from "./poll-limit.ts";

/** Counted since the start, all sessions together. */
export interface MailboxCounters {
  /** Given to a poll, by kind; repetitions too. */
  readonly delivered: Record<Letter["kind"], number>;
  /** Put back, since the client most likely did not read them. */
  requeued: number;
  /** Given up: the session did not read, or lost them again and again. */
  lost: number;
}

/** How long polls hang, ms; a reload may change them. */
export interface WaitTerms {
  /** 0: for ever. */
  readonly waitMs: number;
  /** Over HTTP/1.1, where each poll holds one of the six connections a browser has. */
  readonly waitHttp1Ms: number;
}

export interface MailboxOptions {
  readonly clock: Clock;
  readonly terms: () => WaitTerms;
  readonly counters: MailboxCounters;
  /** The first poll is open, or the last one is over. */
  readonly onPolling: (polling: boolean) => void;
}

/** A letter on its way. */
interface Parcel {
  readonly letter: Letter;
  attempts: number;
}

interface Parked {
  readonly line: PollLine;
  /** `clock.now()`. */
  readonly since: number;
  timer: Timer | undefined;
}

/** The parcel that went last, until it is known to have come, or taken for it. */
interface UnderWay {
  readonly parcel: Parcel;
  readonly poll: Parked;
  flushed: boolean;
  read: boolean;
  /** Not to be told again. */
  forgotten: boolean;
  timer: Timer;
}

/** Messages that may wait for a client; the last ones of a session that does not read. */
export const lettersKept = 100;
/** Polls of one session at a time: two chains of an old client, and what a broken connection has left. */
const pollsKept = 4;
/** What is told so often in vain is given up: most likely something on the way closes each connection. */
const attemptsMost = 8;
/** How long an answer may take to be written. */
const writeMs = 5000;
/** So long after an answer without a word of its connection the client is taken to have it. */
const graceMs = 1000;
/** A poll by another connection is followed by the end of the former's, if the client has given that up. */
const settleMs = 50;

/**
 * The way of messages to one client by its polls: in order, each once as far as can be known. The protocol has no
 * acknowledgement, so what a client that gave its poll up cannot have read is told again (3.3).
 */
export class Mailbox {
  readonly #options: MailboxOptions;
  readonly #limit: PollLimit;
  #queue: Parcel[] = [];
  /** Oldest first. */
  #parked: Parked[] = [];
  #underWay: UnderWay | undefined;
  #closed: 200 | 404 | 503 | undefined;

  constructor(options: MailboxOptions) {
    this.#options = options;
    this.#limit = new PollLimit(options.clock);
  }

  /** Polls that hang. */
  get polls(): number {
    return this.#parked.length;
  }

  get waiting(): number {
    return this.#queue.length + (this.#underWay ? 1 : 0);
  }

  /** False: too many wait, and this one is lost. */
  push(letter: Letter): boolean {
    if (this.#closed !== undefined) return true;
    if (this.waiting >= lettersKept) {
      this.#options.counters.lost++;
      return false;
    }
    this.#queue.push({ letter, attempts: 0 });
    this.#dispatch();
    return true;
  }

  /** Where the first letter of this kind is: not given to a poll yet, or given to one without a sign that it was read. */
  unread(kind: Letter["kind"]): "waiting" | "under-way" | undefined {
    if (this.#underWay?.parcel.letter.kind === kind) return "under-way";
    return this.#queue.some(({ letter }) => letter.kind === kind) ? "waiting" : undefined;
  }

  /** What waits is not told any more, nor what is under way told again. */
  forget(): void {
    this.#queue = [];
    if (this.#underWay) this.#underWay.forgotten = true;
  }

  /** A poll came in; what becomes of it is told to what this returns. */
  park(line: PollLine): PollEvents {
    const { clock, terms, onPolling } = this.#options;
    const poll: Parked = { line, since: clock.now(), timer: undefined };
    if (this.#closed !== undefined) line.answer({ status: this.#closed });
    else {
      this.#limit.polled();
      this.#judgeLast(line);
      this.#parked.push(poll);
      const ms = this.#limit.within(line.multiplexed ? terms().waitMs : http1Ms(terms()));
      if (ms > 0) poll.timer = clock.setTimer(ms, () => this.#finish(poll, { status: 200 }));
      if (this.#parked.length === 1) onPolling(true);
      const [oldest] = this.#parked;
      // Not an empty 200: each would be followed by the next poll at once, in turns for ever.
      if (oldest && this.#parked.length > pollsKept) this.#finish(oldest, { status: 429 });
      this.#dispatch();
    }
    return {
      flushed: () => this.#flushed(poll),
      read: () => this.#read(poll),
      closed: () => this.#lost(poll),
    };
  }

  /** Takes nothing more; open polls are answered with `status`, but for the one that is being told something. Idempotent. */
  close(status: 200 | 404 | 503): void {
    if (this.#closed !== undefined) return;
    this.#closed = status;
    this.#queue = [];
    this.#underWay?.timer.clear();
    this.#underWay = undefined;
    for (const poll of Array.from(this.#parked)) this.#finish(poll, { status });
  }

  #dispatch(): void {
    if (this.#underWay || this.#queue.length === 0) return;
    const poll = this.#parked.at(-1);
    const parcel = poll && this.#queue.shift();
    if (!poll || !parcel) return;
    const { clock, counters } = this.#options;
    parcel.attempts++;
    counters.delivered[parcel.letter.kind]++;
    const timer = clock.setTimer(writeMs, () => {
      poll.line.cut();
      this.#requeue();
    });
    this.#underWay = { parcel, poll, flushed: false, read: false, forgotten: false, timer };
    this.#finish(poll, { letter: parcel.letter });
  }

  /** Answers a poll. */
  #finish(poll: Parked, answer: PollAnswer): void {
    if (!this.#unpark(poll)) return;
    poll.line.answer(answer);
    if (this.#parked.length === 0) this.#options.onPolling(false);
  }

  #unpark(poll: Parked): boolean {
    poll.timer?.clear();
    const before = this.#parked.length;
    this.#parked = this.#parked.filter((one) => one !== poll);
    return this.#parked.length < before;
  }

  /** What a new poll says of the answer before it. */
  #judgeLast({ connection }: PollLine): void {
    const last = this.#underWay;
    if (!last?.flushed) return;
    const { line } = last.poll;
    if (connection !== line.connection && !line.lastOfConnection) return this.#settleIn(last, settleMs);
    // Over HTTP/2 the client polls on by the same connection after it gave up, and then before it read our ping.
    if (last.read || !line.multiplexed || line.lastOfConnection) this.#confirm();
    else this.#requeue();
  }

  #flushed(poll: Parked): void {
    const last = this.#underWay;
    if (last?.poll !== poll) return;
    last.flushed = true;
    this.#settleIn(last, graceMs);
  }

  #read(poll: Parked): void {
    if (this.#underWay?.poll === poll) this.#underWay.read = true;
  }

  #lost(poll: Parked): void {
    if (this.#unpark(poll)) {
      this.#limit.gaveUp(this.#options.clock.now() - poll.since);
      if (this.#parked.length === 0) this.#options.onPolling(false);
      return;
    }
    const last = this.#underWay;
    if (last?.poll !== poll) return;
    if (last.read || (last.flushed && poll.line.lastOfConnection)) this.#confirm();
    else this.#requeue();
  }

  #settleIn(last: UnderWay, ms: number): void {
    last.timer.clear();
    last.timer = this.#options.clock.setTimer(ms, () => this.#confirm());
  }

  #confirm(): void {
    this.#underWay?.timer.clear();
    this.#underWay = undefined;
    this.#dispatch();
  }

  #requeue(): void {
    const { counters } = this.#options;
    const parcel = this.#underWay?.forgotten ? undefined : this.#underWay?.parcel;
    if (parcel && parcel.attempts < attemptsMost) {
      counters.requeued++;
      this.#queue.unshift(parcel);
    } else if (parcel) counters.lost++;
    this.#confirm();
  }
}

function http1Ms({ waitMs, waitHttp1Ms }: WaitTerms): number {
  return waitMs === 0 ? 0 : Math.min(waitMs, waitHttp1Ms);
}
