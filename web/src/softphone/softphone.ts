import { Listeners } from "../shared/listeners.ts";
import { Notices } from "./notices.ts";
import type { CallControl, Refusal } from "./phone/call-control.ts";
import type { Phone } from "./phone/phone.ts";
import { remember, type Credentials } from "./phone/settings.ts";
import { inOneLine } from "./phone/words.ts";
import { Places } from "./places.ts";
import type { SoftphoneSnapshot, Ui } from "./snapshot.ts";
import { MicrophoneError, type Microphone } from "./sound/microphone.ts";

const CLOSED: Ui = { number: "", pad: false, settings: false };

/**
 * The page behind its views: holds its parts together and tells when something that is shown has changed. Parts hook in by
 * `phone.onEvent`, `places.put` and `control`; what they show anew they say by `changed`.
 */
export class Softphone {
  readonly phone: Phone;
  readonly microphone: Microphone;
  readonly places = new Places();
  readonly notices = new Notices(() => this.changed());
  /** Who acts on calls: the phone itself, or a desktop's server in its place. */
  control: CallControl;
  readonly #changes = new Listeners<void>();
  #ui = CLOSED;
  #signingIn = false;
  #refusals = 0;

  constructor(phone: Phone, microphone: Microphone) {
    this.phone = phone;
    this.control = phone;
    this.microphone = microphone;
    phone.onEvent((event) => {
      if (event.kind === "notice") this.notices.tell(event.text, event.problem);
      if (event.kind === "registration-failed" && event.final) this.#refusals += 1;
    });
    phone.onChange(({ call }) => {
      if (call === undefined && this.#ui.pad) this.#ui = { ...this.#ui, pad: false };
      this.changed();
    });
  }

  get snapshot(): SoftphoneSnapshot {
    return {
      ...this.phone.snapshot,
      notices: this.notices.snapshot,
      ui: this.#ui,
      signingIn: this.#signingIn,
      refusals: this.#refusals,
    };
  }

  /** @returns forgets the listener */
  onChange(listener: () => void): () => void {
    return this.#changes.add(listener);
  }

  /** Something that is shown has changed. */
  changed(): void {
    this.#changes.tell();
  }

  set(ui: Partial<Ui>): void {
    this.#ui = { ...this.#ui, ...ui };
    this.changed();
  }

  /** Has the microphone ready, then connects and registers; what prevents it is told as a notice. */
  async signIn(credentials: Credentials): Promise<void> {
    this.notices.calm();
    this.#busy(true);
    try {
      await this.microphone.acquire();
      this.phone.signIn(credentials);
      remember(sessionStorage, credentials);
    } catch (error) {
      this.microphone.release();
      const text =
        error instanceof MicrophoneError
          ? inOneLine(error.problem)
          : "The server's address, the domain or the number cannot be used. Check them.";
      this.notices.tell(text, true);
    } finally {
      this.#busy(false);
    }
  }

  signOut(): void {
    this.phone.signOut();
    this.notices.tell("Signed out.", false);
  }

  /** Says why, where what a person asked for cannot be done. */
  act(done: Promise<Refusal>): void {
    done.then(
      (refusal) => {
        if (refusal !== undefined) this.notices.tell(refusal, true);
      },
      (error: unknown) => this.notices.tell(`That did not work (${String(error)}).`, true),
    );
  }

  dial(number: string): void {
    this.notices.calm();
    this.act(this.control.dial(number));
  }

  /** Goes over to another call: answers the one that rings, retrieves the one that is held. */
  switchTo(callId: string): void {
    const call = this.phone.snapshot.otherCalls.find((one) => one.callId === callId);
    this.phone.show(callId);
    if (call?.phase === "ringing") this.act(this.control.answer(callId));
    else if (call?.heldHere === true) this.act(this.control.retrieve(callId));
  }

  #busy(on: boolean): void {
    this.#signingIn = on;
    this.changed();
  }
}
