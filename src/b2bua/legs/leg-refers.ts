import {
  createResponse,
  receiveRefer,
  sipfragStatus,
  type HeaderPair,
  type IncomingRefer,
  type ServerTransaction,
  type Session,
  type SipRequest,
} from "../../sip/index.ts";

/** What SIP Server tells of a REFER of ours. */
export interface ReferUser {
  /** Its answer to the REFER itself; 408 when there is none. */
  onAnswer(status: number, reason: string): void;
  /** NOTIFY: how far it is; `last` when nothing more will be told. */
  onNotice(status: number | undefined, reason: string, last: boolean): void;
}

/** The REFERs of one of SIP Server's dialogs, its and ours (RFC 3515). */
export class LegRefers {
  readonly #session: () => Session | undefined;
  #received = 0;
  /** Who hears of the REFER we sent. */
  #user: ReferUser | undefined;

  constructor(session: () => Session | undefined) {
    this.#session = session;
  }

  send(headers: readonly HeaderPair[], user: ReferUser): void {
    this.#user = user;
    this.#session()?.request("REFER", headers, undefined, {
      onResponse: ({ status, reason }) => {
        if (status >= 200) user.onAnswer(status, reason);
      },
      onFailure: (reason) => user.onAnswer(408, reason),
    });
  }

  /** Nobody wants to hear any more of the REFER we sent. */
  forget(): void {
    this.#user = undefined;
  }

  receive(request: SipRequest, transaction: ServerTransaction, use: (refer: IncomingRefer) => void): void {
    const session = this.#session();
    // NOTIFYs of the first REFER in a dialog may do without an id; the plain form is what every phone sends.
    if (session) receiveRefer(session, request, transaction, this.#received++ > 0, use);
    else transaction.respond(createResponse(request, 481));
  }

  receiveNotify(request: SipRequest, transaction: ServerTransaction): void {
    const user = this.#user;
    transaction.respond(createResponse(request, user ? 200 : 481));
    const state = request.headers.get("Subscription-State")?.trim().toLowerCase() ?? "";
    const fragment = sipfragStatus(request.body.toString("utf8"));
    user?.onNotice(fragment?.status, fragment?.reason ?? "", state.startsWith("terminated"));
  }
}
