import type { Logger } from "../../core/index.ts";
import type { SipPresence } from "../../registrar/index.ts";
import type { ServerTransaction, SipRequest } from "../../sip/index.ts";
import { CallFromAgent } from "../call/call-from-agent.ts";
import { resumeHeader } from "../clients/resume-ticket.ts";
import type { MakeCallingLeg } from "../legs/agent-leg.ts";
import { capabilitiesOf, type MethodTable } from "../legs/methods.ts";
import { browserTerms } from "../legs/session-terms.ts";
import { dialledNumber } from "../outbound/dialled-number.ts";
import { plainOutbound, readDialled } from "../outbound/outbound-policy.ts";
import { answerWith } from "./admission.ts";
import { answerOptions, takeRequest, type UasParts } from "./uas.ts";

/** Browsers' requests outside any dialog; REGISTER goes to the registrar instead. */
export class BrowserUas {
  readonly #parts: UasParts;
  readonly #log: Logger;
  readonly #table: MethodTable;

  constructor(parts: UasParts, log: Logger) {
    this.#parts = parts;
    this.#log = log;
    this.#table = {
      INVITE: (_request, transaction) => this.#invite(transaction),
      OPTIONS: (request, transaction) => answerOptions(parts, request, transaction),
    };
  }

  receive(request: SipRequest, transaction: ServerTransaction): void {
    const methods = [...Object.keys(this.#table), "REGISTER"];
    const { userAgent } = this.#parts.services();
    const capabilities = capabilitiesOf(methods, [], userAgent, browserTerms.options);
    takeRequest({ table: this.#table, terms: browserTerms, capabilities }, request, transaction);
  }

  #invite(transaction: ServerTransaction): void {
    const { admission, calls, legs, lines, registrar, services } = this.#parts;
    const { request } = transaction;
    const refuse = (status: number, reason: string): void =>
      admission.refuse(transaction, { status, reason });
    if (admission.refuseInvite(transaction)) return;
    const presence = registrar.findByFlow(transaction.flow);
    if (!presence) return refuse(403, "Register First");
    if (request.from.uri.user !== presence.dn) return refuse(403, "From Is Not Your DN");
    const token = request.headers.get(resumeHeader);
    if (token !== undefined) return this.#resume(presence, token, transaction);
    if (admission.refuseDraining(transaction)) return;
    if (lines.full(presence.dn)) return refuse(486, "Too Many Calls");
    const number = dialledNumber(request.uri, registrar);
    if (number === undefined) return refuse(404, "GRUU Is Not Valid");
    const dialled = readDialled(services().outbound ?? plainOutbound, request, number);
    const makeLeg: MakeCallingLeg = (user) => legs.sip.take(presence, transaction, user);
    calls.begin(new CallFromAgent(services(), presence, { number, dialled }, makeLeg));
  }

  /** A page that was loaded anew takes the call over that the page before it had; nobody else's call can be meant. */
  #resume(presence: SipPresence, token: string, transaction: ServerTransaction): void {
    const { calls, legs } = this.#parts;
    const { request } = transaction;
    const call = calls.of(presence).find((one) => one.admits(token));
    if (!call) {
      this.#log.warn({ dn: presence.dn }, "no call can be resumed by this token");
      return answerWith(transaction, { status: 481, reason: "No Such Call To Resume" });
    }
    const sdp = request.contentType === "application/sdp" ? request.body.toString("utf8") : "";
    call.attach(sdp, (user) => legs.sip.take(presence, transaction, user).leg);
  }
}
