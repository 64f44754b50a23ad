import { Readable } from "node:stream";
import type { Clock, Logger, Timer } from "../core/index.ts";
import type { PageOrder, PageState, PageWork } from "./contract.ts";
import type { PageHolder } from "./tokens/endpoint-tokens.ts";

/** How long the page has for an order, ms. */
export const orderPatienceMs = 5_000;
/** What may wait to be read by a page, bytes: many orders. */
const mostWaiting = 65_536;
/** Orders under way at a time; more are refused at once. */
const mostPending = 16;
/** Orders without an answer, one after the other, by which a page is gone: of a PC that lost its power TCP tells after a quarter of an hour. */
const mostUnanswered = 2;
/** Signs of life to the page that it did not answer, one after the other, by which it is gone as well. */
const mostUnheard = 2;

/** How an order went. */
export interface OrderOutcome {
  readonly ok: boolean;
  /** Why not, in words; empty when ok. */
  readonly reason: string;
}

interface Pending {
  readonly timer: Timer;
  readonly end: (outcome: OrderOutcome) => void;
}

const refused = (reason: string): OrderOutcome => ({ ok: false, reason });

/** The way to the page of one DN: server-sent events there, results and states back. One page at a time, the newest. */
export class PageLine {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #nextId: () => number;
  readonly #pending = new Map<number, Pending>();
  #stream: Readable | undefined;
  #holder: PageHolder | undefined;
  #unanswered = 0;
  #unheard = 0;
  #state: PageState | undefined;
  #lost = false;

  /** `nextId` rises over all lines, so that a late result of a former session means nothing. */
  constructor(clock: Clock, log: Logger, nextId: () => number) {
    this.#clock = clock;
    this.#log = log;
    this.#nextId = nextId;
  }

  get connected(): boolean {
    return this.#stream !== undefined;
  }

  /** Of the page that is connected, once it has said something. */
  get state(): PageState | undefined {
    return this.#state;
  }

  /** The last page was connected and gave no answer any more (asleep, no power, no cable), and none has come since. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Of the page that is or was connected last. */
  get holder(): PageHolder | undefined {
    return this.#holder;
  }

  /** The stream of the page, to tell one connection from the next. */
  get stream(): Readable | undefined {
    return this.#stream;
  }

  /** False: a newer page has taken over from this one. */
  admits(page: PageHolder): boolean {
    return page.issuedAt >= (this.#holder?.issuedAt ?? 0);
  }

  /** Whether it is this page that is connected. */
  carries(page: PageHolder): boolean {
    return this.connected && this.#holder?.issuedAt === page.issuedAt;
  }

  /** The events for a page that is admitted. Another one before it is told so; its own former stream just ends. */
  open(page: PageHolder): Readable {
    const former = this.#stream;
    if (former && this.#holder?.issuedAt !== page.issuedAt) {
      this.#log.info({}, "endpoint: another page takes over");
      former.push(eventOf("replaced", "{}"));
    }
    this.#drop("another page has taken over");
    const stream = new Readable({ read() {} });
    this.#stream = stream;
    this.#unanswered = 0;
    this.#unheard = 0;
    this.#lost = false;
    this.#holder = page;
    // However it ends: read to its end, cut here, or left by its reader.
    stream.once("close", () => {
      if (this.#stream === stream) this.#drop("the page is gone");
    });
    // A reader that goes away is no fault of ours.
    stream.on("error", () => {});
    stream.push("retry: 2000\n\n");
    return stream;
  }

  /** Resolves when the page has answered, at the latest after `orderPatienceMs`. */
  send(work: PageWork): Promise<OrderOutcome> {
    if (!this.#stream) return Promise.resolve(refused("no page is open"));
    if (this.#pending.size >= mostPending)
      return Promise.resolve(refused("too many orders wait for the page"));
    const order: PageOrder = { ...work, id: this.#nextId() };
    const { promise, resolve } = Promise.withResolvers<OrderOutcome>();
    const end = (outcome: OrderOutcome): void => {
      this.#pending.get(order.id)?.timer.clear();
      this.#pending.delete(order.id);
      resolve(outcome);
    };
    const stream = this.#stream;
    const timer = this.#clock.setTimer(orderPatienceMs, () => {
      end(refused("the page gives no answer"));
      // One that is there all the same connects again within a second.
      if (this.#stream === stream && ++this.#unanswered >= mostUnanswered) this.#lose();
    });
    this.#pending.set(order.id, { timer, end });
    this.#write(eventOf("order", JSON.stringify(order)));
    return promise;
  }

  /** What the page says of an order; nobody may wait for it any more. */
  receiveResult(id: number, outcome: OrderOutcome): void {
    this.#unanswered = 0;
    this.#unheard = 0;
    this.#pending.get(id)?.end(outcome);
  }

  /** How the page is, which it says upon each sign of life too. */
  receiveState(state: PageState): void {
    this.#unheard = 0;
    if (this.connected) this.#state = state;
  }

  /**
   * Keeps proxies from taking the connection for dead, and tells the page that it is not: it takes 50 s of silence for its end. A
   * page that does not answer is gone, though its TCP connection stands for a quarter of an hour.
   */
  keepAlive(): void {
    if (this.connected && this.#unheard++ >= mostUnheard) return this.#lose();
    this.#write(eventOf("alive", "{}"));
  }

  /** Ends the stream and what waits. Idempotent. */
  close(): void {
    this.#drop("the page's session is over");
  }

  #write(text: string): void {
    const stream = this.#stream;
    if (!stream) return;
    stream.push(text);
    if (stream.readableLength <= mostWaiting) return;
    this.#log.warn({}, "endpoint: a page that does not read its orders is cut off");
    stream.destroy();
    this.#drop("the page does not read");
  }

  #lose(): void {
    this.#log.info({}, "endpoint: the page gives no answer, it counts as gone");
    this.#lost = true;
    this.#drop("the page gives no answer");
  }

  #drop(reason: string): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#state = undefined;
    for (const { end } of Array.from(this.#pending.values())) end(refused(reason));
    if (stream && !stream.destroyed) stream.push(null);
  }
}

/** `json` without line ends, as JSON.stringify makes it. */
function eventOf(event: string, json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}
