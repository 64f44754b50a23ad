import type { Clock, Random, Timer } from "../../core/index.ts";
import type { AgentPresence } from "../../registrar/index.ts";
import type { AgentLeg, AgentLegUser, LegEnd } from "../legs/agent-leg.ts";
import type { CallNews } from "./call-news.ts";
import type { CallOffers } from "./call-offers.ts";
import type { CallSides } from "./call-sides.ts";
import type { CallState } from "./call-state.ts";
import { ResumeTicket } from "../clients/resume-ticket.ts";

/** What resuming needs of the call. */
export interface ResumedCall extends Pick<CallSides, "log" | "state" | "agent"> {
  readonly clock: Clock;
  readonly random: Random;
  readonly presence: AgentPresence;
  readonly offers: CallOffers;
  readonly news: CallNews;
  /** A client that is back but has lost its leg has this long for a new one, ms. */
  readonly patienceMs: number;
  setAgent(leg: AgentLeg): void;
  /** Ends the call. */
  giveUp(end: LegEnd): void;
}

/** Where the agent has answered. */
const resumable: readonly CallState[] = ["parked", "answering", "established"];

/**
 * A running call changes to another leg of the same client: its page was loaded anew. SIP Server hears nothing of it,
 * neither here nor from the leg that is left.
 */
export class CallResume {
  readonly ticket: ResumeTicket;
  readonly #call: ResumedCall;
  #patience: Timer | undefined;

  constructor(call: ResumedCall) {
    this.#call = call;
    this.ticket = new ResumeTicket(call.random);
  }

  /** Whether `token` gives the right to take this call over by a new leg; only of one the agent has answered. */
  admits(token: string): boolean {
    return resumable.includes(this.#call.state()) && this.ticket.admits(token);
  }

  /** What came while the client was away it knows from nobody. */
  tellAgain(): void {
    this.#call.offers.repeatHold();
    this.#call.news.repeat();
  }

  /**
   * The leg is over, the call is not: its client is waited for. While it has no connection, the grace time of its
   * presence is the bound.
   */
  waitForNewLeg(end: LegEnd): void {
    const { log, patienceMs } = this.#call;
    log.info({ seconds: patienceMs / 1000 }, "the client lost its leg: a new INVITE of its is waited for");
    this.#wait(end);
  }

  #wait(end: LegEnd): void {
    const { clock, log, patienceMs, presence } = this.#call;
    this.#patience?.clear();
    this.#patience = clock.setTimer(patienceMs, () => {
      if (!presence.reachable) return this.#wait(end);
      log.info({}, "no new INVITE of the client's came");
      this.#call.giveUp(end);
    });
  }

  /**
   * Takes the leg that `makeLeg` makes, with the client's offer `sdp`, in the place of the one that is. An offer that
   * cannot be answered refuses the new leg and changes nothing.
   */
  attach(sdp: string, events: AgentLegUser, makeLeg: (user: AgentLegUser) => AgentLeg): void {
    const call = this.#call;
    call.log.info({}, "call taken over by a new leg of its client");
    const leg = makeLeg({
      ...events,
      onConfirmed: () => {
        events.onConfirmed();
        this.tellAgain();
      },
      // The person hung up while the new leg was being made.
      onFailed: (end) => {
        call.agent()?.leave();
        events.onFailed(end);
      },
    });
    call.offers.fromNewLeg(sdp, {
      accept: (answer) => {
        this.#patience?.clear();
        call.agent()?.leave();
        call.setAgent(leg);
        leg.answer(answer ?? "");
      },
      reject: (status, reason) => leg.reject({ status, reason: reason ?? "call cannot be resumed" }),
    });
  }

  close(): void {
    this.#patience?.clear();
  }
}
