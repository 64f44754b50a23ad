import { createHash, timingSafeEqual } from "node:crypto";
import { randomId, type Random } from "../../core/index.ts";
import type { AgentPresence } from "../../registrar/index.ts";

/**
 * What a client says in the Allow-Events of its REGISTER that takes its calls over after a reload, and the event by
 * which it is told, outside any dialog, that the call of `X-Jackfield-Call-ID` waits for that.
 */
export const resumeEvent = "x-jackfield-resume";
/** Carries a call's token: from us in the INVITE or the 200, from the client in the INVITE that takes the call over. */
export const resumeHeader = "X-Jackfield-Resume";

/** 192 bits: nobody guesses them. */
const tokenBytes = 24;

/** Whether this client can take its calls over by a new leg. */
export function canResume({ allowEvents }: AgentPresence): boolean {
  return allowEvents.includes(resumeEvent);
}

/**
 * The right to take one call over. Each leg of the call gets a token of its own; the one before is good until the new
 * one has surely arrived, so that a page reloaded twice in a row is not locked out. Only digests are kept.
 */
export class ResumeTicket {
  readonly #random: Random;
  /** Of the token that the client has. */
  #held: Buffer | undefined;
  /** Of a newer one that is on its way to it. */
  #sent: Buffer | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A new token, to be sent to the client. */
  issue(): string {
    const token = randomId(this.#random, tokenBytes);
    this.#sent = digest(token);
    return token;
  }

  /** What was sent has arrived: the token before is worth nothing any more. */
  delivered(): void {
    this.#held = this.#sent ?? this.#held;
    this.#sent = undefined;
  }

  /** Whether `token` opens the call; takes the same time whatever it is. */
  admits(token: string): boolean {
    const wanted = digest(token);
    const sent = same(this.#sent, wanted);
    const held = same(this.#held, wanted);
    return sent || held;
  }
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function same(known: Buffer | undefined, wanted: Buffer): boolean {
  return known !== undefined && timingSafeEqual(known, wanted);
}
