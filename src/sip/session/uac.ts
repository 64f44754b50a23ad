import { randomId } from "../../core/index.ts";
import { dialogOfUac, type HeaderPair } from "../dialog/index.ts";
import { createRequest } from "../message/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import { nobodyWaits } from "../transaction/index.ts";
import type { Flow } from "../transport/flow.ts";
import { repeatOf, sendAuthenticated, type PendingRequest } from "./authenticated-request.ts";
import { ReceivedProvisionals, reliableNumber } from "./received-provisionals.ts";
import { Session } from "./session.ts";
import type { SessionContext, SessionFailure, SessionIdentity, SessionParts, SessionUser } from "./types.ts";

/** Whom an INVITE of ours calls, and with what. */
export interface InviteTarget {
  /** Request URI. */
  readonly uri: string;
  /** From value without tag, with angle brackets, perhaps with a display name. */
  readonly from: string;
  /** To value. */
  readonly to: string;
  readonly callId: string;
  /** Another attempt of the same call: its request has the former one's From tag and counts on its CSeq. */
  readonly previous?: SipRequest;
  readonly headers?: readonly HeaderPair[];
  /** Offer; undefined for an offerless INVITE. */
  readonly sdp?: string;
}

/** Early dialogs of one INVITE: what SIP Server forks to, and no endless row of made-up tags. */
const maximumForks = 32;

type InviteUser = Pick<SessionUser, "onProvisional" | "onAnswered" | "onFailed">;
const nobody: InviteUser = { onProvisional() {}, onAnswered() {}, onFailed() {} };

/** An INVITE we send, with digest, CANCEL and forking (RFC 3261 13.2), up to its final response. */
export class OutgoingInvite {
  readonly session: Session;
  readonly callId: string;
  readonly #context: SessionContext;
  readonly #provisionals = new ReceivedProvisionals();
  readonly #parts: SessionParts;
  #user: InviteUser;
  #request: SipRequest;
  #pending: PendingRequest;
  #cancelled: string | undefined;
  #final = false;
  /** To tags of the early dialogs. */
  readonly #forks = new Set<string>();
  #reached = false;

  constructor(context: SessionContext, flow: Flow, target: InviteTarget, parts: SessionParts) {
    this.#context = context;
    this.#parts = parts;
    this.#user = parts.user;
    this.callId = target.callId;
    this.session = new Session(context, { role: "uac", ...parts });
    // Not allowed to the called side (RFC 3261 15), but its meaning is plain.
    this.session.onEarlyBye = () => this.cancel();
    this.session.localSdp = target.sdp;
    this.#request = createInvite(
      target,
      parts.identity,
      target.previous?.from.tag ?? randomId(context.random),
      this.session.refresh.headers(),
    );
    this.#pending = this.#send(flow);
  }

  #send(flow: Flow): PendingRequest {
    let { sequence } = this.#request.cseq;
    return sendAuthenticated(
      this.#context.transactions,
      this.#request,
      flow,
      {
        onRepeat: (request) => this.#repeated(request),
        onResponse: (response) => this.#receive(response, flow),
        onTimeout: () => this.#fail(this.#silence()),
        onTransportError: (error) =>
          this.#fail({ status: 503, reason: `transport: ${error.message}`, unreachable: true }),
      },
      this.#parts.authentication,
      () => ++sequence,
    );
  }

  /** Our INVITE goes out again, with credentials or a longer session interval. */
  #repeated(request: SipRequest): void {
    this.#request = request;
    this.session.dropDialogs();
    this.session.noteInvite(request);
  }

  /** True until a final response came. */
  get pending(): boolean {
    return !this.#final;
  }

  /** True once any response came, 100 included. */
  get reached(): boolean {
    return this.#reached;
  }

  /** The INVITE as it was sent last. */
  get request(): SipRequest {
    return this.#request;
  }

  /** Gives up: CANCEL, and BYE if a 2xx crosses it. `onFailed` with 487 follows. Idempotent. */
  cancel(reasonHeader?: string): void {
    if (this.#final || this.#cancelled !== undefined) return;
    this.#cancelled = reasonHeader ?? "";
    this.#pending.cancel(reasonHeader);
  }

  /** As `cancel`, and the user hears no more of it. */
  leave(reasonHeader?: string): void {
    this.#user = nobody;
    this.cancel(reasonHeader);
  }

  #receive(response: SipResponse, flow: Flow): void {
    this.#reached = true;
    if (response.status === 100) return;
    if (response.status < 200) return this.#provisional(response);
    // 422: the called side wants a longer session interval than we offered.
    if (!this.#final && this.#cancelled === undefined && this.session.refresh.raise(response)) {
      const { refresh } = this.session;
      const { sequence } = this.#request.cseq;
      const credentials = ["authorization", "proxy-authorization"];
      this.#repeated(repeatOf(this.#request, sequence + 1, refresh.headers(), credentials));
      this.#pending = this.#send(flow);
      return;
    }
    if (response.status >= 300) return this.#fail(failureOf(response));
    if (this.#final) return this.#furtherAnswer(response);
    this.#final = true;
    this.#useDialogOf(response);
    this.session.answered(response);
    if (this.#cancelled === undefined) return this.#user.onAnswered(response);
    // The 200 crossed our CANCEL (RFC 3261 9.1): acknowledge, then hang up.
    this.session.acknowledge(response.cseq.sequence);
    this.session.bye(this.#cancelled === "" ? [] : [["Reason", this.#cancelled]]);
    this.#user.onFailed({ status: 487, reason: "cancelled while being answered" });
  }

  #provisional(response: SipResponse): void {
    if (this.#final) return;
    if (response.to.tag !== undefined && !this.#mayFork(response)) return;
    this.session.refresh.note(response);
    const rseq = response.to.tag === undefined ? undefined : reliableNumber(response);
    if (rseq !== undefined && !this.#acknowledge(response, rseq)) return;
    if (this.#cancelled === undefined) this.#user.onProvisional(response);
  }

  /** PRACK (RFC 3262 4), without a body as our INVITE had the offer. False for a repeat or one out of turn. */
  #acknowledge(response: SipResponse, rseq: number): boolean {
    const { session } = this;
    if (!this.#provisionals.takes(session.dialog?.key ?? "", rseq)) return false;
    const { sequence, method } = response.cseq;
    session.request("PRACK", [["RAck", `${rseq} ${sequence} ${method}`], ...session.identity.headers]);
    // The answer to our offer, and it cannot get lost: further offers are free (RFC 3311 5.1).
    if (response.body.length > 0) session.firstExchange = "free";
    return true;
  }

  /** Takes the early dialog over; false when a peer makes up one after the other. */
  #mayFork(response: SipResponse): boolean {
    const tag = response.to.tag ?? "";
    if (!this.#forks.has(tag) && this.#forks.size >= maximumForks) return false;
    this.#forks.add(tag);
    this.#useDialogOf(response);
    return true;
  }

  #useDialogOf(response: SipResponse): void {
    this.session.useDialog(dialogOfUac(this.#request, response));
  }

  /** A repeated 2xx gets its ACK again; another branch's 2xx is acknowledged and hung up (13.2.2.4). */
  #furtherAnswer(response: SipResponse): void {
    const dialog = dialogOfUac(this.#request, response);
    if (dialog.key === this.session.dialog?.key) {
      this.session.repeatAck(response.cseq.sequence);
      return;
    }
    const flow = this.session.route.flow(dialog.nextHop);
    if (!flow) return;
    const { transactions } = this.#context;
    transactions.sendAck(dialog.createAck(response.cseq.sequence), flow);
    transactions.request(dialog.createRequest("BYE"), flow, nobodyWaits);
  }

  /** After a CANCEL the layer waits 64*T1 for the 487 that should follow (RFC 3261 9.1). */
  #silence(): SessionFailure {
    return this.#cancelled === undefined
      ? { status: 408, reason: "INVITE not answered in time" }
      : { status: 487, reason: "cancelled" };
  }

  #fail(failure: SessionFailure): void {
    if (this.#final) return;
    this.#final = true;
    this.session.close();
    this.#user.onFailed(failure);
  }
}

function createInvite(
  target: InviteTarget,
  identity: SessionIdentity,
  fromTag: string,
  timer: readonly HeaderPair[],
): SipRequest {
  const headers: HeaderPair[] = [
    ["Max-Forwards", "70"],
    ["From", `${target.from};tag=${fromTag}`],
    ["To", target.to],
    ["Call-ID", target.callId],
    ["CSeq", `${(target.previous?.cseq.sequence ?? 0) + 1} INVITE`],
    ["Contact", identity.contact],
    ...identity.headers,
    ...timer,
    ...(target.headers ?? []),
  ];
  if (target.sdp !== undefined) headers.push(["Content-Type", "application/sdp"]);
  return createRequest({
    method: "INVITE",
    uri: target.uri,
    headers,
    ...(target.sdp === undefined ? {} : { body: target.sdp }),
  });
}

function failureOf(response: SipResponse): SessionFailure {
  const header = response.headers.get("Reason");
  return {
    status: response.status,
    reason: response.reason,
    response,
    ...(header === undefined ? {} : { header }),
  };
}
