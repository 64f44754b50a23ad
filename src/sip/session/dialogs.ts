import { dialogKey } from "../dialog/index.ts";
import { createResponse } from "../message/index.ts";
import type { SipRequest } from "../message/types.ts";
import type { ServerTransaction, TransactionUser } from "../transaction/types.ts";
import type { DialogOwner, DialogRegistry } from "./types.ts";

/** Leads requests within dialogs to their session and all others to `onOutOfDialog`. */
export class DialogDispatcher implements TransactionUser, DialogRegistry {
  readonly #owners = new Map<string, DialogOwner>();
  readonly #onOutOfDialog: (request: SipRequest, transaction: ServerTransaction) => void;

  constructor(onOutOfDialog: (request: SipRequest, transaction: ServerTransaction) => void) {
    this.#onOutOfDialog = onOutOfDialog;
  }

  /** Dialogs known: zero when no call runs. */
  get size(): number {
    return this.#owners.size;
  }

  add(key: string, owner: DialogOwner): void {
    this.#owners.set(key, owner);
  }

  remove(key: string): void {
    this.#owners.delete(key);
  }

  onRequest(request: SipRequest, transaction: ServerTransaction): void {
    if (request.to.tag === undefined) return this.#onOutOfDialog(request, transaction);
    const owner = this.#find(request);
    if (owner) owner.receiveRequest(request, transaction);
    else transaction.respond(createResponse(request, 481));
  }

  onAck(request: SipRequest): void {
    this.#find(request)?.receiveAck(request);
  }

  #find(request: SipRequest): DialogOwner | undefined {
    return this.#owners.get(dialogKey(request.callId, request.to.tag ?? "", request.from.tag ?? ""));
  }
}
