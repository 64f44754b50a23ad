import type { Clock, Logger, Random } from "../../core/index.ts";
import {
  createResponse,
  parseMessage,
  parseVia,
  serializeMessage,
  type Answerable,
  type ParseOutcome,
} from "../message/index.ts";
import type { SipRequest, SipResponse, Via } from "../message/types.ts";
import type { Flow, FlowReceiver } from "../transport/flow.ts";
import { ClientStore } from "./client-store.ts";
import { createContext, type TransactionContext } from "./context.ts";
import { newTransactionCounters, type TransactionCounters } from "./counters.ts";
import type { MessageTally } from "./message-tally.ts";
import type { MessageObserver } from "./observer.ts";
import { branchKey, serverKey } from "./keys.ts";
import { defaultTransactionLimits, type TransactionLimits } from "./limits.ts";
import { ServerStore, type Server } from "./server-store.ts";
import type {
  ClientHandlers,
  ClientTransaction,
  RequestOptions,
  TransactionLayer,
  TransactionUser,
} from "./types.ts";
import { replyFlow, stampTopVia } from "./via.ts";

/** What the layer is made of. */
export interface TransactionLayerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly user: TransactionUser;
  /** What is left out keeps `defaultTransactionLimits`. */
  readonly limits?: Partial<TransactionLimits>;
  /** Sees all messages. */
  readonly observer?: MessageObserver | undefined;
}

/** The layer as its owner sees it: also the receiver of the transports, with its counters. */
export type TransactionLayerWithReceiver = TransactionLayer &
  FlowReceiver & {
    readonly counters: Readonly<TransactionCounters>;
    readonly messages: Pick<MessageTally, "all">;
  };

type Invalid = Extract<ParseOutcome, { outcome: "invalid" }>;

interface StatelessAnswer {
  readonly to: Answerable;
  readonly via: Via;
  readonly flow: Flow;
  readonly status: number;
  readonly reason?: string;
}

/** The transaction layer of RFC 3261 17 with RFC 6026, and the receiver of every transport. */
export function createTransactionLayer(options: TransactionLayerOptions): TransactionLayerWithReceiver {
  return new Layer(options);
}

class Layer implements TransactionLayerWithReceiver {
  readonly counters = newTransactionCounters();
  readonly counts: { readonly client: number; readonly server: number };
  readonly messages: MessageTally;
  readonly #context: TransactionContext;
  readonly #user: TransactionUser;
  readonly #log: Logger;
  readonly #limits: TransactionLimits;
  readonly #clients: ClientStore;
  readonly #servers: ServerStore;
  #closed = false;

  constructor({ clock, random, log, user, limits, observer }: TransactionLayerOptions) {
    this.#log = log;
    this.#user = user;
    this.#limits = { ...defaultTransactionLimits, ...limits };
    this.#context = createContext(clock, log, this.counters, observer);
    this.messages = this.#context.messages;
    const clients = (this.#clients = new ClientStore(this.#context, random));
    const servers = (this.#servers = new ServerStore(this.#context, random, this.#limits));
    this.counts = {
      get client() {
        return clients.size;
      },
      get server() {
        return servers.size;
      },
    };
  }

  request(
    request: SipRequest,
    flow: Flow,
    handlers: ClientHandlers,
    options: RequestOptions = {},
  ): ClientTransaction {
    const branch = this.#clients.putVia(request, flow);
    const client = this.#clients.open(request, flow, branch, handlers, options);
    if (this.#closed) client.abandon();
    return client;
  }

  sendAck(ack: SipRequest, flow: Flow): void {
    // A repetition goes out with the branch of the first (RFC 3261 13.2.2.4), so a Via that is there stays.
    if (!ack.headers.has("Via")) this.#clients.putVia(ack, flow);
    this.#sendStateless(ack.callId, serializeMessage(ack), flow);
  }

  receive(flow: Flow, bytes: Buffer, framing: "datagram" | "frame"): void {
    if (this.#closed) return;
    // Whatever a message does to us, the socket's handler must come back; a throw from here is our own fault.
    this.#context.callUser(() => this.#receive(flow, bytes, framing));
  }

  flowClosed(flow: Flow): void {
    this.#clients.flowClosed(flow);
  }

  flowInterrupted(flow: Flow): void {
    this.#clients.flowInterrupted(flow);
  }

  close(): void {
    this.#closed = true;
    this.#clients.close();
    this.#servers.close();
  }

  #receive(flow: Flow, bytes: Buffer, framing: "datagram" | "frame"): void {
    const parsed = parseMessage(bytes, framing);
    switch (parsed.outcome) {
      case "keep-alive":
        this.counters.keepAlives++;
        return;
      case "invalid":
        this.#receiveInvalid(parsed, flow);
        return;
      case "message":
        this.#context.messages.note("received", bytes, flow);
        this.#context.observer?.received(parsed.message, bytes, flow);
        if (parsed.message.kind === "request") this.#receiveRequest(parsed.message, flow);
        else this.#receiveResponse(parsed.message, flow);
    }
  }

  #receiveResponse(response: SipResponse, flow: Flow): void {
    this.counters.responsesReceived++;
    const client = this.#clients.match(response, flow);
    if (client) client.receive(response);
    else this.counters.strayResponses++;
  }

  #receiveRequest(request: SipRequest, flow: Flow): void {
    this.counters.requestsReceived++;
    if (request.method === "ACK") return this.#receiveAck(request, flow);
    const key = serverKey(request, flow);
    const known = this.#servers.find(key);
    if (known) return known.receiveAgain(flow);
    if (request.method === "CANCEL") return this.#receiveCancel(request, flow, key);
    if (this.#servers.isMerged(request, flow)) {
      this.counters.mergedRequests++;
      return this.#reply(request, flow, 482);
    }
    if (!this.#servers.hasRoom(request, flow)) {
      this.counters.overloadRejections++;
      return this.#reply(request, flow, 503);
    }
    const server = this.#open(request, flow, key);
    const served = this.#context.callUser(() => this.#user.onRequest(request, server));
    if (!served && server.pending) server.respond(createResponse(request, 500));
  }

  #receiveAck(ack: SipRequest, flow: Flow): void {
    const invite = this.#servers.findInvite(ack, flow);
    const outcome = invite?.receiveAck() ?? "passed";
    if (outcome === "stray") this.counters.strayAcks++;
    if (outcome !== "passed") return;
    // One for a 4xx-5xx that was sent without a transaction.
    const via = ack.topVia;
    const toStateless = ack.to.tag === this.#servers.statelessTag(branchKey(via, flow, "INVITE") ?? via.raw);
    if (!toStateless) this.#user.onAck(ack, flow);
  }

  /** RFC 3261 9.2; a repeated CANCEL meets its own transaction and never comes here. */
  #receiveCancel(cancel: SipRequest, flow: Flow, key: string): void {
    const invite = this.#servers.findInvite(cancel, flow);
    if (!invite) {
      this.counters.strayCancels++;
      return this.#reply(cancel, flow, 481);
    }
    const toTag = invite.toTag ?? this.#servers.statelessTag(key);
    this.#open(cancel, flow, key).respond(createResponse(cancel, 200, { toTag }));
    if (invite.pending) this.#context.callUser(() => invite.onCancel?.(cancel));
  }

  #open(request: SipRequest, flow: Flow, key: string): Server {
    stampTopVia(request.headers, request.topVia, flow);
    return this.#servers.open(request, flow, key);
  }

  /** Says what is wrong where the parser left enough to say it to (RFC 3261 8.2, 21.4.1). */
  #receiveInvalid(parsed: Invalid, flow: Flow): void {
    this.counters.parseErrors++;
    this.#log.debug({ flow: flow.id, status: parsed.status, reason: parsed.reason }, "invalid message");
    const via = parseVia(parsed.reply?.headers.values("Via")[0] ?? "", true);
    if (!parsed.reply || !via) return;
    this.counters.parseErrorsAnswered++;
    this.#answer({ to: parsed.reply, via, flow, status: parsed.status, reason: parsed.reason });
  }

  #reply(request: SipRequest, flow: Flow, status: number): void {
    this.#answer({ to: request, via: request.topVia, flow, status });
  }

  /** Answers without a transaction, each copy of the request alike. */
  #answer({ to, via, flow, status, reason }: StatelessAnswer): void {
    const toTag = this.#servers.statelessTag(branchKey(via, flow, to.method) ?? via.raw);
    stampTopVia(to.headers, via, flow);
    const response = createResponse(to, status, { toTag, reason });
    if (status === 503) response.headers.set("Retry-After", String(this.#limits.retryAfterSeconds));
    this.#sendStateless(to.headers.get("Call-ID") ?? "", serializeMessage(response), replyFlow(flow, via));
  }

  #sendStateless(callId: string, bytes: Buffer, flow: Flow): void {
    if (!flow.open) return;
    this.#context.messages.note("sent", bytes, flow);
    this.#context.observer?.sent(callId, bytes, flow);
    flow.send(bytes, (error) => {
      this.counters.transportErrors++;
      this.#log.debug({ err: error, flow: flow.id }, "message without transaction not sent");
    });
  }
}
