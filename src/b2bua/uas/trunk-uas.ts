import { createResponse, readRefer, type ServerTransaction, type SipRequest } from "../../sip/index.ts";
import { CallByRefer } from "../call/call-by-refer.ts";
import { CallToAgent } from "../call/call-to-agent.ts";
import { eventOf } from "../clients/message-waiting.ts";
import type { MethodTable } from "../legs/methods.ts";
import { defaultTrunkTerms } from "../legs/session-terms.ts";
import { trunkCapabilities } from "../legs/trunk-methods.ts";
import { numberOf } from "../transfer/index.ts";
import { answerWith } from "./admission.ts";
import { answerOptions, takeRequest, type UasParts } from "./uas.ts";

/** SIP Server's requests outside any dialog. */
export class TrunkUas {
  readonly #parts: UasParts;
  readonly #table: MethodTable;

  constructor(parts: UasParts) {
    this.#parts = parts;
    this.#table = {
      INVITE: (_request, transaction) => this.#invite(transaction),
      OPTIONS: (request, transaction) => answerOptions(parts, request, transaction),
      NOTIFY: (request, transaction) => this.#notify(request, transaction),
      REFER: (_request, transaction) => this.#refer(transaction),
    };
  }

  receive(request: SipRequest, transaction: ServerTransaction): void {
    const { userAgent, trunkTerms: terms = defaultTrunkTerms } = this.#parts.services();
    const capabilities = trunkCapabilities(userAgent, terms);
    takeRequest({ table: this.#table, terms, capabilities }, request, transaction);
  }

  #invite(transaction: ServerTransaction): void {
    const { admission, calls, legs, lines, services } = this.#parts;
    const { request } = transaction;
    if (admission.refuseInvite(transaction)) return;
    if (request.headers.has("Replaces")) return this.#replace(transaction);
    if (admission.refuseDraining(transaction)) return;
    const presence = lines.called(request);
    if ("status" in presence) return admission.refuse(transaction, presence);
    calls.begin(new CallToAgent(services(), presence, legs, transaction));
  }

  /** INVITE with Replaces: no new call, but another leg of a running one. */
  #replace(transaction: ServerTransaction): void {
    const found = this.#parts.calls.replacedBy(transaction.request);
    if ("status" in found) answerWith(transaction, found);
    else found.transfers.replace(transaction);
  }

  /** The DN is to call somebody. */
  #refer(transaction: ServerTransaction): void {
    const { admission, calls, legs, lines, services } = this.#parts;
    const { request } = transaction;
    if (admission.refuseClosing(transaction)) return;
    const wish = readRefer(request);
    if ("status" in wish) return answerWith(transaction, wish, wish.headers);
    if (admission.refuseDraining(transaction)) return;
    const number = numberOf(wish.target);
    if (number === undefined)
      return answerWith(transaction, { status: 400, reason: "No Number In Refer-To" });
    const presence = lines.called(request);
    if ("status" in presence) return answerWith(transaction, presence);
    calls.begin(new CallByRefer(services(), presence, legs, transaction, wish, number));
  }

  /** Message waiting; of a dialog there is none. */
  #notify(request: SipRequest, transaction: ServerTransaction): void {
    const summary = eventOf(request) === "message-summary";
    transaction.respond(createResponse(request, summary ? 200 : 481));
    if (!summary) return;
    this.#parts.services().onMessageSummary(request.uri.user ?? request.to.uri.user ?? "", request);
  }
}
