import type { Logger } from "../../core/index.ts";
import { createResponse, type HeaderPair, type ServerTransaction } from "../../sip/index.ts";

/** Why a call never began: SIP status and reason. */
export interface Refusal {
  readonly status: number;
  /** Left out: the status' usual one. */
  readonly reason?: string;
}

/** When a caller may try again after a stop, seconds: a restart takes less. */
const closingRetrySeconds = 10;
/** The same while the gateway is drained, which takes as long as its calls. */
const drainingRetrySeconds = 30;

/** Whether new calls are taken, and the account of those that never began. */
export class Admission {
  /** New calls get 503; those that run are served as ever, transfers included. */
  draining = false;
  /** Nothing new is taken any more. */
  closing = false;
  /** Calls asked for that never began, by the status they got. */
  readonly refusals = new Map<number, number>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** A call that is none, as nobody could take it: it has no record, but a line that says why it did not ring. */
  note(call: { readonly to: string | undefined; readonly from: string | undefined }, refusal: Refusal): void {
    const { status, reason } = refusal;
    this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1);
    this.#log.info({ ...call, status, reason }, "call refused");
  }

  /** Answers a request that asked for a call. */
  refuse(transaction: ServerTransaction, refusal: Refusal, headers: readonly HeaderPair[] = []): void {
    const { uri, from, callId } = transaction.request;
    const call = { to: uri.user, from: from.uri.user, callId };
    this.note(call, refusal);
    answerWith(transaction, refusal, headers);
  }

  /** A new call while the gateway is drained. True when it was refused. */
  refuseDraining(transaction: ServerTransaction): boolean {
    if (!this.draining) return false;
    const headers: HeaderPair[] = [["Retry-After", String(drainingRetrySeconds)]];
    this.refuse(transaction, { status: 503, reason: "Being Drained" }, headers);
    return true;
  }

  /** Any request for a call while the gateway stops. True when it was refused. */
  refuseClosing(transaction: ServerTransaction): boolean {
    if (!this.closing) return false;
    answerWith(transaction, { status: 503 }, [["Retry-After", String(closingRetrySeconds)]]);
    return true;
  }

  /** What no INVITE of either side may ask for. True when it was refused. */
  refuseInvite(transaction: ServerTransaction): boolean {
    if (this.refuseClosing(transaction)) return true;
    const { body, contentType } = transaction.request;
    if (body.length === 0 || contentType === "application/sdp") return false;
    answerWith(transaction, { status: 415 }, [["Accept", "application/sdp"]]);
    return true;
  }
}

/** The answer to a request that is refused. */
export function answerWith(
  transaction: ServerTransaction,
  { status, reason }: Refusal,
  headers: readonly HeaderPair[] = [],
): void {
  transaction.respond(createResponse(transaction.request, status, { reason, headers }));
}
