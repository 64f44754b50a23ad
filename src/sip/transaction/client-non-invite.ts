import { StateMachine } from "../../core/index.ts";
import type { SipResponse } from "../message/types.ts";
import { ClientBase, type ClientParts } from "./client-base.ts";
import { nonInviteClientTable, type NonInviteClientInput, type NonInviteClientState } from "./tables.ts";
import { T1, T2, T4, transactionTimeout } from "./timers.ts";

/** Non-INVITE client transaction, RFC 3261 17.1.2. */
export class NonInviteClient extends ClientBase {
  readonly #machine: StateMachine<NonInviteClientState, NonInviteClientInput>;

  constructor(parts: ClientParts) {
    super(parts);
    this.#machine = new StateMachine(nonInviteClientTable, "trying", this.log);
  }

  start(): void {
    const timeout = Math.min(this.options.timeoutMs ?? transactionTimeout, transactionTimeout);
    this.timers.start("F", timeout, () => this.#timerF());
    if (!this.flow.reliable) this.#startTimerE(T1);
    this.transmit();
  }

  receive(response: SipResponse): void {
    const input = response.status < 200 ? "provisional" : "final";
    if (!this.#machine.accepts(input)) {
      this.context.counters.retransmissionsAbsorbed++;
      return;
    }
    this.#machine.apply(input);
    if (input === "final") this.#complete();
    this.context.callUser(() => this.handlers.onResponse(response));
  }

  /** Only INVITE can be cancelled (RFC 3261 9.1). */
  cancel(): void {
    this.log.warn({}, "cancel of a non-INVITE request ignored");
  }

  abandon(): void {
    if (this.#machine.accepts("abandon")) this.#move("abandon");
  }

  protected get unheard(): boolean {
    return this.#machine.accepts("timeout");
  }

  protected applyTransportError(): boolean {
    // In Completed the transport has no more part to play; timer K ends it.
    if (!this.#machine.accepts("transportError")) return false;
    this.#move("transportError");
    return true;
  }

  #complete(): void {
    this.timers.stop("E", "F", "transportError");
    if (this.flow.reliable) this.#move("timerK");
    else this.timers.start("K", T4, () => this.#move("timerK"));
  }

  #startTimerE(interval: number): void {
    this.timers.start("E", interval, () => {
      const next = this.#machine.state === "proceeding" ? T2 : Math.min(interval * 2, T2);
      this.#startTimerE(next);
      this.retransmit();
    });
  }

  #timerF(): void {
    this.#move("timeout");
    this.tellTimeout();
  }

  #move(input: NonInviteClientInput): void {
    this.#machine.apply(input);
    if (this.#machine.state === "terminated") this.end();
  }
}
