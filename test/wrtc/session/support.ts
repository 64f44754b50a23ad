import type { Letter } from "../../../src/wrtc/protocol/gateway-message.ts";
import { Mailbox, type MailboxCounters, type WaitTerms } from "../../../src/wrtc/session/mailbox.ts";
import type { PollAnswer, PollEvents, PollLine } from "../../../src/wrtc/session/poll.ts";
import type { FakeClock } from "../../support/fake-clock.ts";

export function letter(body: string): Letter {
  return { kind: "info", body, peer: "5002" };
}

export function counters(): MailboxCounters {
  return {
    delivered: { offer: 0, answer: 0, error: 0, bye: 0, talk: 0, hold: 0, info: 0, stats: 0 },
    requeued: 0,
    lost: 0,
  };
}

/** A mailbox as a session has it. */
export function openMailbox(clock: FakeClock, terms: Partial<WaitTerms> = {}) {
  const counts = counters();
  const polling: boolean[] = [];
  const mailbox = new Mailbox({
    clock,
    terms: () => ({ waitMs: 25_000, waitHttp1Ms: 10_000, ...terms }),
    counters: counts,
    onPolling: (on) => polling.push(on),
  });
  return { mailbox, counts, polling };
}

/** A poll that keeps what it is answered. */
export class FakePoll implements PollLine {
  readonly connection: object;
  readonly multiplexed: boolean;
  readonly lastOfConnection: boolean;
  answered: PollAnswer | undefined;
  isCut = false;
  events: PollEvents | undefined;

  constructor(connection: object, { multiplexed = false, lastOfConnection = false } = {}) {
    this.connection = connection;
    this.multiplexed = multiplexed;
    this.lastOfConnection = lastOfConnection;
  }

  answer(answer: PollAnswer): void {
    if (this.answered) throw new Error("answered twice");
    this.answered = answer;
  }

  cut(): void {
    this.isCut = true;
  }

  /** Parks it; what it is told can be read of `told`. */
  parkIn(mailbox: Mailbox): this {
    this.events = mailbox.park(this);
    return this;
  }

  get told(): string | number | undefined {
    if (!this.answered) return undefined;
    return "letter" in this.answered ? this.answered.letter.body : this.answered.status;
  }
}
