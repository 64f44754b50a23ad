import { StateMachine } from "../../core/index.ts";
import { createResponse } from "../message/index.ts";
import type { SipResponse } from "../message/types.ts";
import { ServerBase, type ServerParts } from "./server-base.ts";
import { inviteServerTable, inviteInput, type InviteServerInput, type InviteServerState } from "./tables.ts";
import { T1, T2, T4, transactionTimeout, tryingDelay } from "./timers.ts";

/** INVITE server transaction, RFC 3261 17.2.1 with RFC 6026 7.1. */
export class InviteServer extends ServerBase {
  readonly #machine: StateMachine<InviteServerState, InviteServerInput>;
  /** A provisional response is sent: if it arrives, the caller repeats its INVITE no more. */
  #toldSomething = false;

  constructor(parts: ServerParts) {
    super(parts);
    this.#machine = new StateMachine(inviteServerTable, "proceeding", this.log);
    this.timers.start("trying", tryingDelay, () => this.respond(createResponse(this.request, 100)));
  }

  get pending(): boolean {
    return this.#machine.state === "proceeding";
  }

  respond(response: SipResponse): void {
    const input = inviteInput(response.status);
    if (!this.#machine.accepts(input)) return this.refuse(response, this.#machine.state);
    const before = this.#machine.state;
    this.#machine.apply(input);
    this.timers.stop("trying", "provisional");
    this.send(response);
    if (input === "provisional") this.#secure(response);
    if (input === "failure") this.#complete();
    else if (input === "success" && before === "proceeding")
      this.timers.start("L", transactionTimeout, () => this.#move("timerL"));
  }

  /**
   * An ACK with this INVITE's branch. "absorbed": it was for our non-2xx, or a repetition. "passed": we answered
   * 2xx, so the ACK is the dialog's. "stray": nothing to acknowledge yet.
   */
  receiveAck(): "absorbed" | "passed" | "stray" {
    const { state } = this.#machine;
    if (state === "accepted") return "passed";
    if (state === "completed") this.#confirm();
    return state === "completed" || state === "confirmed" ? "absorbed" : "stray";
  }

  abandon(): void {
    if (this.#machine.accepts("abandon")) this.#move("abandon");
  }

  protected absorb(): void {
    // RFC 6026 7.1: in Accepted the 2xx is repeated by the user alone; in Confirmed the ACK is here already.
    const { state } = this.#machine;
    if (state === "proceeding" || state === "completed") this.sendAgain();
  }

  /**
   * Behind a 100 a lost 180 would be lost for good, and SIP Server waits for it before it says talk. RFC 3261 13.3.1
   * leaves it to us to repeat one; a reliable one has repeats of its own (RFC 3262).
   */
  #secure(response: SipResponse): void {
    const repeats = this.#toldSomething && !this.flow.reliable && !response.headers.has("RSeq");
    this.#toldSomething = true;
    if (repeats) this.#repeatProvisional(T1);
  }

  #repeatProvisional(interval: number): void {
    if (interval > T2) return;
    this.timers.start("provisional", interval, () => {
      this.sendAgain();
      this.#repeatProvisional(interval * 2);
    });
  }

  #complete(): void {
    if (!this.flow.reliable) this.#startTimerG(T1);
    this.timers.start("H", transactionTimeout, () => {
      this.context.counters.ackTimeouts++;
      this.#move("timerH");
      this.context.callUser(() => this.onCompleted?.(false));
    });
  }

  #confirm(): void {
    this.#machine.apply("ack");
    this.timers.stop("G", "H");
    if (this.flow.reliable) this.#move("timerI");
    else this.timers.start("I", T4, () => this.#move("timerI"));
    this.context.callUser(() => this.onCompleted?.(true));
  }

  #startTimerG(interval: number): void {
    this.timers.start("G", interval, () => {
      this.#startTimerG(Math.min(interval * 2, T2));
      this.sendAgain();
    });
  }

  #move(input: InviteServerInput): void {
    this.#machine.apply(input);
    if (this.#machine.state === "terminated") this.end();
  }
}
