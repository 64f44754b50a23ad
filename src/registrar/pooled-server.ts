import { randomId, type Clock, type Random, type Timer } from "../core/index.ts";
import { createRequest, transportParameter } from "../sip/index.ts";
import type { ClientTransaction, Flow, SipRequest, TransactionLayer } from "../sip/index.ts";
import { hostPort } from "./addresses.ts";

/** How servers are probed, and when they count as down and as back. */
export interface ServerPoolOptions {
  /** Seconds between OPTIONS to each server; 0: none to one that answers. Default 15. */
  readonly optionsSeconds: number;
  /** How long an OPTIONS is waited for, ms. Default 4,000 as Genesys advises for non-INVITE transactions. */
  readonly probeTimeoutMs: number;
  /** OPTIONS unanswered one after another until a server counts as down. Default 2. */
  readonly missesUntilDown: number;
  /** How long a better server must be up before we go back to it, seconds. Default 90. */
  readonly failBackSeconds: number;
}

/** Between probes of a server that is down: often, since nothing else tells that it is back. */
const downProbeSeconds = 5;
/** Until a server whose OPTIONS was not answered is asked once more: one lost datagram is no outage. */
const missProbeSeconds = 1;

interface PooledServerContext {
  readonly transactions: Pick<TransactionLayer, "request">;
  readonly clock: Clock;
  readonly random: Random;
  readonly options: ServerPoolOptions;
}

/** What a server tells its pool. */
interface PooledServerUser {
  /** An OPTIONS was answered. */
  onAnswer(): void;
  /** So many in a row were not that it counts as down, or it is down still. */
  onSilence(): void;
  /** The time is over for which it was not to be asked. */
  onResumed(): void;
}

/** One server of the pool with its OPTIONS probes. It tells what it learns; the pool decides. */
export class PooledServer {
  readonly flow: Flow;
  /** Assumed until proven wrong, so that start-up does not wait for the first OPTIONS. */
  up = true;
  upSince: number;
  heardAt = Number.NEGATIVE_INFINITY;
  /** Its name no longer leads there: it is left once nothing hangs on it. */
  leaving = false;
  /** See `ServerStanding`. */
  roundTripMs: number | undefined;
  registers = 0;
  readonly #context: PooledServerContext;
  readonly #user: PooledServerUser;
  readonly #callId: string;
  readonly #fromTag: string;
  #sequence = 0;
  #suspendedUntil = 0;
  #misses = 0;
  #probe: ClientTransaction | undefined;
  #probeTimer: Timer | undefined;
  #resumeTimer: Timer | undefined;
  #closed = false;

  constructor(flow: Flow, context: PooledServerContext, user: PooledServerUser) {
    this.flow = flow;
    this.#context = context;
    this.#user = user;
    this.upSince = context.clock.now();
    this.#callId = `options-${randomId(context.random)}@${flow.sentBy}`;
    this.#fromTag = randomId(context.random);
  }

  get usable(): boolean {
    return this.up && this.#suspendedUntil <= this.#context.clock.now();
  }

  /** Whether it ever answered. */
  get proven(): boolean {
    return this.heardAt > Number.NEGATIVE_INFINITY;
  }

  /** Something came from it. */
  heard(): void {
    this.heardAt = this.#context.clock.now();
    this.#misses = 0;
  }

  /** It answered a REGISTER. */
  registered(roundTripMs: number): void {
    this.registers++;
    this.#took(roundTripMs);
  }

  /** Smoothed as TCP does (RFC 6298 2). */
  #took(roundTripMs: number): void {
    const former = this.roundTripMs ?? roundTripMs;
    this.roundTripMs = former + (roundTripMs - former) / 8;
  }

  /** Not to be asked for `ms`, or for longer where that was said before. */
  suspend(ms: number): void {
    const { clock } = this.#context;
    this.#suspendedUntil = Math.max(this.#suspendedUntil, clock.now() + ms);
    this.#resumeTimer?.clear();
    this.#resumeTimer = clock.setTimer(this.#suspendedUntil - clock.now(), () => {
      this.#resumeTimer = undefined;
      this.upSince = clock.now();
      this.#user.onResumed();
    });
  }

  /** Asks at once, unless that is under way; the next probe follows by itself. */
  probe(): void {
    if (this.#closed || this.#probe) return;
    this.#probeTimer?.clear();
    this.#probeTimer = undefined;
    const sentAt = this.#context.clock.now();
    const done = (answered: boolean): void => {
      this.#probe = undefined;
      if (answered) this.#took(this.#context.clock.now() - sentAt);
      this.#probed(answered);
    };
    this.#probe = this.#context.transactions.request(
      this.#optionsRequest(),
      this.flow,
      {
        // Any final response says that it lives (real servers answer 404 to OPTIONS as well).
        onResponse: (response) => {
          if (response.status >= 200) done(true);
        },
        onTimeout: () => done(false),
        onTransportError: () => done(false),
      },
      { timeoutMs: this.#context.options.probeTimeoutMs },
    );
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#probeTimer?.clear();
    this.#resumeTimer?.clear();
    this.#probe?.abandon();
    this.#probe = undefined;
  }

  #probed(answered: boolean): void {
    if (this.#closed) return;
    if (!answered) this.#misses++;
    const { optionsSeconds, missesUntilDown } = this.#context.options;
    const interval = optionsSeconds || Infinity;
    const seconds = answered ? interval : Math.min(interval, this.up ? missProbeSeconds : downProbeSeconds);
    // One that is down is looked after in any case: nothing else tells that it is back.
    if (seconds < Infinity)
      this.#probeTimer = this.#context.clock.setTimer(seconds * 1000, () => this.probe());
    if (answered) this.#user.onAnswer();
    else if (!this.up || this.#misses >= missesUntilDown) this.#user.onSilence();
  }

  #optionsRequest(): SipRequest {
    const { flow } = this;
    const uri = `sip:${hostPort(flow)}`;
    this.#sequence++;
    return createRequest({
      method: "OPTIONS",
      uri,
      headers: [
        ["Max-Forwards", "70"],
        ["From", `<sip:${flow.sentBy}>;tag=${this.#fromTag}`],
        ["To", `<${uri}>`],
        ["Call-ID", this.#callId],
        ["CSeq", `${this.#sequence} OPTIONS`],
        ["Contact", `<sip:${flow.sentBy}${transportParameter(flow)}>`],
        ["Accept", "application/sdp"],
      ],
    });
  }
}
