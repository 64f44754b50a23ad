/** A press in the media and the same digit by signalling within so much of one another are one, ms. */
const pairMs = 500;

interface Pending {
  readonly code: number;
  until: number;
}

/** Tellings that wait for their twin. Each is forgotten in time, so the list stays as short as anybody can dial. */
class Waiting {
  #list: Pending[] = [];

  get last(): Pending | undefined {
    return this.#list.at(-1);
  }

  add(code: number, until: number, now: number): void {
    this.#list = this.#list.filter((one) => one.until >= now);
    this.#list.push({ code, until });
  }

  take(code: number, now: number): boolean {
    const at = this.#list.findIndex((one) => one.code === code && one.until >= now);
    if (at < 0) return false;
    this.#list.splice(at, 1);
    return true;
  }
}

/**
 * Some clients tell a key twice, as RFC 4733 events and by SIP INFO (features-and-complaints.md, theme 10: never both).
 * Finds the second telling of each press, whichever comes first. Two tellings by the same means are two presses.
 */
export class PressTwins {
  readonly #pressed = new Waiting();
  readonly #signalled = new Waiting();
  #ignoring = false;

  /** The key that is down was told before: what the media say of it is to be left out. */
  get ignoring(): boolean {
    return this.#ignoring;
  }

  /** A key goes down in the media; true if signalling has told of it. */
  press(code: number, now: number): boolean {
    this.#ignoring = this.#signalled.take(code, now);
    if (!this.#ignoring) this.#pressed.add(code, now + pairMs, now);
    return this.#ignoring;
  }

  /** The key is still down, or let go just now: clients that tell by INFO when it is let go have time until then. */
  hold(now: number): void {
    const last = this.#pressed.last;
    if (last && !this.#ignoring) last.until = Math.max(last.until, now + pairMs);
  }

  /** Signalling tells of a digit; true if it was pressed in the media. */
  signal(code: number, durationMs: number, now: number): boolean {
    const twice = this.#pressed.take(code, now);
    if (!twice) this.#signalled.add(code, now + durationMs + pairMs, now);
    return twice;
  }
}
