import type { Mode } from "../../sdk/protocol.ts";
import { Listeners } from "../shared/listeners.ts";
import { inOneLine } from "../shared/words.ts";
import { Notices } from "./notices.ts";
import { NO_CONTROL, type CallControl, type Refusal } from "./phone/call-control.ts";
import { pastCall, type CallHistory } from "./phone/history.ts";
import { askedNumber } from "./phone/numbers.ts";
import type { PhoneEvent } from "./phone/phone-event.ts";
import type { Phone } from "./phone/phone.ts";
import { remember, remembered, type Credentials, type Remembered } from "./phone/settings.ts";
import { SIGN_IN_BESIDE_CALL } from "./phone/words.ts";
import { Places } from "./places.ts";
import type { SoftphoneSnapshot, Ui } from "./snapshot.ts";
import { MicrophoneError, type Microphone } from "./sound/microphone.ts";

const SUPERSEDED = "Another sign-in or a sign-out came in between.";

const CLOSED: Ui = {
  tool: "none",
  sheet: "none",
  help: false,
  number: "",
  transferTo: "",
  asked: undefined,
};

/**
 * The page behind its views: holds its parts together and tells when something that is shown has changed. Parts hook in by
 * `phone.onEvent`, `places.put` and `control`; what they show anew they say by `changed`.
 */
export class Softphone {
  readonly phone: Phone;
  readonly microphone: Pick<Microphone, "acquire" | "release">;
  readonly history: CallHistory;
  readonly places = new Places();
  readonly notices = new Notices(() => this.changed());
  readonly #own: Remembered;
  #control: CallControl;
  readonly #changes = new Listeners<void>();
  #ui = CLOSED;
  #audioOnly = false;
  #signingIn = false;
  /** Grows with each sign-in and sign-out: one that was asked for before counts no more. */
  #signInTurn = 0;
  #refusals = 0;
  #missed = 0;
  #numberFocus = 0;
  /** The call whose tools are open. */
  #toolsOf: string | undefined;

  /** @param own the gateway that served the page */
  constructor(
    phone: Phone,
    microphone: Pick<Microphone, "acquire" | "release">,
    history: CallHistory,
    own: Remembered,
  ) {
    this.#own = own;
    this.phone = phone;
    this.#control = phone;
    this.microphone = microphone;
    this.history = history;
    phone.onEvent((event) => this.#onEvent(event));
    phone.onChange(({ call }) => {
      // What was open belonged to the call that was shown.
      if (call?.callId !== this.#toolsOf) this.#ui = { ...this.#ui, tool: "none", transferTo: "" };
      this.#toolsOf = call?.callId;
      this.changed();
    });
  }

  /** Who acts on calls: the phone itself, a desktop's server in its place, or nobody here in audio-only mode. */
  get control(): CallControl {
    return this.#audioOnly ? NO_CONTROL : this.#control;
  }

  set control(control: CallControl) {
    this.#control = control;
  }

  /** What this tab was signed in with last. */
  get remembered(): Remembered {
    return remembered(sessionStorage, this.#own);
  }

  get mode(): Mode {
    return this.#audioOnly ? "audio" : "phone";
  }

  set mode(mode: Mode) {
    this.#audioOnly = mode === "audio";
    this.changed();
  }

  get snapshot(): SoftphoneSnapshot {
    return {
      ...this.phone.snapshot,
      notices: this.notices.snapshot,
      ui: this.#ui,
      audioOnly: this.#audioOnly,
      history: this.history.calls,
      missed: this.#missed,
      numberFocus: this.#numberFocus,
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

  /** Opens a tool of the call, or closes it when it is open. */
  toggle(tool: Exclude<Ui["tool"], "none">): void {
    this.set({ tool: this.#ui.tool === tool ? "none" : tool, sheet: "none" });
  }

  /** Has the microphone ready, then connects and registers; what prevents it is told as a notice, too. */
  async signIn(credentials: Credentials): Promise<Refusal> {
    this.notices.calm();
    this.#busy(true);
    const turn = ++this.#signInTurn;
    try {
      await this.microphone.acquire();
      // The person may have been asked for the microphone meanwhile.
      if (turn !== this.#signInTurn) return SUPERSEDED;
      if (this.phone.snapshot.call !== undefined) {
        this.notices.tell(SIGN_IN_BESIDE_CALL, true);
        return SIGN_IN_BESIDE_CALL;
      }
      this.phone.signIn(credentials);
      remember(sessionStorage, credentials);
      return undefined;
    } catch (error) {
      if (turn !== this.#signInTurn) return SUPERSEDED;
      this.microphone.release();
      const text =
        error instanceof MicrophoneError
          ? inOneLine(error.problem)
          : "The server's address, the domain or the number cannot be used. Check them.";
      this.notices.tell(text, true);
      return text;
    } finally {
      if (turn === this.#signInTurn) this.#busy(false);
    }
  }

  /** Takes back a sign-in that is under way, too. */
  signOut(): void {
    this.#signInTurn++;
    this.#signingIn = false;
    this.phone.signOut();
    this.microphone.release();
    this.#ui = CLOSED;
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
    this.set({ asked: undefined, tool: "none", sheet: "none" });
    this.act(this.control.dial(number));
  }

  /** Puts the cursor into the number field, wherever the focus is. */
  focusNumber(): void {
    this.#ui = { ...this.#ui, sheet: "none" };
    this.#numberFocus += 1;
    this.changed();
  }

  /** A number that was clicked: called at once; beside a call it is filled in where it may be meant for. */
  use(number: string): void {
    const { call } = this.phone.snapshot;
    if (this.#ui.tool === "transfer") return this.set({ transferTo: number });
    this.set({ number });
    if (call === undefined) this.dial(number);
    else this.set({ tool: "dial", sheet: "none" });
  }

  /** What the page's address asks to call is filled in, never called by itself. */
  ask(hash: string): void {
    const asked = askedNumber(hash);
    if (asked === undefined) return;
    const tool = this.phone.snapshot.call === undefined ? "none" : "dial";
    this.set({ asked, number: asked, sheet: "none", tool });
  }

  /** Goes over to another call: answers the one that rings, retrieves the one that is held. */
  switchTo(callId: string): void {
    const call = this.phone.snapshot.otherCalls.find((one) => one.callId === callId);
    this.phone.show(callId);
    if (call?.phase === "ringing") this.act(this.control.answer(callId));
    else if (call?.heldHere === true) this.act(this.control.retrieve(callId));
  }

  /** The person looks at the page. */
  seen(): void {
    if (this.#missed === 0) return;
    this.#missed = 0;
    this.changed();
  }

  #onEvent(event: PhoneEvent): void {
    if (event.kind === "notice") this.notices.tell(event.text, event.problem);
    // Not before the gateway has taken it: a mistyped number has no calls of its own.
    if (event.kind === "registered") this.history.of(event.dn);
    if (event.kind === "registration-failed" && event.final) this.#refusals += 1;
    if (event.kind !== "ended" && event.kind !== "failed") return;
    const past = pastCall(event, Date.now());
    this.history.add(past);
    if (past.outcome === "missed" && document.hidden) this.#missed += 1;
  }

  #busy(on: boolean): void {
    this.#signingIn = on;
    this.changed();
  }
}
