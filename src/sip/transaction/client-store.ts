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
    return mayAnswer(client.flow, flow) ? client : undefined;
  }

  flowClosed(flow: Flow): void {
    for (const client of this.#on(flow)) client.flowClosed();
  }

  flowInterrupted(flow: Flow): void {
    for (const client of this.#on(flow)) client.flowInterrupted();
  }

  close(): void {
    for (const client of Array.from(this.#byKey.values())) client.abandon();
  }

  #on(flow: Flow): ClientBase[] {
    return Array.from(this.#byKey.values()).filter((client) => client.flow.id === flow.id);
  }

  #cancel(invite: InviteClient, reason: string | undefined): void {
    const cancel = cancelFor(invite.request, reason);
    this.open(cancel, invite.flow, invite.branch, nobody, {});
  }
}

/**
 * A browser answers by its own connection. SIP Server's answer comes from whichever port it likes, and by a connection
 * of its own when ours is gone (RFC 3261 18.2.2); only its addresses get so far.
 */
function mayAnswer(asked: Flow, answering: Flow): boolean {
  if (asked.side === "browser") return asked.id === answering.id;
  return answering.side === "trunk" && asked.reliable === answering.reliable;
}
