import type { RTCSession } from "jssip/lib/RTCSession.js";

/** JsSIP makes one offer at a time: what SIP Server wants is tried again after this long. */
const RETRY_MS = 200;

/** This side's hold of a call. */
export class CallHold {
  readonly #session: RTCSession;
  readonly #changed: () => void;
  #wanted: boolean | undefined;

  constructor(session: RTCSession, changed: () => void) {
    this.#session = session;
    this.#changed = changed;
  }

  /** Hold or retrieve that SIP Server wants and JsSIP could not do yet. */
  get wanted(): boolean | undefined {
    return this.#wanted;
  }

  /** @returns false when it cannot be done at the moment: not answered yet, or a change is under way */
  put(on: boolean): boolean {
    this.#wanted = undefined;
    return this.#offer(on);
  }

  /** SIP Server's remote control: done as soon as it can be. The gateway has held the sound already. */
  follow(on: boolean): void {
    this.#wanted = this.#offer(on) ? undefined : on;
    this.#changed();
    if (this.#wanted === undefined) return;
    setTimeout(() => {
      if (this.#wanted === on && !this.#session.isEnded()) this.follow(on);
    }, RETRY_MS);
  }

  #offer(on: boolean): boolean {
    if (this.#session.isOnHold().local === on) return true;
    return on ? this.#session.hold() : this.#session.unhold();
  }
}

/**
 * Takes a call over that the page before had held: offers no more than the call had; the page's own hold, for what it shows
 * and retrieves, follows the answer.
 */
export function comeBackHeld(session: RTCSession, resuming: () => boolean): void {
  session.on("sdp", (event) => {
    if (resuming()) event.sdp = event.sdp.replace("a=sendrecv", "a=sendonly");
  });
  session.on("confirmed", () => session.hold());
}
