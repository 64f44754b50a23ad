import { phaseText } from "./call-view.ts";
import type { CallSnapshot } from "../phone/call.ts";
import { byId, element, setText } from "./dom.ts";

/** The calls beside the one that is shown large, each with a button that goes over to it; a ringing one can be rejected. */
export class OtherCallsView {
  readonly #list = byId("other-calls", HTMLUListElement);
  readonly #switchTo: (callId: string) => void;
  readonly #reject: (callId: string) => void;

  constructor(switchTo: (callId: string) => void, reject: (callId: string) => void) {
    this.#switchTo = switchTo;
    this.#reject = reject;
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
    const over = element("button", "", { type: "button" });
    over.addEventListener("click", () => this.#switchTo(callId));
    const reject = element("button", "", { type: "button", class: "stop" });
    reject.addEventListener("click", () => this.#reject(callId));
    entry.append(element("span"), over, reject);
    return entry;
  }

  #show(entry: Element | undefined, call: CallSnapshot): void {
    const [text, over, reject] = entry?.children ?? [];
    if (!(text instanceof HTMLElement) || !(over instanceof HTMLElement) || !(reject instanceof HTMLElement))
      return;
    const ringing = call.phase === "ringing";
    setText(text, `${call.peer}: ${phaseText(call)}`);
    setText(over, `${ringing ? "Answer" : "Switch to"} ${call.peer}`);
    over.className = ringing ? "go" : "";
    setText(reject, `Reject ${call.peer}`);
    reject.hidden = !ringing;
  }
}
