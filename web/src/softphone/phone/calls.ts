import type { Call } from "./call.ts";
import type { CallSnapshot } from "./call-snapshot.ts";
import type { KeptCall } from "./kept.ts";

/** As many lines as a phone of SIP Server's has; one more call gets 486. */
const MAX_CALLS = 3;

/** The phone's calls, and which of them is shown. */
export class Calls {
  readonly #calls: Call[] = [];
  #shown: Call | undefined;

  get all(): readonly Call[] {
    return this.#calls;
  }

  /** The call that is shown large and that the buttons act on. */
  get shown(): Call | undefined {
    return this.#shown;
  }

  get isFull(): boolean {
    return this.#calls.length >= MAX_CALLS;
  }

  /** Those beside the shown one, as they came. */
  get others(): readonly CallSnapshot[] {
    return this.#calls.filter((one) => one !== this.#shown).map(({ snapshot }) => snapshot);
  }

  /** 1 to 3. */
  get freeLine(): number {
    const taken = this.#calls.map(({ line }) => line);
    return [1, 2, 3].find((line) => !taken.includes(line)) ?? MAX_CALLS;
  }

  /** The call of this Call-ID, without one the call that is shown. */
  find(callId: string | undefined): Call | undefined {
    return callId === undefined ? this.#shown : this.#calls.find((one) => one.callId === callId);
  }

  /** @param shown it is shown at once, even where another is */
  add(call: Call, shown: boolean): void {
    this.#calls.push(call);
    if (shown) this.#shown = call;
    this.#shown ??= call;
  }

  /** False where it is shown already. */
  show(call: Call): boolean {
    if (call === this.#shown) return false;
    this.#shown = call;
    return true;
  }

  /** The call is over; the newest of the others is shown in its place. False where it was over before. */
  remove(call: Call): boolean {
    const at = this.#calls.indexOf(call);
    if (at < 0) return false;
    this.#calls.splice(at, 1);
    if (this.#shown === call) this.#shown = this.#calls.at(-1);
    return true;
  }

  /** What a newer page of this tab needs to take them over, the one that is shown first. */
  keep(dn: string): readonly KeptCall[] {
    return this.#calls
      .toSorted((a, b) => Number(b === this.#shown) - Number(a === this.#shown))
      .flatMap((call) => call.keep(dn) ?? []);
  }
}
