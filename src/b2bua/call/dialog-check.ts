import type { Clock, Logger, Random, Timer } from "../../core/index.ts";
import type { DialogAnswer } from "../legs/dialog-probe.ts";

/** What a dialog check needs of its call. */
export interface DialogCheckOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Whether packets still come from SIP Server's side. */
  readonly mediaFlows: () => boolean;
  /** Whether they should come and do not: on hold none are expected. */
  readonly mediaSilent: () => boolean;
  /** Sends OPTIONS within the dialog; `done` is called once, within seconds. */
  readonly probe: (done: (answer: DialogAnswer) => void) => void;
  /** Neither SIP Server nor its side's media gives a sign of life. */
  readonly onDead: (reason: string) => void;
}

/** Between two questions, ms, and by how much that varies, so that the calls of a dead server ask in turns. */
const pauseMs = 20_000;
const spreadMs = 20_000;
/** Questions in a row without an answer that would end a call without media. */
const missesUntilDead = 3;

/**
 * Looks after a running call whose SIP Server does not answer: a switch-over and a restart of SIP Server do not touch
 * the sound (genesys-sip-server.md 10). It asks by OPTIONS of its own, at a slow pace, and ends the call when several
 * of them were not answered, or one by 481, and no media comes any more. On hold media need not come: silence of SIP Server's
 * ends such a call once it is retrieved, 481 at once.
 */
export class DialogCheck {
  readonly #options: DialogCheckOptions;
  #checking = false;
  #misses = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: DialogCheckOptions) {
    this.#options = options;
  }

  /** SIP Server was found down, or silent within the dialog: from now on it is asked, until it answers. Idempotent. */
  begin(why: string): void {
    if (this.#checking || this.#closed) return;
    this.#checking = true;
    this.#misses = 0;
    this.#options.log.warn({ why }, "SIP Server is silent; the call goes on while its media does");
    this.#plan();
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.clear();
  }

  #plan(): void {
    const { clock, random } = this.#options;
    const delayMs = pauseMs + spreadMs * random.fraction();
    this.#timer = clock.setTimer(delayMs, () => this.#options.probe((answer) => this.#take(answer)));
  }

  #take(answer: DialogAnswer): void {
    if (this.#closed) return;
    if (answer === "alive") {
      this.#checking = false;
      this.#options.log.info({}, "SIP Server answers within the call again");
      return;
    }
    this.#misses++;
    const { mediaFlows, mediaSilent } = this.#options;
    // A clear no needs no repeating, and no sound that was expected.
    if (answer === "unknown" ? !mediaFlows() : this.#misses >= missesUntilDead && mediaSilent()) {
      const words = answer === "unknown" ? "no longer knows the call" : "does not answer";
      return this.#options.onDead(`SIP Server ${words}, and no media comes`);
    }
    this.#plan();
  }
}
