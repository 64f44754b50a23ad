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
  readonly terms: () => WaitTerms;
  readonly counters: MailboxCounters;
  readonly clock: Clock;
  readonly log: Logger;
}

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

  constructor(presence: WrtcPresence, options: PollClientOptions) {
    const { anonymous, origin, terms, counters, clock } = options;
    this.presence = presence;
    this.anonymous = anonymous;
    this.origin = origin;
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

  /** Hands on what the client posted; false: it did before. `to`: as `ClientCalls.receive` has it. */
  receive(message: ClientMessage, key: string | undefined, to: string): boolean {
    const { dn, instance } = this.presence;
    if (key !== undefined && this.#repetitions.isRepeated(key)) return false;
    this.#options.log.debug({ dn, instance, kind: message.kind }, "message of client");
    this.session?.calls.receive(message, to);
    return true;
  }

  /** False: it posts too much. */
  mayPost(): boolean {
    return this.#rate.take(this.#options.clock.now());
  }

  park(line: PollLine, caller: Caller): PollEvents {
    this.session?.calledFrom(caller);
    return this.#mailbox.park(line);
  }

  close(status: EndStatus): void {
    this.#mailbox.close(status);
  }
}
