import type { Logger } from "../../core/index.ts";
import { serializeMessage } from "../message/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import type { Flow } from "../transport/flow.ts";
import type { TransactionContext } from "./context.ts";
import { TransactionTimers } from "./timers.ts";
import type { ServerTransaction } from "./types.ts";
import { replyFlow } from "./via.ts";

export interface ServerParts {
  readonly context: TransactionContext;
  readonly request: SipRequest;
  readonly flow: Flow;
  /** The transaction is over and may be forgotten. Called once. */
  readonly onEnd: () => void;
}

/** What the two server transactions of RFC 3261 17.2 share: the last response, where it goes, how they end. */
export abstract class ServerBase implements ServerTransaction {
  readonly request: SipRequest;
  onCancel?: (cancel: SipRequest) => void;
  onCompleted?: (acknowledged: boolean) => void;
  onTransportError?: (error: Error) => void;
  protected readonly context: TransactionContext;
  protected readonly timers: TransactionTimers;
  protected readonly log: Logger;
  readonly #onEnd: () => void;
  #flow: Flow;
  #replyFlow: Flow;
  #lastResponse: Buffer | undefined;
  /** The last response found its flow closed: it goes out when another one is given. */
  #undelivered = false;
  #toTag: string | undefined;
  #ended = false;

  constructor(parts: ServerParts) {
    this.context = parts.context;
    this.request = parts.request;
    this.timers = new TransactionTimers(parts.context.clock);
    const { branch } = parts.request.topVia;
    this.log = parts.context.log.child({
      branch,
      method: parts.request.method,
      callId: parts.request.callId,
    });
    this.#onEnd = parts.onEnd;
    this.#flow = parts.flow;
    this.#replyFlow = replyFlow(parts.flow, parts.request.topVia);
  }

  get flow(): Flow {
    return this.#flow;
  }

  abstract get pending(): boolean;
  abstract respond(response: SipResponse): void;
  /** The same request once more. */
  protected abstract absorb(): void;
  abstract abandon(): void;

  /** The To tag of what was answered so far. */
  get toTag(): string | undefined {
    return this.#toTag;
  }

  /** The client sent the request again; by a new connection if the old one is gone. */
  receiveAgain(flow: Flow): void {
    this.context.counters.retransmissionsAbsorbed++;
    const undelivered = this.#undelivered;
    if (!this.#flow.open && flow.open) this.rebind(flow);
    // What went out as the connection broke counts as delivered here, but the client asks again because it is not.
    if (!undelivered || this.#undelivered) this.absorb();
  }

  rebind(flow: Flow): void {
    this.#flow = flow;
    this.#replyFlow = flow;
    if (this.#undelivered && this.#lastResponse) this.#transmit(this.#lastResponse);
  }

  /** Sends `response` and keeps it for the request's retransmissions; false when the flow is closed. */
  protected send(response: SipResponse): boolean {
    this.#lastResponse = serializeMessage(response);
    if (response.to.tag !== undefined) this.#toTag = response.to.tag;
    return this.#transmit(this.#lastResponse);
  }

  protected sendAgain(): void {
    if (!this.#lastResponse) return;
    this.context.counters.retransmissionsSent++;
    this.#transmit(this.#lastResponse);
  }

  protected refuse(response: SipResponse, state: string): void {
    this.context.counters.responsesRefused++;
    this.log.warn({ state, status: response.status }, "response refused: not allowed in this state");
  }

  protected end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.timers.stopAll();
    this.#onEnd();
  }

  #transmit(bytes: Buffer): boolean {
    if (!this.#replyFlow.open) this.#replyFlow = replyFlow(this.#flow, this.request.topVia);
    this.#undelivered = !this.#replyFlow.open;
    if (this.#undelivered) this.#transportError(new Error("flow closed"));
    else {
      this.context.messages.note("sent", bytes, this.#replyFlow);
      this.context.observer?.sent(this.request.callId, bytes, this.#replyFlow);
      this.#replyFlow.send(bytes, (error) => this.#transportError(error));
    }
    return !this.#undelivered;
  }

  /** Told by a timer, so that the user never hears of it from within its own call of `respond`. */
  #transportError(error: Error): void {
    this.context.counters.transportErrors++;
    if (this.#ended) return;
    this.timers.start("transportError", 0, () => this.context.callUser(() => this.onTransportError?.(error)));
  }
}
