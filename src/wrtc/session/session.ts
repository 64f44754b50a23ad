import { TokenBucket, type Clock, type Logger, type Timer } from "../../core/index.ts";
import type { AgentRegistrar, WrtcPresence } from "../../registrar/index.ts";
import type { ClientCalls, ClientLine, ClientMessage, GatewayMessage } from "../contract.ts";
import type { Letter } from "../protocol/gateway-message.ts";
import { Mailbox, type MailboxCounters, type WaitTerms } from "./mailbox.ts";
import type { PollEvents, PollLine } from "./poll.ts";
import { Repetitions } from "./repetitions.ts";

/** Where a request came from. */
export interface Caller {
  /** Of the client's connection, without the port, as failed logins are counted by. */
  readonly address: string;
  readonly port: number;
  readonly userAgent: string;
}

export interface SessionTerms extends WaitTerms {
  /** After the last open poll the session is over, ms. */
  readonly expiryMs: number;
}

export interface SessionOptions {
  readonly id: string;
  /** For logs and lists; opens nothing. */
  readonly name: string;
  readonly dn: string;
  readonly anonymous: boolean;
  /** Of its sign-in, as all its requests must say it. */
  readonly origin: string;
  readonly caller: Caller;
  /** ms since 1970-01-01 UTC. */
  readonly since: number;
  readonly write: (message: GatewayMessage, peer: string) => Letter;
  readonly makeCalls: (line: ClientLine) => ClientCalls;
  readonly registrar: Pick<AgentRegistrar, "noteReachable">;
  readonly terms: () => SessionTerms;
  readonly counters: MailboxCounters;
  readonly clock: Clock;
  readonly log: Logger;
  /** It is over, and not because `close` was called. */
  readonly onOver: (cause: "expired" | "dismissed", reason: string) => void;
}

/** Between two polls a client is as good as there, ms; one that had an error polls in 3 s. */
const reachableMs = 5000;
const messagesAtOnce = 40;
const messagesPerSecond = 10;

/** One signed-in client: its presence, its messages both ways and the end of it all. */
export class Session implements ClientLine {
  readonly id: string;
  readonly dn: string;
  readonly anonymous: boolean;
  readonly origin: string;
  readonly presence: Presence;
  readonly calls: ClientCalls;
  readonly #options: SessionOptions;
  readonly #mailbox: Mailbox;
  readonly #repetitions: Repetitions;
  readonly #rate: TokenBucket;
  #timer: Timer | undefined;

  constructor(options: SessionOptions) {
    const { id, dn, anonymous, origin, clock, terms, counters } = options;
    this.id = id;
    this.dn = dn;
    this.anonymous = anonymous;
    this.origin = origin;
    this.#options = options;
    this.presence = new Presence(options, (reason) => options.onOver("dismissed", reason));
    this.#repetitions = new Repetitions(clock);
    this.#rate = new TokenBucket(messagesAtOnce, messagesPerSecond, clock.now());
    this.#mailbox = new Mailbox({ clock, terms, counters, onPolling: (polling) => this.#polling(polling) });
    this.#waitForPoll();
    this.calls = options.makeCalls(this);
  }

  /** Polls that hang. */
  get polls(): number {
    return this.#mailbox.polls;
  }

  send(message: GatewayMessage, peer: string): void {
    const { write, log } = this.#options;
    if (this.presence.gone) return;
    const letter = write(message, peer);
    log.debug({ dn: this.dn, instance: this.presence.instance, kind: letter.kind }, "message to client");
    if (!this.#mailbox.push(letter))
      log.warn({ dn: this.dn, kind: letter.kind }, "client does not read its messages: one is lost");
  }

  /** Hands on what a client posted, unless it did before. `to`: as `ClientCalls.receive` has it. */
  receive(message: ClientMessage, key: string | undefined, to: string): "taken" | "repeated" {
    const { log } = this.#options;
    if (key !== undefined && this.#repetitions.isRepeated(key)) return "repeated";
    log.debug({ dn: this.dn, instance: this.presence.instance, kind: message.kind }, "message of client");
    this.calls.receive(message, to);
    return "taken";
  }

  /** False: it sends too much. */
  mayPost(): boolean {
    return this.#rate.take(this.#options.clock.now());
  }

  park(line: PollLine, caller: Caller): PollEvents {
    this.presence.caller = caller;
    return this.#mailbox.park(line);
  }

  /** For a client that asks without hanging: it is there, and this is the oldest message for it. */
  take(caller: Caller): Letter | undefined {
    this.presence.caller = caller;
    this.#setReachable(true);
    this.#waitForPoll();
    return this.#mailbox.take();
  }

  /**
   * Ends the call, then the polls; `status` is what they are answered. What the call's end tells the client still goes
   * by a poll that is open. Idempotent.
   */
  close(reason: string, status: 200 | 404 | 503): void {
    if (this.presence.gone) return;
    this.#timer?.clear();
    this.calls.close(reason);
    this.presence.gone = true;
    this.presence.reachable = false;
    this.#mailbox.close(status);
  }

  #polling(polling: boolean): void {
    if (this.presence.gone) return;
    if (!polling) return this.#waitForPoll();
    this.#timer?.clear();
    this.#setReachable(true);
  }

  #waitForPoll(): void {
    const { clock, terms } = this.#options;
    this.#timer?.clear();
    this.#timer = clock.setTimer(reachableMs, () => {
      this.#setReachable(false);
      const left = Math.max(0, terms().expiryMs - reachableMs);
      this.#timer = clock.setTimer(left, () => this.#options.onOver("expired", "client polls no more"));
    });
  }

  #setReachable(reachable: boolean): void {
    if (this.presence.reachable === reachable) return;
    this.presence.reachable = reachable;
    if (!this.anonymous) this.#options.registrar.noteReachable(this.presence);
  }
}

/** The session as the registrar knows it. */
class Presence implements WrtcPresence {
  readonly kind = "wrtc";
  readonly dn: string;
  readonly instance: string;
  readonly since: number;
  readonly allowEvents: readonly string[] = ["talk", "hold"];
  caller: Caller;
  reachable = true;
  gone = false;
  readonly #onDismissed: (reason: string) => void;

  constructor({ dn, name, since, caller }: SessionOptions, onDismissed: (reason: string) => void) {
    this.dn = dn;
    this.instance = name;
    this.since = since;
    this.caller = caller;
    this.#onDismissed = onDismissed;
  }

  get userAgent(): string {
    return this.caller.userAgent;
  }

  get address(): string {
    return `${this.caller.address}:${this.caller.port}`;
  }

  dismissed(reason: string): void {
    if (!this.gone) this.#onDismissed(reason);
  }
}
