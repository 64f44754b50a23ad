import type { Phone } from "../phone/phone.ts";

/**
 * The microphone's mute as Workspace has it: of the device, for all calls and those to come, until it is taken back. What
 * is muted by other ways counts as well, so that Workspace shows what is.
 */
export class Mutes {
  readonly #phone: Pick<Phone, "mute" | "snapshot">;
  #muted: boolean;

  constructor(phone: Pick<Phone, "mute" | "snapshot" | "onEvent">, muted = false) {
    this.#phone = phone;
    this.#muted = muted;
    phone.onEvent((event) => {
      if (event.kind === "muted" || event.kind === "unmuted") this.#muted = event.kind === "muted";
      if (event.kind === "accepted" && this.#muted) phone.mute(true, event.call.callId);
    });
  }

  get muted(): boolean {
    return this.#muted;
  }

  set(muted: boolean): void {
    this.#muted = muted;
    const { call, otherCalls } = this.#phone.snapshot;
    for (const one of [call, ...otherCalls]) if (one !== undefined) this.#phone.mute(muted, one.callId);
  }
}
