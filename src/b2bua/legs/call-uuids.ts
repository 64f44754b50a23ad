import type { SipRequest, SipResponse } from "../../sip/index.ts";

const callUuidHeader = "X-Genesys-CallUUID";
/** Enough for every transfer of a call, and no endless row. */
const maximumCallUuids = 16;

/** Each X-Genesys-CallUUID that a leg has seen: it may change in mid-call after a transfer. */
export class CallUuids {
  #seen: readonly string[] = [];

  /** In the order seen, the last 16. */
  get all(): readonly string[] {
    return this.#seen;
  }

  get last(): string | undefined {
    return this.#seen.at(-1);
  }

  /** The UUID of a message when it is another one than before, or the first. */
  note(message: SipRequest | SipResponse): string | undefined {
    const uuid = message.headers.get(callUuidHeader);
    if (uuid === undefined || uuid === "" || uuid === this.last) return undefined;
    this.#seen = [...this.#seen, uuid].slice(-maximumCallUuids);
    return uuid;
  }

  /** Those of the leg before come before one's own. */
  succeed(former: readonly string[]): void {
    const earlier = former.filter((uuid) => !this.#seen.includes(uuid));
    this.#seen = [...earlier, ...this.#seen].slice(-maximumCallUuids);
  }
}
