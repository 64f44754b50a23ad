import type { Clock } from "../../core/index.ts";
import { paramOf, type Peer } from "./address.ts";
import {
  ClientTransaction,
  requestText,
  type OutgoingRequest,
  type ResponseHandler,
} from "./client-transaction.ts";
import { ServerTransaction } from "./server-transaction.ts";
import { mandatory, type SipMessage } from "./text.ts";

/** Who gets requests that start something new. */
export interface RequestReceiver {
  /** A request not seen before, ACK excepted. */
  request(transaction: ServerTransaction): void;
  /** An ACK that belongs to no failure answer: the ACK of a 2xx. */
  acknowledgement(ack: SipMessage): void;
}

/** All transactions of the sandbox, found by branch and method. */
export class Transactions {
  readonly #clock: Clock;
  readonly #send: (text: string, peer: Peer) => void;
  readonly #receiver: RequestReceiver;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();

  constructor(clock: Clock, send: (text: string, peer: Peer) => void, receiver: RequestReceiver) {
    this.#clock = clock;
    this.#send = send;
    this.#receiver = receiver;
  }

  /** How many are alive, both kinds. */
  get size(): number {
    return this.#clients.size + this.#servers.size;
  }

  /** Sends a request and sees to its repetition. */
  start(request: OutgoingRequest, peer: Peer, handler: ResponseHandler): ClientTransaction {
    const key = `${request.branch}:${request.method}`;
    const transaction = new ClientTransaction(request, peer, {
      clock: this.#clock,
      send: this.#send,
      handler,
      gone: () => this.#clients.delete(key),
    });
    this.#clients.set(key, transaction);
    return transaction;
  }

  /** Sends an ACK of a 2xx: a message of its own, in no transaction (RFC 3261 13.2.2.4). */
  sendAck(ack: OutgoingRequest, peer: Peer): void {
    this.#send(requestText(ack), peer);
  }

  receive(message: SipMessage, from: Peer): void {
    const branch = paramOf(mandatory(message, "Via").split(",", 1)[0] ?? "", "branch") ?? "";
    if (message.status > 0) {
      this.#clients.get(`${branch}:${message.method}`)?.receive(message);
      return;
    }
    // Two clients may use one branch: the sent-by is part of the key (RFC 3261 17.2.3).
    const method = message.method === "ACK" ? "INVITE" : message.method;
    const key = `${branch}:${from.host}:${from.port}:${method}`;
    const known = this.#servers.get(key);
    if (message.method === "ACK") {
      if (known && known.status >= 300) known.acknowledged();
      else this.#receiver.acknowledgement(message);
    } else if (known) known.repeated();
    else this.#begin(message, from, key);
  }

  /** The INVITE a CANCEL means: same branch (RFC 3261 9.2). */
  inviteOf(cancel: SipMessage): ServerTransaction | undefined {
    const branch = paramOf(mandatory(cancel, "Via"), "branch") ?? "";
    const callId = mandatory(cancel, "Call-ID");
    for (const [key, transaction] of this.#servers) {
      const same = key.startsWith(`${branch}:`) && key.endsWith(":INVITE");
      if (same && mandatory(transaction.request, "Call-ID") === callId) return transaction;
    }
    return undefined;
  }

  /** Ends all of them without a word. */
  close(): void {
    for (const transaction of [...this.#clients.values(), ...this.#servers.values()]) transaction.terminate();
  }

  #begin(message: SipMessage, from: Peer, key: string): void {
    const transaction = new ServerTransaction(message, from, {
      clock: this.#clock,
      send: this.#send,
      gone: () => this.#servers.delete(key),
    });
    this.#servers.set(key, transaction);
    this.#receiver.request(transaction);
  }
}
