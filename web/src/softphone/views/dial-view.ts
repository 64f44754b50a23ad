import type { CallSnapshot } from "../phone/call.ts";
import { byId, element, setText } from "./dom.ts";

export interface DialActions {
  call(number: string): void;
  /** @returns whether the digit was sent */
  sendDigit(digit: string): boolean;
}

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"] as const;
const SHOWN_DIGITS = 24;

/** Number field and keypad: the keys write into the field, or send tones in a call. */
export class DialView {
  readonly #actions: DialActions;
  readonly #form = byId("dial", HTMLFormElement);
  readonly #number = byId("number", HTMLInputElement);
  readonly #go = byId("dial-go", HTMLButtonElement);
  readonly #pad = byId("pad", HTMLElement);
  readonly #keypad = byId("keypad", HTMLButtonElement);
  readonly #sent = byId("sent", HTMLElement);
  #call: CallSnapshot | undefined;
  #ready = false;
  #open = false;

  constructor(actions: DialActions) {
    this.#actions = actions;
    const names: Readonly<Record<string, string>> = { "*": "star", "#": "hash" };
    this.#pad.append(
      ...KEYS.map((key) => {
        const button = element("button", key, { type: "button", "data-testid": `key-${names[key] ?? key}` });
        if (key in names) button.setAttribute("aria-label", names[key] ?? key);
        button.addEventListener("click", () => this.#press(key));
        return button;
      }),
    );
    byId("erase", HTMLButtonElement).addEventListener("click", () => {
      this.#number.value = this.#number.value.slice(0, -1);
      this.#number.focus();
    });
    this.#keypad.addEventListener("click", () => {
      this.#open = !this.#open;
      this.#show();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#call === undefined && this.#number.value.trim() !== "") actions.call(this.#number.value);
    });
    document.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** @param ready whether a call could be made now */
  render(call: CallSnapshot | undefined, ready: boolean): void {
    if (call === undefined && this.#call !== undefined) {
      this.#open = false;
      setText(this.#sent, "");
    }
    this.#call = call;
    this.#ready = ready;
    this.#show();
  }

  #show(): void {
    const inCall = this.#call !== undefined;
    const talking = this.#call?.phase === "talking";
    this.#form.hidden = inCall;
    this.#go.hidden = inCall;
    this.#go.disabled = !this.#ready;
    this.#pad.hidden = inCall && !(talking && this.#open);
    this.#keypad.setAttribute("aria-expanded", String(talking && this.#open));
    this.#sent.hidden = !talking || this.#sent.textContent === "";
  }

  #press(key: string): void {
    if (this.#call === undefined) {
      this.#number.value += key;
      return;
    }
    if (!this.#actions.sendDigit(key)) return;
    const before = (this.#sent.textContent ?? "").replace(/^Sent: /, "");
    setText(this.#sent, `Sent: ${(before + key).slice(-SHOWN_DIGITS)}`);
    this.#show();
  }

  /** Digits typed anywhere in a call are tones. */
  #onKey(event: KeyboardEvent): void {
    if (this.#call?.phase !== "talking" || event.ctrlKey || event.altKey || event.metaKey || event.repeat)
      return;
    if (event.target instanceof HTMLInputElement) return;
    if (/^[0-9*#]$/.test(event.key)) this.#press(event.key);
  }
}
