import { StateMachine, type Clock, type Logger, type Timer, type Transitions } from "../../core/index.ts";
import { failedMakeCallSdp, genesysForm } from "../media/sdp.ts";
import { patienceMs, type OutgoingRequest } from "../wire/client-transaction.ts";
import type { ServerTransaction } from "../wire/server-transaction.ts";
import { cseqNumber, type Header, type SipMessage } from "../wire/text.ts";
import type { Transactions } from "../wire/transactions.ts";
import type { Dialog } from "./dialog.ts";
import { InviteExchange } from "./invite-exchange.ts";
import { IncomingRequests } from "./incoming-requests.ts";
import {
  allowInitial,
  allowLater,
  answerHeaders,
  inviteHeaders,
  notifyHeaders,
  rackOf,
  reasonHeaders,
  refreshAfterMs,
  statusTold,
} from "./leg-headers.ts";
import type { CalledListener, EndCause, OfferResult, Party, PartyOwner } from "./party.ts";

export type LegState = "calling" | "early" | "answered" | "confirmed" | "terminated";
type LegInput = "ring" | "answer" | "ack" | "end";

/** `answered`: 2xx sent or got, ACK not yet. */
const transitions: Transitions<LegState, LegInput> = {
  calling: { ring: "early", answer: "answered", end: "terminated" },
  early: { ring: "early", answer: "answered", end: "terminated" },
  answered: { ack: "confirmed", end: "terminated" },
  confirmed: { end: "terminated" },
  terminated: {},
};

export interface LegDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly transactions: Transactions;
  readonly owner: PartyOwner;
  readonly callUuid: string;
  /** Seconds offered as Session-Expires. */
  readonly sessionExpires: number;
  /** More headers of the first INVITE: call data such as P-Asserted-Identity. */
  readonly headers?: readonly Header[];
  /** The leg no longer takes requests. */
  readonly gone: (leg: AgentLeg) => void;
}

/** SIP Server's dialog with one agent's endpoint. */
export class AgentLeg implements Party {
  readonly name: string;
  readonly dialog: Dialog;
  /** True where the endpoint has called us. */
  readonly inbound: boolean;
  readonly #deps: LegDeps;
  readonly #state: StateMachine<LegState, LegInput>;
  readonly #incoming: IncomingRequests;
  #sessionId: number;
  #version = 0;
  #exchange: InviteExchange | undefined;
  #invite: ServerTransaction | undefined;
  #offerless = false;
  /** RSeq of the last reliable provisional. */
  #rseq = 0;
  /** Waits for the final status of our REFER. */
  #referred: ((status: number) => void) | undefined;
  #byeAfterAck: EndCause | undefined;
  #refresh: Timer | undefined;
  /** Ends the promises still open when the leg ends. */
  readonly #unsettled = new Set<() => void>();
  /** X-Genesys-CallUUID of coming requests; may change within a call (consult, transfer). */
  callUuid: string;
  /** Last description sent to the endpoint, and got from it. */
  lastSent: string | undefined;
  lastReceived: string | undefined;

  constructor(name: string, dialog: Dialog, deps: LegDeps, invite?: ServerTransaction) {
    this.name = name;
    this.dialog = dialog;
    this.inbound = invite !== undefined;
    this.#invite = invite;
    this.#deps = deps;
    this.callUuid = deps.callUuid;
    this.#state = new StateMachine(transitions, "calling", deps.log);
    this.#sessionId = Math.floor(deps.clock.wallClock() / 1000);
    this.#incoming = new IncomingRequests(this, deps.owner);
    if (invite) {
      this.lastReceived = invite.request.body || undefined;
      dialog.remoteCseq = cseqNumber(invite.request);
    }
  }

  get state(): LegState {
    return this.#state.state;
  }

  // ---- we call the endpoint -------------------------------------------------------------------------------

  call(offer: string | undefined, listener: CalledListener): void {
    this.#offerless = offer === undefined;
    const invite = this.dialog.request("INVITE", {
      extra: [...this.#inviteHeaders(allowInitial), ...(this.#deps.headers ?? [])],
      body: offer === undefined ? undefined : this.describe(offer),
    });
    this.#exchange = new InviteExchange(this.dialog, this.#deps.transactions, invite, {
      provisional: (response) => {
        if (response.status === 100 || this.state === "terminated") return;
        this.dialog.learn(response);
        if (!this.#state.apply("ring")) return;
        this.#prack(response);
        if (response.body !== "") this.lastReceived = response.body;
        listener.progress(response.status === 183 ? 183 : 180, response.body || undefined);
      },
      success: (response) => this.#called(response, listener),
      failure: (status, reason) => {
        if (this.state !== "terminated") this.#finish();
        listener.failed(status, reason);
      },
    });
  }

  #called(response: SipMessage, listener: CalledListener): void {
    this.dialog.learn(response);
    if (!this.#state.apply("answer")) {
      // CANCEL and 200 crossed: the call is answered and ended at once.
      this.#exchange?.acknowledge(this.#offerless ? this.describe(failedMakeCallSdp) : undefined);
      this.#bye({ text: "cancelled" });
      return;
    }
    if (response.body !== "") this.lastReceived = response.body;
    this.#noteSessionTimer(response);
    listener.answered(response.body);
  }

  acknowledge(answer: string | undefined): void {
    this.#exchange?.acknowledge(answer === undefined ? undefined : this.describe(answer));
    if (this.state === "answered") this.#state.apply("ack");
  }

  // ---- the endpoint calls us ------------------------------------------------------------------------------

  /** Whether the endpoint's INVITE carried an offer. */
  get offered(): boolean {
    return this.#invite !== undefined && this.#invite.request.body !== "";
  }

  progress(status: 180 | 183, sdp: string | undefined): void {
    if (!this.#state.accepts("ring")) return;
    this.#state.apply("ring");
    this.#respond(status, status === 180 ? "Ringing" : "Session Progress", sdp);
  }

  accept(sdp: string): void {
    if (!this.#invite || !this.#state.apply("answer")) return;
    this.#invite.onUnacknowledged = () => {
      this.#bye({ text: "no ACK" });
      this.#deps.gone(this);
      this.#lost({ text: "our 200 was never acknowledged" });
    };
    this.#respond(200, "OK", sdp);
  }

  /** ACK of a 2xx of ours, the first INVITE's or a re-INVITE's. */
  acknowledged(ack: SipMessage): void {
    if (this.#incoming.acknowledged(ack) || cseqNumber(ack) !== this.#inviteCseq()) return;
    this.#invite?.acknowledged();
    if (this.state === "answered") {
      this.#state.apply("ack");
      if (ack.body !== "") this.lastReceived = ack.body;
      this.#deps.owner.partyRenegotiated(this, ack.body || undefined);
    } else if (this.#byeAfterAck) {
      this.#bye(this.#byeAfterAck);
      this.#byeAfterAck = undefined;
      this.#deps.gone(this);
    }
  }

  /** CANCEL of the INVITE; answers it with 487 unless it is answered already. */
  cancelled(): void {
    if (!this.#invite || this.#invite.answered) return;
    this.#respond(487, "Request Terminated", undefined);
    this.#lost({ text: "cancelled by the caller" });
  }

  // ---- running call ---------------------------------------------------------------------------------------

  /** Any request inside the dialog but ACK and CANCEL. */
  receive(transaction: ServerTransaction): void {
    this.#incoming.receive(transaction);
  }

  /** The endpoint sent BYE, or is gone. */
  remoteEnded(cause: EndCause): void {
    this.#lost(cause);
  }

  async askOffer(): Promise<OfferResult> {
    return this.#reinvite(undefined);
  }

  async giveOffer(sdp: string): Promise<OfferResult> {
    return this.#reinvite(this.describe(sdp));
  }

  /** The session refresh of RFC 4028: what was last said, said again, same o= version. */
  async repeatOffer(): Promise<OfferResult> {
    return this.#reinvite(this.lastSent);
  }

  /**
   * NOTIFY with `Event: talk`, `hold`, `dtmf`, `beep` ... inside the dialog, early or confirmed; resolves with
   * the final status (408 where no answer came, which ends the call).
   */
  async notify(
    event: string,
    body?: { readonly type: string; readonly text: string },
    state = "active",
  ): Promise<number> {
    const request = this.dialog.request("NOTIFY", {
      extra: notifyHeaders(this.dialog.contact, this.callUuid, event, state),
      ...(body ? { contentType: body.type, body: body.text } : {}),
    });
    return this.#ask(request, `NOTIFY ${event}`);
  }

  /** INFO (RFC 6086) inside the dialog; resolves as `notify`. */
  async info(body: { readonly type: string; readonly text: string }): Promise<number> {
    const extra: Header[] = [this.dialog.contact, ["Max-Forwards", "70"]];
    return this.#ask(this.dialog.request("INFO", { extra, contentType: body.type, body: body.text }), "INFO");
  }

  async #ask(request: OutgoingRequest, name: string): Promise<number> {
    return this.#settling<number>(487, (resolve) => {
      this.#deps.transactions.start(request, this.dialog.target, {
        final: (response) => {
          resolve(response.status);
          if (response.status === 481) this.#lost({ text: "endpoint does not know the dialog" }, true);
        },
        timeout: () => {
          resolve(408);
          this.#lost({ text: `${name} unanswered` }, true);
        },
      });
    });
  }

  /** NOTIFY of how the endpoint's REFER goes. */
  async tellRefer(status: number, reason: string): Promise<number> {
    const state = status < 200 ? "active;expires=60" : "terminated;reason=noresource";
    const body = { type: "message/sipfrag", text: `SIP/2.0 ${status} ${reason}\r\n` };
    return this.state === "confirmed" ? this.notify("refer", body, state) : 481;
  }

  /** Sends REFER; resolves with its refusal, or with the final status that NOTIFYs tell (408: none came). */
  async refer(referTo: string): Promise<number> {
    const { contact } = this.dialog;
    const extra: Header[] = [
      contact,
      ["Max-Forwards", "70"],
      ["X-Genesys-CallUUID", this.callUuid],
      ["Refer-To", referTo],
      ["Referred-By", contact[1]],
    ];
    return this.#settling<number>(487, (resolve) => {
      this.#referred = resolve;
      this.#deps.transactions.start(this.dialog.request("REFER", { extra }), this.dialog.target, {
        final: ({ status }) => {
          if (status >= 300) resolve(status);
        },
        timeout: () => resolve(408),
      });
    });
  }

  referTold(notify: SipMessage): void {
    const status = statusTold(notify);
    if (status >= 200) this.#referred?.(status);
  }

  end(cause: EndCause): void {
    const { state } = this;
    if (state === "terminated") return;
    this.#finish(this.inbound && state === "answered");
    if (state === "confirmed") return this.#bye(cause);
    if (this.inbound && state === "answered") {
      // RFC 3261 15.1.1: no BYE from the callee before the ACK.
      this.#byeAfterAck = cause;
    } else if (this.inbound)
      this.#respond(cause.status ?? 480, cause.reason ?? "Temporarily Unavailable", undefined);
    else if (state === "answered") {
      // A failed make call: stand-in answer and BYE in one millisecond (site-environment 3.2).
      this.#exchange?.acknowledge(this.#offerless ? this.describe(failedMakeCallSdp) : undefined);
      this.#bye(cause);
    } else this.#exchange?.cancel(reasonHeaders(cause));
  }

  /** A description in SIP Server's form, its version one higher than the last. */
  describe(sdp: string): string {
    this.lastSent = genesysForm(sdp, this.#sessionId, ++this.#version);
    return this.lastSent;
  }

  /** Lets the coming descriptions carry another o= session id, as some devices do (genesys-sip-server 4). */
  changeSessionId(): void {
    this.#sessionId++;
    this.#version = 0;
  }

  async #reinvite(body: string | undefined): Promise<OfferResult> {
    if (this.state !== "confirmed") return { ok: false, status: 481, reason: "no confirmed dialog" };
    const invite = this.dialog.request("INVITE", {
      extra: this.#inviteHeaders(allowLater),
      bareHost: true,
      body,
    });
    return this.#settling<OfferResult>({ ok: false, status: 487, reason: "call ended" }, (resolve) => {
      const exchange = new InviteExchange(this.dialog, this.#deps.transactions, invite, {
        success: (response) => {
          this.dialog.learn(response);
          this.lastReceived = response.body || this.lastReceived;
          if (body !== undefined || this.state === "terminated") exchange.acknowledge(undefined);
          this.#noteSessionTimer(response);
          resolve({ ok: true, sdp: response.body });
        },
        failure: (status, reason) => {
          resolve({ ok: false, status, reason });
          if (status === 408 || status === 481) this.#lost({ text: `re-INVITE: ${status} ${reason}` }, true);
        },
      });
      this.#exchange = exchange;
    });
  }

  /** A promise that settles with `over` at the latest when the leg ends. */
  #settling<T>(over: T, start: (resolve: (value: T) => void) => void): Promise<T> {
    return new Promise((resolve) => {
      const giveUp = (): void => resolve(over);
      this.#unsettled.add(giveUp);
      start((value) => {
        this.#unsettled.delete(giveUp);
        resolve(value);
      });
    });
  }

  #inviteHeaders(allow: string): Header[] {
    return inviteHeaders(this.dialog.contact, this.callUuid, allow, this.#deps.sessionExpires);
  }

  #inviteCseq(): number {
    return this.#invite ? cseqNumber(this.#invite.request) : -1;
  }

  #respond(status: number, reason: string, sdp: string | undefined): void {
    if (!this.#invite) return;
    const extra = answerHeaders(this.#invite.request, status, this.dialog.contact, this.callUuid);
    const body = sdp === undefined ? undefined : this.describe(sdp);
    this.#invite.respond({ status, reason, toTag: this.dialog.localTag, extra, body });
  }

  /** Where the endpoint agreed to session timers with us as refresher, we refresh at half time. */
  #noteSessionTimer(response: SipMessage): void {
    this.#refresh?.clear();
    const ms = refreshAfterMs(response);
    if (ms !== undefined)
      this.#refresh = this.#deps.clock.setTimer(ms, () => this.#deps.owner.refreshDue(this));
  }

  /** We say `100rel`, so an endpoint may ask for a PRACK of its provisional; each is sent once. */
  #prack(response: SipMessage): void {
    const reliable = rackOf(response);
    if (!reliable || reliable.rseq <= this.#rseq) return;
    this.#rseq = reliable.rseq;
    const extra: Header[] = [
      ["Max-Forwards", "70"],
      ["RAck", reliable.rack],
    ];
    const prack = this.dialog.request("PRACK", { extra });
    this.#deps.transactions.start(prack, this.dialog.target, { final() {}, timeout() {} });
  }

  #bye(cause: EndCause): void {
    const bye = this.dialog.request("BYE", {
      extra: [["Max-Forwards", "70"], ["X-Genesys-CallUUID", this.callUuid], ...reasonHeaders(cause)],
      bareHost: true,
    });
    this.#deps.transactions.start(bye, this.dialog.target, { final() {}, timeout() {} });
  }

  /** The dialog ended without us: by the endpoint, or (`tell`) by its silence, which BYE makes certain. */
  #lost(cause: EndCause, tell = false): void {
    const { state } = this;
    if (state === "terminated") return;
    this.#finish();
    if (tell && state === "confirmed") this.#bye(cause);
    else if (tell && !this.inbound) this.#exchange?.cancel(reasonHeaders(cause));
    this.#deps.owner.partyEnded(this, cause);
  }

  #finish(keepForAck = false): void {
    this.#state.apply("end");
    this.#refresh?.clear();
    this.#incoming.close();
    for (const giveUp of this.#unsettled) giveUp();
    this.#unsettled.clear();
    if (!keepForAck) this.#deps.gone(this);
  }
}

/** How long an un-ACKed 2xx of a make call is waited on: just under 64 * T1 (site-environment 3.2: 31.95 s). */
export const connectedTimeoutMs = patienceMs - 50;
