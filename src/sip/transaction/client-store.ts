import { randomId, type Random } from "../../core/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import type { Flow } from "../transport/flow.ts";
import type { ClientBase } from "./client-base.ts";
import { InviteClient } from "./client-invite.ts";
import { NonInviteClient } from "./client-non-invite.ts";
import type { TransactionContext } from "./context.ts";
import { cancelFor } from "./hop-requests.ts";
import { clientKey } from "./keys.ts";
import type { ClientHandlers, RequestOptions } from "./types.ts";
import { branchCookie, canonicalFlowSentBy, canonicalSentBy, ownVia } from "./via.ts";

/** CANCEL's own response says nothing the INVITE's does not say (RFC 3261 9.1). */
const nobody: ClientHandlers = { onResponse() {}, onTimeout() {}, onTransportError() {} };

/** The live client transactions, found by branch and method. */
export class ClientStore {
  readonly #context: TransactionContext;
  readonly #random: Random;
  readonly #byKey = new Map<string, ClientBase>();

  constructor(context: TransactionContext, random: Random) {
    this.#context = context;
    this.#random = random;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Puts our Via, and nobody else's, on `request`; returns its branch. */
  putVia(request: SipRequest, flow: Flow): string {
    const branch = branchCookie + randomId(this.#random);
    request.headers.remove("Via").prepend("Via", ownVia(flow, branch));
    return branch;
  }

  /** Sends `request`, which carries our Via with `branch`, in a new transaction. */
  open(
    request: SipRequest,
    flow: Flow,
    branch: string,
    handlers: ClientHandlers,
    options: RequestOptions,
  ): ClientBase {
    const key = clientKey(branch, request.method);
    const onEnd = (): void => void this.#byKey.delete(key);
    const parts = { context: this.#context, request, flow, branch, handlers, options, onEnd };
    const client =
      request.method === "INVITE"
        ? new InviteClient({ ...parts, sendCancel: (invite, reason) => this.#cancel(invite, reason) })
        : new NonInviteClient(parts);
    this.#byKey.set(key, client);
    client.start();
    return client;
  }

  /** The transaction `response` answers: branch, method, sent-by and the way it came must all be ours. */
  match(response: SipResponse, flow: Flow): ClientBase | undefined {
    const { branch, host, port } = response.topVia;
    if (branch === undefined || response.vias.length > 1) return undefined;
    const client = this.#byKey.get(clientKey(branch, response.cseq.method));
    if (!client || canonicalSentBy(host, port) !== canonicalFlowSentBy(client.flow)) return undefined;
    const sameWay = client.flow.reliable ? client.flow.id === flow.id : !flow.reliable;
    return sameWay ? client : undefined;
  }

  flowClosed(flow: Flow): void {
    for (const client of Array.from(this.#byKey.values()))
      if (client.flow.id === flow.id) client.flowClosed();
  }

  close(): void {
    for (const client of Array.from(this.#byKey.values())) client.abandon();
  }

  #cancel(invite: InviteClient, reason: string | undefined): void {
    const cancel = cancelFor(invite.request, reason);
    this.open(cancel, invite.flow, invite.branch, nobody, {});
  }
}
