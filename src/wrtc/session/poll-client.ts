import { TokenBucket, type Clock, type Logger } from "../../core/index.ts";
import type { WrtcPresence } from "../../registrar/index.ts";
import type { ClientLine, ClientMessage, GatewayMessage } from "../contract.ts";
import { writeGatewayMessage } from "../protocol/gateway-message.ts";
import { Mailbox, type MailboxCounters, type WaitTerms } from "./mailbox.ts";
import type { PollEvents, PollLine } from "./poll.ts";
import { Repetitions } from "./repetitions.ts";
import type { Caller, EndStatus, Session } from "./session.ts";

export interface PollClientOptions {
  readonly anonymous: boolean;
  /** Of its sign-in, as all its requests must say it; undefined: the gateway's own. */
  readonly origin: string | undefined;
  /** Opened again by its SSID. */
  readonly rebuilt: boolean;
  readonly terms: () => WaitTerms;
  readonly counters: MailboxCounters;
  readonly clock: Clock;
  readonly log: Logger;
}

/** For so long after its session was opened again a client may offer within a call of before, ms: what it posted then, or posts again. */
const formerMs = 5000;

/** How many messages a client may post: 40 at once, 10 a second. */
export function messageRate(clock: Clock): TokenBucket {
  return new TokenBucket(40, 10, clock.now());
}

/** The messages of one grtc.js, both ways. */
export class PollClient implements ClientLine {
  readonly presence: WrtcPresence;
  readonly anonymous: boolean;
  readonly origin: string | undefined;
  /** Set by who opens it, at once. */
  session: Session | undefined;
  readonly #options: PollClientOptions;
  readonly #mailbox: Mailbox;
  readonly #repetitions: Repetitions;
  readonly #rate: TokenBucket;
  /** What it may still have a call of, which is no more; until it was heard of. */
  #hasFormer: boolean;
  /** Until then no OFFER dials, `clock.now()`. */
  readonly #formerUntil: number;

  constructor(presence: WrtcPresence, options: PollClientOptions) {
    const { anonymous, origin, rebuilt, terms, counters, clock } = options;
    this.presence = presence;
    this.anonymous = anonymous;
    this.origin = origin;
    this.#hasFormer = rebuilt;
    this.#formerUntil = rebuilt ? clock.now() + formerMs : -Infinity;
    this.#options = options;
    this.#repetitions = new Repetitions(clock);
    this.#rate = messageRate(clock);
    const onPolling = (polling: boolean): void => this.session?.polling(polling);
    this.#mailbox = new Mailbox({ clock, terms, counters, onPolling });
  }

  /** Polls that hang. */
  get polls(): number {
    return this.#mailbox.polls;
  }

  send(message: GatewayMessage, peer: string): void {
    const { clock, log } = this.#options;
    const { dn, instance, gone } = this.presence;
    if (gone) return;
    const { kind } = message;
    log.debug({ dn, instance, kind }, "message to client");
    if (!this.#mailbox.push(writeGatewayMessage(message, peer, clock.wallClock())))
      log.warn({ dn, instance, kind }, "client does not read its messages: one is lost");
  }

  unread(kind: GatewayMessage["kind"]): ReturnType<Mailbox["unread"]> {
    return this.#mailbox.unread(kind);
  }

  forget(): void {
    this.#mailbox.forget();
  }

  /** Hands on what the client posted; false: it did before. `to`: as `ClientCalls.receive` has it. */
  receive(message: ClientMessage, key: string | undefined, to: string): boolean {
    const { dn, instance } = this.presence;
    if (key !== undefined && this.#repetitions.isRepeated(key)) return false;
    this.#options.log.debug({ dn, instance, kind: message.kind }, "message of client");
    // Nothing of a hold tells it from the beginning of a call: with `setRenewSessionOnNeed` not even `seq` does (2.1).
    const ofFormer = message.kind === "offer" && !this.session?.calls.busy && this.#isFresh;
    if (ofFormer) this.#hasFormer = true;
    if (message.kind === "bye") this.#hasFormer = false;
    this.#endFormer();
    if (!ofFormer) this.session?.calls.receive(message, to);
    return true;
  }

  /** False: it posts too much. */
  mayPost(): boolean {
    return this.#rate.take(this.#options.clock.now());
  }

  park(line: PollLine, caller: Caller): PollEvents {
    this.session?.calledFrom(caller);
    this.#endFormer();
    return this.#mailbox.park(line);
  }

  close(status: EndStatus): void {
    this.#mailbox.close(status);
  }

  get #isFresh(): boolean {
    return this.#options.clock.now() < this.#formerUntil;
  }

  /** A client in a call would offer within that, and answer by itself whoever calls it; an idle one bears a BYE (1.4). */
  #endFormer(): void {
    if (this.#hasFormer) this.send({ kind: "bye", reason: "the session was opened anew" }, "");
    this.#hasFormer = false;
  }
}
