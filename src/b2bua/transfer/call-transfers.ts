import type { IncomingRefer, Replaces, ServerTransaction, SessionState } from "../../sip/index.ts";
import type { LegEnd } from "../legs/agent-leg.ts";
import { noticeOfParty } from "./party-notice.ts";
import type { TrunkLeg } from "../legs/trunk-leg.ts";
import { AgentReferral } from "./agent-referral.ts";
import { FormerLegs } from "./former-legs.ts";
import { replaceTrunk } from "./replacement.ts";
import type { TransferCall, TrunkExchange } from "./transfer-call.ts";
import { TrunkReferral } from "./trunk-referral.ts";

/** Enough for every transfer of a call, and no endless row. */
const maximumFormerCallIds = 16;

/** All transfers of one call: REFER of either side, INVITE with Replaces, and the legs they leave behind. */
export class CallTransfers {
  readonly #call: TransferCall;
  readonly #fromTrunk: TrunkReferral;
  readonly #fromAgent: AgentReferral;
  readonly #former: FormerLegs;
  readonly #formerCallIds: string[] = [];
  #party: string | undefined;

  constructor(call: TransferCall) {
    this.#call = call;
    const exchange = (next: TrunkLeg, how: TrunkExchange): void => this.#exchangeTrunk(next, how);
    this.#fromTrunk = new TrunkReferral(call, exchange);
    this.#fromAgent = new AgentReferral(call);
    this.#former = new FormerLegs(call.options.context.clock);
  }

  /** Number of the party that the last transfer put in its place; undefined when there was none. */
  get party(): string | undefined {
    return this.#party;
  }

  /** Call-IDs of SIP Server's legs that were exchanged, in order. */
  get formerCallIds(): readonly string[] {
    return this.#formerCallIds;
  }

  /** SIP Server's leg of this call, when its browser knows the call by this dialog. */
  trunkBehind(replaces: Replaces): TrunkLeg | undefined {
    const call = this.#call;
    return call.state() !== "ended" && call.agent()?.isDialog(replaces) ? call.trunk() : undefined;
  }

  /** Where SIP Server's dialog stands that a Replaces names; undefined when it is not this call's. */
  standingOf(replaces: Replaces): SessionState | undefined {
    // What was exchanged is over, though its BYE may still be on its way.
    if (this.#formerCallIds.includes(replaces.callId)) return "terminated";
    const standing = this.#call.trunk().standingOf(replaces);
    return standing && this.#call.state() === "ended" ? "terminated" : standing;
  }

  /** INVITE of SIP Server's with a Replaces that means this call. */
  replace(transaction: ServerTransaction): void {
    replaceTrunk(this.#call, transaction, (next, how) => this.#exchangeTrunk(next, how));
  }

  /** REFER within SIP Server's dialog. */
  fromTrunk(refer: IncomingRefer): void {
    this.#fromTrunk.receive(refer);
  }

  /** REFER within the browser's dialog. */
  fromAgent(refer: IncomingRefer): void {
    this.#fromAgent.receive(refer);
  }

  /** Another dialog of SIP Server's takes the place of the present one; the browser's stays. */
  #exchangeTrunk(next: TrunkLeg, { party, staysMs, holdTold }: TrunkExchange): void {
    const call = this.#call;
    const former = call.trunk();
    call.log.info(
      { from: former.callId, to: next.callId, party: party.number },
      "SIP Server's leg exchanged",
    );
    call.setTrunk(next);
    next.succeed(former);
    next.handTo(call.runningEvents());
    this.#formerCallIds.push(former.callId);
    if (this.#formerCallIds.length > maximumFormerCallIds) this.#formerCallIds.shift();
    this.#party = party.number;
    call.offers.trunkExchanged(holdTold);
    // Transfers that lived in the former leg are over.
    this.#fromTrunk.close();
    this.#fromAgent.trunkEnded();
    this.#former.leave(former, staysMs);
    call.tell(noticeOfParty(party, next.callUuid, next.serverHost));
  }

  /** SIP Server's leg is over. True when the call lives on because a target is still being called. */
  trunkEnded(end: LegEnd): boolean {
    this.#fromAgent.trunkEnded();
    return this.#fromTrunk.trunkEnded(end);
  }

  /** The call is over. Idempotent. */
  close(end: LegEnd): void {
    this.#fromTrunk.close();
    this.#fromAgent.close();
    this.#former.close(end);
  }
}
