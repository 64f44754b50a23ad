import { createHmac } from "node:crypto";
import type { Random } from "../../core/index.ts";
import type { SipRequest } from "../message/types.ts";
import type { Flow } from "../transport/flow.ts";
import { InviteServer } from "./server-invite.ts";
import type { TransactionContext } from "./context.ts";
import { mergeKey, serverKey } from "./keys.ts";
import type { TransactionLimits } from "./limits.ts";
import { NonInviteServer } from "./server-non-invite.ts";

/** Part of all server transactions that connections may hold together: SIP Server's INVITEs always find room. */
const shareOfConnections = 0.75;

export type Server = InviteServer | NonInviteServer;

/** The live server transactions, found by key, by merge key and counted by connection. */
export class ServerStore {
  readonly #context: TransactionContext;
  readonly #limits: TransactionLimits;
  readonly #byKey = new Map<string, Server>();
  readonly #mergeKeys = new Set<string>();
  readonly #perConnection = new Map<string, number>();
  readonly #tagSecret: Buffer;
  #ofConnections = 0;

  constructor(context: TransactionContext, random: Random, limits: TransactionLimits) {
    this.#context = context;
    this.#limits = limits;
    this.#tagSecret = random.bytes(16);
  }

  get size(): number {
    return this.#byKey.size;
  }

  find(key: string): Server | undefined {
    return this.#byKey.get(key);
  }

  /** The INVITE transaction an ACK or CANCEL is meant for. */
  findInvite(request: SipRequest, flow: Flow): InviteServer | undefined {
    const found = this.#byKey.get(serverKey(request, flow, "INVITE"));
    return found instanceof InviteServer ? found : undefined;
  }

  /** Whether a request that matched no transaction is another copy of one that is being served. */
  isMerged(request: SipRequest, flow: Flow): boolean {
    const key = mergeKey(request, flow);
    return key !== undefined && this.#mergeKeys.has(key);
  }

  /** Whether the limits leave room for `request`. */
  hasRoom(request: SipRequest, flow: Flow): boolean {
    const { serverTransactions, serverTransactionsPerConnection } = this.#limits;
    const inDialog = request.to.tag !== undefined;
    if (this.#byKey.size >= serverTransactions * (inDialog ? 1.25 : 1)) return false;
    if (flow.side === "trunk") return true;
    if (this.#ofConnections >= serverTransactions * shareOfConnections) return false;
    return (this.#perConnection.get(flow.id) ?? 0) < serverTransactionsPerConnection;
  }

  /** Opens the transaction of a new request; `key` as it was before the Via was stamped. */
  open(request: SipRequest, flow: Flow, key: string): Server {
    const merge = mergeKey(request, flow);
    const parts = {
      context: this.#context,
      request,
      flow,
      onEnd: (): void => {
        this.#byKey.delete(key);
        if (merge !== undefined) this.#mergeKeys.delete(merge);
        if (flow.side === "browser") this.#countConnection(flow.id, -1);
      },
    };
    const server = request.method === "INVITE" ? new InviteServer(parts) : new NonInviteServer(parts);
    this.#byKey.set(key, server);
    if (merge !== undefined) this.#mergeKeys.add(merge);
    if (flow.side === "browser") this.#countConnection(flow.id, 1);
    return server;
  }

  /**
   * To tag of a response without transaction: the same for each copy of the request, and its ACK is known by it
   * (RFC 3261 8.2.7).
   */
  statelessTag(key: string): string {
    return createHmac("sha256", this.#tagSecret).update(key).digest("hex").slice(0, 16);
  }

  close(): void {
    for (const server of Array.from(this.#byKey.values())) server.abandon();
  }

  #countConnection(id: string, change: number): void {
    this.#ofConnections += change;
    const count = (this.#perConnection.get(id) ?? 0) + change;
    if (count > 0) this.#perConnection.set(id, count);
    else this.#perConnection.delete(id);
  }
}
