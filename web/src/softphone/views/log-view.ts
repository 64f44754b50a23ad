import { byId, element, setText } from "./dom.ts";

const LONGEST_LOG = 50;

/** What happened, newest first, and the one problem that wants attention. */
export class LogView {
  readonly #list = byId("log", HTMLElement);
  readonly #alert = byId("alert", HTMLElement);

  /** @param problem shown above the phone until something better is told or `calm` is called */
  tell(text: string, problem: boolean): void {
    const now = new Date();
    const item = element("li");
    item.append(
      element("time", now.toLocaleTimeString([], { hour12: false }), { datetime: now.toISOString() }),
      text,
    );
    this.#list.prepend(item);
    while (this.#list.children.length > LONGEST_LOG) this.#list.lastElementChild?.remove();
    if (problem) this.#show(text);
    else this.calm();
  }

  calm(): void {
    this.#show("");
  }

  #show(text: string): void {
    setText(this.#alert, text);
    this.#alert.hidden = text === "";
  }
}
