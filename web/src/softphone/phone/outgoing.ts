import { RESUME_HEADER } from "./call.ts";
import { callOptions } from "./call-options.ts";
import type { IceSetup } from "./ice-setup.ts";
import type { KeptCall } from "./kept.ts";
import type { SignedLine } from "./line.ts";

/** What a session of ours is begun with. */
export interface Begun {
  /** The microphone's copy for it. */
  readonly microphone?: MediaStream | undefined;
  /** The call of the page before that it takes over. */
  readonly kept?: KeptCall | undefined;
}

/** Begins sessions: JsSIP announces each within its `call`, and says nothing of what it was begun with. */
export class Outgoing {
  #begun: Begun = {};

  /** Of the session that is being announced; empty: it is none of ours. */
  get begun(): Begun {
    return this.#begun;
  }

  /** Throws when `target` is no number. */
  dial(line: SignedLine, target: string, ice: IceSetup, microphone: MediaStream): void {
    this.#begin({ microphone }, () => line.call(target, { ...callOptions(ice), mediaStream: microphone }));
  }

  /** Takes a call over from the page before. */
  resume(line: SignedLine, kept: KeptCall, ice: IceSetup, microphone: MediaStream): void {
    const extraHeaders = [`${RESUME_HEADER}: ${kept.token}`];
    const options = { ...callOptions(ice), mediaStream: microphone, extraHeaders };
    this.#begin({ microphone, kept }, () => line.call("resume", options));
  }

  #begin(begun: Begun, call: () => void): void {
    this.#begun = begun;
    try {
      call();
    } finally {
      this.#begun = {};
    }
  }
}
