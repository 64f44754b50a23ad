import type { Clock, Timer } from "../../core/index.ts";
import type { Failure } from "./contract.ts";
import { Recent } from "./recent.ts";
import { isoTime } from "./show.ts";

/** What went wrong; the time is added. */
export type FailureNews = Pick<Failure, "kind" | "reason"> & Partial<Omit<Failure, "at">>;

const kept = 200;
/** Failures alike that are written one by one in `stormMs`; those beyond are counted and told as one. */
const toldSingly = 5;
const stormMs = 10_000;
/** Different storms followed at a time; beyond that they are one for each kind. */
const mostStorms = 50;
/** What others write (DNs, reasons of a SIP message) is cut to this, characters. */
const longestText = 300;

interface Storm {
  readonly first: FailureNews;
  readonly timer: Timer;
  count: number;
}

/** The last failures. A storm of one kind neither fills the list nor drives the other kinds out. */
export class FailureLog {
  readonly #clock: Clock;
  readonly #recent = new Recent<Failure>(kept);
  readonly #storms = new Map<string, Storm>();
  readonly #counts = new Map<Failure["kind"], number>();

  /** Calls since the start that failed before anybody answered them. */
  setUps = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get recent(): Pick<Recent<Failure>, "last" | "since" | "until"> {
    return this.#recent;
  }

  /** How many of a kind there were since the start, those not written one by one included. */
  count(kind: Failure["kind"]): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** `like`: failures alike share it, so that a storm of them is told as one. */
  note(news: FailureNews, like = news.reason): void {
    this.#counts.set(news.kind, this.count(news.kind) + 1);
    const storm = this.#stormOf(news, `${news.kind} ${like}`);
    storm.count++;
    if (storm.count <= toldSingly) this.#add(news);
  }

  /** Idempotent. */
  close(): void {
    for (const { timer } of this.#storms.values()) timer.clear();
    this.#storms.clear();
  }

  #stormOf(news: FailureNews, name: string): Storm {
    const key = this.#storms.has(name) || this.#storms.size < mostStorms ? name : news.kind;
    let storm = this.#storms.get(key);
    if (!storm) {
      const timer = this.#clock.setTimer(stormMs, () => this.#over(key));
      this.#storms.set(key, (storm = { first: news, timer, count: 0 }));
    }
    return storm;
  }

  #over(key: string): void {
    const storm = this.#storms.get(key);
    this.#storms.delete(key);
    const more = (storm?.count ?? 0) - toldSingly;
    if (!storm || more <= 0) return;
    const { kind, status, reason } = storm.first;
    const words = `${more} more like this within ${stormMs / 1000} s: ${reason}`;
    this.#add({ kind, reason: words, ...(status === undefined ? {} : { status }) });
  }

  #add({ kind, dn = null, far_number = null, call = null, status = null, reason }: FailureNews): void {
    this.#recent.add(
      {
        at: isoTime(this.#clock.wallClock()),
        kind,
        dn: dn && dn.slice(0, longestText),
        far_number: far_number && far_number.slice(0, longestText),
        call,
        status,
        reason: reason.slice(0, longestText),
      },
      oldestOfMost,
    );
  }
}

/** Place of the oldest entry of the kind that has most. */
function oldestOfMost(entries: readonly Failure[]): number {
  const counts = new Map<string, number>();
  for (const { kind } of entries) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return entries.findIndex(({ kind }) => counts.get(kind) === most);
}
