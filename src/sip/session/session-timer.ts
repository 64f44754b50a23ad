import type { Clock, Logger, Timer } from "../../core/index.ts";
import type { HeaderPair } from "../dialog/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import { names } from "./option-tags.ts";
import {
  readMinSe,
  readSessionExpires,
  smallestInterval,
  writeSessionExpires,
  type Refresher,
} from "./session-expires.ts";
import type { TimerTerms } from "./types.ts";

/** Longest interval we agree to and count by, seconds: a day; timers of the system overflow at 24.8 of them. */
const longestInterval = 86_400;
/** Shortest interval we count by, seconds: a peer that answers with less is no reason to hurry. */
const shortestInterval = 20;
/** A session past its time that still has sound is looked at again after this long, ms. */
const soundCheckMs = 30_000;
/** 422 after 422 is followed so often: a proxy and the called side may each have their minimum (RFC 4028 7.3). */
const maximumRaises = 3;
/** A refresh that failed for a while is tried again no sooner than this, ms. */
const shortestRetryMs = 10_000;

/** What the timer does to its session. */
export interface TimerHost {
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether sound still comes from the peer. */
  mediaFlows(): boolean;
  /** Sends a refresh: UPDATE or re-INVITE. */
  refresh(): void;
  /** The time is up, but the session goes on: told once. */
  overdue(): void;
  /** The time is up and nothing is heard: the session ends. */
  expire(): void;
}

/**
 * Session timer of one dialog (RFC 4028), for both roles of each refresh: whoever is asked first, every later INVITE
 * or UPDATE settles interval and refresher anew. A session past its time ends only when no sound comes either.
 */
export class SessionTimer {
  readonly #host: TimerHost;
  readonly #terms: TimerTerms | undefined;
  /** As agreed; undefined while no timer runs. */
  #agreed: { readonly seconds: number; readonly weRefresh: boolean; readonly expiresAt: number } | undefined;
  /** Largest Min-SE of the peer's, seconds. */
  #minimum = smallestInterval;
  #raises = 0;
  #refresh: Timer | undefined;
  #expiry: Timer | undefined;

  constructor(host: TimerHost, terms: TimerTerms | undefined) {
    this.#host = host;
    this.#terms = terms;
  }

  /** Header lines of an INVITE or UPDATE of ours (RFC 4028 7.1, 7.4); none while no timer is wanted. */
  requestHeaders(): HeaderPair[] {
    if (!this.#terms) return [];
    const headers: HeaderPair[] = this.#minimum > smallestInterval ? [["Min-SE", String(this.#minimum)]] : [];
    const agreed = this.#agreed;
    if (!agreed && this.#terms.offerSeconds === 0) return headers;
    const seconds = Math.max(agreed?.seconds ?? this.#terms.offerSeconds, this.#minimum);
    let refresher: Refresher | undefined;
    if (agreed) refresher = agreed.weRefresh ? "uac" : "uas";
    else if (this.#terms.refresher === "us") refresher = "uac";
    return [["Session-Expires", writeSessionExpires({ seconds, refresher })], ...headers];
  }

  /**
   * Header lines of our 2xx to an INVITE or UPDATE (RFC 4028 9); the timer begins anew with it, or stops when the
   * request asks for none.
   */
  answer(request: SipRequest): HeaderPair[] {
    const asked = this.#terms && readSessionExpires(request);
    if (!this.#terms || !asked) {
      this.close();
      return [];
    }
    const peerKnows = names(request, "Supported", "timer");
    const refresher = asked.refresher ?? (peerKnows && this.#terms.refresher === "peer" ? "uac" : "uas");
    this.#minimum = Math.max(this.#minimum, readMinSe(request));
    const seconds = Math.min(asked.seconds, Math.max(longestInterval, this.#minimum));
    this.#start(seconds, refresher === "uas");
    const required: HeaderPair[] = peerKnows || refresher === "uac" ? [["Require", "timer"]] : [];
    return [["Session-Expires", writeSessionExpires({ seconds, refresher })], ...required];
  }

  /** A 2xx to an INVITE or UPDATE of ours (RFC 4028 7.2): without Session-Expires there is no timer. */
  answered(response: SipResponse): void {
    const told = this.#terms && readSessionExpires(response);
    if (told) this.#start(told.seconds, told.refresher !== "uas");
    else this.close();
  }

  /** 422 to a request of ours (RFC 4028 7.3): true when it now asks for more, so that a repeat makes sense. */
  raise(response: SipResponse): boolean {
    const minimum = readMinSe(response);
    if (!this.#terms || response.status !== 422 || minimum <= this.#offered || minimum > longestInterval)
      return false;
    if (++this.#raises > maximumRaises) return false;
    this.#minimum = minimum;
    return true;
  }

  get #offered(): number {
    return Math.max(this.#agreed?.seconds ?? this.#terms?.offerSeconds ?? 0, this.#minimum);
  }

  /** A refresh of ours came to nothing for now: it is tried again in half the time that is left. */
  refreshFailed(): void {
    const agreed = this.#agreed;
    if (!agreed?.weRefresh) return;
    const left = agreed.expiresAt - this.#host.clock.now();
    // Past its time the session lives by its sound alone, and is asked after at the pace of the refreshes.
    const delay = Math.max(left > 0 ? left / 2 : agreed.seconds * 500, shortestRetryMs);
    this.#host.log.debug({ againInS: Math.round(delay / 1000) }, "session refresh came to nothing");
    this.#startRefresh(delay);
  }

  #start(asked: number, weRefresh: boolean): void {
    this.close();
    const seconds = Math.min(Math.max(asked, shortestInterval), longestInterval);
    const { clock, log } = this.#host;
    log.debug({ seconds, refresher: weRefresh ? "us" : "the peer" }, "session timer runs");
    this.#raises = 0;
    this.#agreed = { seconds, weRefresh, expiresAt: clock.now() + seconds * 1000 };
    this.#startExpiry(seconds * 1000);
    if (weRefresh) this.#startRefresh(seconds * 500);
  }

  #startRefresh(delayMs: number): void {
    this.#refresh?.clear();
    this.#refresh = this.#host.clock.setTimer(delayMs, () => {
      this.#host.log.debug({}, "session is refreshed");
      this.#host.refresh();
    });
  }

  #startExpiry(delayMs: number, told = false): void {
    this.#expiry = this.#host.clock.setTimer(delayMs, () => {
      const flows = this.#host.mediaFlows();
      if (!told) this.#host.log.info({ sound: flows ? "comes" : "none" }, "session timer is over");
      if (!flows) return this.#host.expire();
      // Whoever is told may look for a peer that is gone.
      if (!told) this.#host.overdue();
      this.#startExpiry(soundCheckMs, true);
    });
  }

  /** No timer runs any more. Idempotent. */
  close(): void {
    this.#refresh?.clear();
    this.#expiry?.clear();
    this.#agreed = undefined;
  }
}
