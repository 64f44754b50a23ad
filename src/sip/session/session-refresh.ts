import type { HeaderPair } from "../dialog/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import type { InDialogHandlers } from "./in-dialog-request.ts";
import { names } from "./option-tags.ts";
import { SessionTimer } from "./session-timer.ts";
import type { SessionContext, SessionIdentity, SessionTerms, SessionUser } from "./types.ts";

/** What refreshing needs of the session. */
export interface RefreshHost {
  readonly context: SessionContext;
  readonly identity: SessionIdentity;
  readonly terms: SessionTerms;
  readonly user: SessionUser;
  readonly established: boolean;
  readonly confirmed: boolean;
  readonly mediaFlows: boolean;
  readonly localSdp: string | undefined;
  request(method: string, headers: readonly HeaderPair[], body: undefined, handlers: InDialogHandlers): void;
  reinvite(
    sdp: () => string,
    handlers: { onAnswer: (sdp: string) => string | undefined; onFailed: () => void },
  ): void;
  /** Its time is up and nothing is heard. */
  expire(): void;
}

/** Keeps a session alive (RFC 4028): its timer, and the refreshes of ours by UPDATE or re-INVITE. */
export class SessionRefresh {
  readonly #session: RefreshHost;
  readonly #timer: SessionTimer;
  /** By the peer's Allow as last told; undefined: it never told. */
  #peerTakesUpdate: boolean | undefined;

  constructor(session: RefreshHost) {
    this.#session = session;
    const { clock, log } = session.context;
    const host = {
      clock,
      log,
      mediaFlows: () => session.mediaFlows,
      refresh: () => this.#refresh(),
      overdue: () => session.user.onPeerSilent?.("no refresh of the session came in time"),
      expire: () => session.expire(),
    };
    this.#timer = new SessionTimer(host, session.terms.timer);
  }

  /** Header lines an INVITE or UPDATE of ours carries for the session timer. */
  headers(): HeaderPair[] {
    return this.#timer.requestHeaders();
  }

  /** Those of our 2xx to an INVITE or UPDATE of the peer's, with which the session is refreshed. */
  answer(request: SipRequest): HeaderPair[] {
    // An early UPDATE, or a PRACK, settles nothing: the 200 to the INVITE does.
    const settles = request.method === "INVITE" || (request.method === "UPDATE" && this.#session.confirmed);
    return settles ? this.#timer.answer(request) : [];
  }

  /** A 2xx to an INVITE or UPDATE of ours came. */
  answered(response: SipResponse): void {
    this.note(response);
    this.#timer.answered(response);
  }

  /** 422 came: true when a repeat with `headers` now asks for enough (RFC 4028 7.3). */
  raise(response: SipResponse): boolean {
    return this.#timer.raise(response);
  }

  /** Keeps what a message of the peer's says of it: SIP Server's Allow differs from message to message. */
  note(message: SipRequest | SipResponse): void {
    if (message.headers.has("Allow")) this.#peerTakesUpdate = names(message, "Allow", "UPDATE");
  }

  /** UPDATE without SDP: refreshes the session, and asks whether the peer still has it. */
  update(handlers: InDialogHandlers = {}): void {
    const session = this.#session;
    const headers = [...session.identity.headers, ...(session.confirmed ? this.headers() : [])];
    session.request("UPDATE", headers, undefined, {
      ...handlers,
      onResponse: (response) => {
        this.note(response);
        if (this.raise(response)) return this.update(handlers);
        if (response.status >= 200 && response.status < 300 && session.confirmed) this.answered(response);
        handlers.onResponse?.(response);
      },
    });
  }

  #refresh(): void {
    const { established, terms } = this.#session;
    if (!established) return this.#timer.refreshFailed();
    if (!(this.#peerTakesUpdate ?? terms.timer?.assumeUpdate ?? false)) return this.#reinvite();
    this.update({
      onFailure: () => this.#timer.refreshFailed(),
      onResponse: ({ status }) => {
        if (status === 405 || status === 501) {
          this.#peerTakesUpdate = false;
          this.#reinvite();
        } else if (status >= 300) this.#timer.refreshFailed();
      },
    });
  }

  /** A re-INVITE with our last description, to the letter: nothing changes but the time. */
  #reinvite(): void {
    const { localSdp } = this.#session;
    if (localSdp === undefined) return this.#timer.refreshFailed();
    this.#session.reinvite(() => localSdp, {
      onAnswer: (sdp) => {
        this.#session.user.onRefreshAnswer?.(sdp);
        return undefined;
      },
      onFailed: () => this.#timer.refreshFailed(),
    });
  }

  close(): void {
    this.#timer.close();
  }
}
