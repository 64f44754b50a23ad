import type { Logger } from "../../core/index.ts";
import { serializeMessage } from "../message/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import type { Flow } from "../transport/flow.ts";
import type { TransactionContext } from "./context.ts";
import { TransactionTimers } from "./timers.ts";
import type { ClientHandlers, ClientTransaction, RequestOptions } from "./types.ts";

export interface ClientParts {
  readonly context: TransactionContext;
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly branch: string;
  readonly handlers: ClientHandlers;
  readonly options: RequestOptions;
  /** The transaction is over and may be forgotten. Called once. */
  readonly onEnd: () => void;
}

/** What the two client transactions of RFC 3261 17.1 share: the bytes, the timers, the way to fail and to end. */
export abstract class ClientBase implements ClientTransaction {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly branch: string;
  protected readonly context: TransactionContext;
  protected readonly handlers: ClientHandlers;
  protected readonly options: RequestOptions;
  protected readonly timers: TransactionTimers;
  protected readonly log: Logger;
  readonly #bytes: Buffer;
  readonly #onEnd: () => void;
  #ended = false;

  constructor(parts: ClientParts) {
    this.context = parts.context;
    this.request = parts.request;
    this.flow = parts.flow;
    this.branch = parts.branch;
    this.handlers = parts.handlers;
    this.options = parts.options;
    this.timers = new TransactionTimers(parts.context.clock);
    this.log = parts.context.log.child({
      branch: parts.branch,
      method: parts.request.method,
      callId: parts.request.callId,
    });
    this.#bytes = serializeMessage(parts.request);
    this.#onEnd = parts.onEnd;
  }

  /** Sends the request for the first time. */
  abstract start(): void;
  /** A response whose branch, sent-by and method are ours. */
  abstract receive(response: SipResponse): void;
  abstract cancel(reason?: string): void;
  abstract abandon(): void;
  /** Whether sending the request again can bring what is waited for. */
  protected abstract get unheard(): boolean;
  /** Moves on a transport failure; false when a final response had come, so that nobody need be told. */
  protected abstract applyTransportError(): boolean;

  /** The flow will carry no response any more. */
  flowClosed(): void {
    this.#fail(new Error("flow closed"));
  }

  /** The connection was lost and gets replaced: a request that went with it goes out again, under the same branch. */
  flowInterrupted(): void {
    if (this.unheard) this.retransmit();
  }

  protected transmit(): void {
    this.send(this.#bytes);
  }

  protected retransmit(): void {
    this.context.counters.retransmissionsSent++;
    this.send(this.#bytes);
  }

  protected send(bytes: Buffer): void {
    if (!this.flow.open) return this.#transportError(new Error("flow closed"));
    this.context.messages.note("sent", bytes, this.flow);
    this.context.observer?.sent(this.request.callId, bytes, this.flow);
    this.flow.send(bytes, (error) => this.#transportError(error));
  }

  /** No final response came in time. */
  protected tellTimeout(): void {
    this.context.counters.clientTimeouts++;
    this.#tellObserver("no final response in time");
    this.context.callUser(() => this.handlers.onTimeout());
  }

  #tellObserver(reason: string): void {
    this.context.observer?.givenUp(this.request.callId, this.request.method, reason);
  }

  protected end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.timers.stopAll();
    this.#onEnd();
  }

  /** Told by a timer, so that the user never hears of it from within its own call of `request`. */
  #transportError(error: Error): void {
    if (!this.#ended) this.timers.start("transportError", 0, () => this.#fail(error));
  }

  #fail(error: Error): void {
    if (this.#ended) return;
    this.context.counters.transportErrors++;
    this.#tellObserver(`not sent: ${error.message}`);
    const tell = this.applyTransportError();
    if (tell) this.context.callUser(() => this.handlers.onTransportError(error));
  }
}
