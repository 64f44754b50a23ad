import { phaseText } from "./call-view.ts";
import type { CallSnapshot } from "./call.ts";
import { byId, element, setText } from "./dom.ts";

/** The calls beside the one that is shown large, each with a button that goes over to it. */
export class OtherCallsView {
  readonly #list = byId("other-calls", HTMLUListElement);
  readonly #switchTo: (callId: string) => void;

  constructor(switchTo: (callId: string) => void) {
    this.#switchTo = switchTo;
  }

  render(calls: readonly CallSnapshot[]): void {
    this.#list.hidden = calls.length === 0;
    const ids = calls.map(({ callId }) => callId).join();
    if (this.#list.dataset["calls"] !== ids) {
      this.#list.dataset["calls"] = ids;
      this.#list.replaceChildren(...calls.map((call) => this.#entry(call)));
    }
    for (const [at, call] of calls.entries()) this.#show(this.#list.children[at], call);
  }

  #entry({ callId }: CallSnapshot): HTMLLIElement {
    const entry = element("li");
    const button = element("button", "", { type: "button" });
    button.addEventListener("click", () => this.#switchTo(callId));
    entry.append(element("span"), button);
    return entry;
  }

  #show(entry: Element | undefined, call: CallSnapshot): void {
    const [text, button] = entry?.children ?? [];
    if (!(text instanceof HTMLElement) || !(button instanceof HTMLElement)) return;
    setText(text, `${call.peer}: ${phaseText(call)}`);
    setText(button, call.phase === "ringing" ? `Answer ${call.peer}` : `Switch to ${call.peer}`);
  }
}
