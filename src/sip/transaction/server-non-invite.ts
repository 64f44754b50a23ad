import { StateMachine } from "../../core/index.ts";
import type { SipResponse } from "../message/types.ts";
import { ServerBase, type ServerParts } from "./server-base.ts";
import { nonInviteServerTable, type NonInviteServerInput, type NonInviteServerState } from "./tables.ts";
import { transactionTimeout } from "./timers.ts";

/** Non-INVITE server transaction, RFC 3261 17.2.2. */
export class NonInviteServer extends ServerBase {
  readonly #machine: StateMachine<NonInviteServerState, NonInviteServerInput>;

  constructor(parts: ServerParts) {
    super(parts);
    this.#machine = new StateMachine(nonInviteServerTable, "trying", this.log);
    // By then the client's timer F has run out, and a response would only add to the traffic (RFC 4320 4.2).
    this.timers.start("unanswered", transactionTimeout, () => {
      this.context.counters.unanswered++;
      this.log.warn({ callId: this.request.callId }, "request was never answered");
      this.#move("unanswered");
    });
  }

  get pending(): boolean {
    return this.#machine.accepts("final");
  }

  respond(response: SipResponse): void {
    const input = response.status < 200 ? "provisional" : "final";
    if (!this.#machine.accepts(input)) return this.refuse(response, this.#machine.state);
    this.#machine.apply(input);
    const delivered = this.send(response);
    if (input === "provisional") return;
    this.timers.stop("unanswered");
    // Nothing is repeated on a connection, so timer J is zero there - unless `rebind` has still to deliver.
    if (this.flow.reliable && delivered) this.#move("timerJ");
    else this.timers.start("J", transactionTimeout, () => this.#move("timerJ"));
  }

  abandon(): void {
    if (this.#machine.accepts("abandon")) this.#move("abandon");
  }

  protected absorb(): void {
    this.sendAgain();
  }

  #move(input: NonInviteServerInput): void {
    this.#machine.apply(input);
    if (this.#machine.state === "terminated") this.end();
  }
}
