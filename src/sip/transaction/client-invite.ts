import { StateMachine } from "../../core/index.ts";
import { serializeMessage } from "../message/index.ts";
import type { SipResponse } from "../message/types.ts";
import { ClientBase, type ClientParts } from "./client-base.ts";
import { ackForFailure } from "./hop-requests.ts";
import { inviteClientTable, inviteInput, type InviteClientInput, type InviteClientState } from "./tables.ts";
import { T1, timerD, transactionTimeout } from "./timers.ts";

export interface InviteClientParts extends ClientParts {
  /** Sends CANCEL in a transaction of its own. */
  readonly sendCancel: (invite: InviteClient, reason: string | undefined) => void;
}

/** INVITE client transaction, RFC 3261 17.1.1 with RFC 6026 7.2. */
export class InviteClient extends ClientBase {
  readonly #machine: StateMachine<InviteClientState, InviteClientInput>;
  readonly #sendCancel: InviteClientParts["sendCancel"];
  /** What became of `cancel`: a CANCEL may only follow a provisional response (RFC 3261 9.1). */
  #cancelling: "no" | "waiting" | "sent" = "no";
  #cancelReason: string | undefined;
  #ack: Buffer | undefined;

  constructor(parts: InviteClientParts) {
    super(parts);
    this.#sendCancel = parts.sendCancel;
    this.#machine = new StateMachine(inviteClientTable, "calling", this.log);
  }

  start(): void {
    const timeout = Math.min(this.options.timeoutMs ?? transactionTimeout, transactionTimeout);
    this.timers.start("B", timeout, () => this.#timeout());
    if (!this.flow.reliable) this.#startTimerA(T1);
    this.transmit();
  }

  receive(response: SipResponse): void {
    const input = inviteInput(response.status);
    if (!this.#machine.accepts(input)) {
      // A provisional after the final one was overtaken on its way; a failure after 2xx is a fork's.
      this.context.counters.strayResponses++;
      return;
    }
    const before = this.#machine.state;
    this.#machine.apply(input);
    this.timers.stop("A", "B");
    if (input === "provisional") this.#proceed();
    else if (input === "success") this.#accept(before);
    else if (!this.#acknowledge(response, before)) return;
    this.context.callUser(() => this.handlers.onResponse(response));
  }

  cancel(reason?: string): void {
    if (this.#cancelling !== "no" || !this.#machine.accepts("provisional")) return;
    this.#cancelReason = reason;
    this.#cancelling = "waiting";
    if (this.#machine.state === "proceeding") this.#proceed();
  }

  abandon(): void {
    if (this.#machine.accepts("abandon")) this.#move("abandon");
  }

  protected get unheard(): boolean {
    return this.#machine.state === "calling";
  }

  protected applyTransportError(): boolean {
    if (this.#machine.accepts("transportError")) {
      this.#move("transportError");
      return true;
    }
    // A final response was passed up already. Over UDP the ACK may still get through next time.
    if (!this.flow.open) this.abandon();
    return false;
  }

  #proceed(): void {
    if (this.#cancelling !== "waiting") return;
    this.#cancelling = "sent";
    // RFC 3261 9.1: no final response in 64*T1 after the CANCEL, and the INVITE counts as cancelled.
    this.timers.start("cancelled", transactionTimeout, () => this.#timeout());
    this.#sendCancel(this, this.#cancelReason);
  }

  #accept(before: InviteClientState): void {
    this.timers.stop("cancelled", "transportError");
    if (before !== "accepted") this.timers.start("M", transactionTimeout, () => this.#move("timerM"));
  }

  /** Acknowledges a non-2xx; true when it is the first one and the user has to hear of it. */
  #acknowledge(response: SipResponse, before: InviteClientState): boolean {
    this.timers.stop("cancelled", "transportError");
    this.#ack ??= serializeMessage(ackForFailure(this.request, response));
    this.send(this.#ack);
    if (before === "completed") {
      this.context.counters.retransmissionsAbsorbed++;
      return false;
    }
    if (this.flow.reliable) this.#move("timerD");
    else this.timers.start("D", timerD, () => this.#move("timerD"));
    return true;
  }

  #startTimerA(interval: number): void {
    this.timers.start("A", interval, () => {
      this.#startTimerA(interval * 2);
      this.retransmit();
    });
  }

  #timeout(): void {
    this.#move("timeout");
    this.tellTimeout();
  }

  #move(input: InviteClientInput): void {
    this.#machine.apply(input);
    if (this.#machine.state === "terminated") this.end();
  }
}
