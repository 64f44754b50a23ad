import type { CallSnapshot } from "../phone/call.ts";
import { byId, element, setText } from "./dom.ts";
import { duration, qualityText } from "../phone/words.ts";

export interface CallActions {
  answer(): void;
  reject(): void;
  hangUp(): void;
  mute(on: boolean): void;
  hold(on: boolean): void;
}

const PHASES: Readonly<Record<CallSnapshot["phase"], string>> = {
  ringing: "Incoming call",
  calling: "Calling…",
  alerting: "Ringing…",
  answering: "Answering…",
  resuming: "Coming back to the call…",
  talking: "In call",
  ended: "Ended",
};

/** Where a call stands, for a person. */
export function phaseText({ phase, heldHere, heldThere, farRings }: CallSnapshot): string {
  if (phase !== "talking") return PHASES[phase];
  if (heldHere) return "On hold";
  if (farRings) return PHASES.alerting;
  return heldThere ? "The other end holds the call" : PHASES.talking;
}

/** The call on the page: who, how long, what can be done with it. */
export class CallView {
  readonly #section = byId("call", HTMLElement);
  readonly #timer = byId("call-timer", HTMLElement);
  readonly #buttons = {
    answer: byId("answer", HTMLButtonElement),
    reject: byId("reject", HTMLButtonElement),
    mute: byId("mute", HTMLButtonElement),
    hold: byId("hold", HTMLButtonElement),
    keypad: byId("keypad", HTMLButtonElement),
    hangUp: byId("hang-up", HTMLButtonElement),
  };
  #shown: CallSnapshot | undefined;

  constructor(actions: CallActions) {
    const { answer, reject, mute, hold, hangUp } = this.#buttons;
    answer.addEventListener("click", () => actions.answer());
    reject.addEventListener("click", () => actions.reject());
    hangUp.addEventListener("click", () => actions.hangUp());
    mute.addEventListener("click", () => actions.mute(this.#shown?.muted !== true));
    hold.addEventListener("click", () => actions.hold(this.#shown?.heldHere !== true));
    setInterval(() => this.#tick(), 250);
  }

  render(call: CallSnapshot | undefined): void {
    const before = this.#shown?.phase;
    this.#shown = call;
    this.#section.hidden = call === undefined;
    this.#section.dataset["state"] = call?.phase ?? "none";
    if (call === undefined) return;
    this.#section.dataset["held"] = String(call.heldHere);
    setText(byId("call-phase", HTMLElement), phaseText(call));
    setText(byId("call-peer", HTMLElement), call.peer);
    setText(byId("call-quality", HTMLElement), call.phase === "talking" ? qualityText(call.quality) : "");
    this.#tick();
    this.#renderData(call);
    this.#renderButtons(call);
    // Enter answers, unless the person is typing or using something else.
    if (call.phase === "ringing" && before !== "ringing" && document.activeElement === document.body) {
      this.#buttons.answer.focus();
    }
  }

  #tick(): void {
    const since = this.#shown?.since;
    setText(this.#timer, since === undefined ? "" : duration(Date.now() - since));
  }

  #renderData({ data }: CallSnapshot): void {
    const list = byId("call-data", HTMLElement);
    const wanted = data.map(({ label, value }) => `${label} ${value}`).join("\n");
    if (list.dataset["shown"] === wanted) return;
    list.dataset["shown"] = wanted;
    list.replaceChildren(...data.flatMap(({ label, value }) => [element("dt", label), element("dd", value)]));
  }

  #renderButtons({ phase, muted, heldHere }: CallSnapshot): void {
    const { answer, reject, mute, hold, keypad, hangUp } = this.#buttons;
    const ringing = phase === "ringing";
    const talking = phase === "talking";
    answer.hidden = !ringing;
    reject.hidden = !ringing;
    hangUp.hidden = ringing;
    for (const button of [mute, hold, keypad]) button.hidden = !talking;
    mute.setAttribute("aria-pressed", String(muted));
    hold.setAttribute("aria-pressed", String(heldHere));
    setText(mute, muted ? "Unmute" : "Mute");
    setText(hold, heldHere ? "Retrieve" : "Hold");
  }
}
