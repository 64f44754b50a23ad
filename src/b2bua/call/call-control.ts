import type { DigitsWanted } from "../legs/dtmf.ts";
import type { CallOffers } from "./call-offers.ts";
import type { CallSides } from "./call-sides.ts";
import { controlActs, type ControlAct, type ControlEvent } from "./control-acts.ts";

/** What third-party call control needs of the call it belongs to. */
export interface ControlledCall extends CallSides {
  readonly offers: CallOffers;
  /** The ringing client is to answer. */
  answerWanted(): void;
}

/** Carries out SIP Server's third-party call control (NOTIFY talk, hold, dtmf, beep) as the call's state has it. */
export class CallControl {
  readonly #call: ControlledCall;

  constructor(call: ControlledCall) {
    this.#call = call;
  }

  /** A NOTIFY, already answered; `digits` only of dtmf. */
  receive(event: ControlEvent, digits: DigitsWanted | undefined): void {
    const state = this.#call.state();
    const act = controlActs[event][state];
    this.#call.log.info({ event, state, act }, "NOTIFY of SIP Server");
    this.#acts[act](digits);
  }

  readonly #acts: Readonly<Record<ControlAct, (digits: DigitsWanted | undefined) => void>> = {
    answer: () => this.#call.answerWanted(),
    hold: () => this.#call.offers.hold(),
    retrieve: () => this.#call.offers.retrieve(),
    digits: (wanted) => {
      if (wanted) this.#call.media()?.session.sendDtmf("trunk", wanted.digits, wanted.durationMs);
    },
    beep: () => this.#call.agent()?.beep(),
    none: () => {},
  };
}
