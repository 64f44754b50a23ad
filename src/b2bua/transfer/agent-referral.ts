import type { Timer } from "../../core/index.ts";
import { parseUri, referLifetimeSeconds, replacesValue } from "../../sip/index.ts";
import type { IncomingRefer, ReferNotifier } from "../../sip/index.ts";
import type { LegEnd } from "../legs/agent-leg.ts";
import type { ReferUser } from "../legs/leg-refers.ts";
import { userPartOf } from "../outbound/number-rules.ts";
import type { TrunkLeg } from "../legs/trunk-leg.ts";
import { plainOutbound, readNumber } from "../outbound/outbound-policy.ts";
import type { TransferCall } from "./transfer-call.ts";

interface Referral {
  readonly notifier: ReferNotifier;
  readonly patience: Timer;
  /** SIP Server took the REFER. */
  taken: boolean;
}

/** In place of a Refer-To: the Replaces names no dialog of the agent's. */
const unknownDialog = "";

/**
 * REFER of the browser's: passed on to SIP Server in the call's own dialog, its target rewritten to SIP Server, and a
 * Replaces of one of the agent's own calls to that call's dialog there. What SIP Server tells of it goes to the
 * browser; SIP Server ends the legs when it is done.
 */
export class AgentReferral {
  readonly #call: TransferCall;
  #running: Referral | undefined;

  constructor(call: TransferCall) {
    this.#call = call;
  }

  receive(refer: IncomingRefer): void {
    const call = this.#call;
    if (this.#running || call.state() !== "established") return refer.refuse(491);
    const trunk = call.trunk();
    const referTo = this.#referTo(refer, trunk);
    if (typeof referTo !== "string") return refer.refuse(referTo.status, referTo.reason);
    const notifier = refer.accept();
    // Not as the answer to the REFER: 481 within a dialog would end the browser's call (RFC 3261 12.2.1.2).
    if (referTo === unknownDialog) return notifier.notify(481);
    if (!trunk.allows("REFER")) return notifier.notify(405, "SIP Server Takes No REFER");
    const patience = call.options.context.clock.setTimer(referLifetimeSeconds * 1000, () => this.#over(408));
    const running = { notifier, patience, taken: false };
    this.#running = running;
    call.log.info({ referTo }, "agent refers the call");
    trunk.refer(referTo, this.#userOf(running));
  }

  /** The call's leg at SIP Server is over, or another took its place: a REFER it had taken has done its work. */
  trunkEnded(): void {
    if (this.#running) this.#over(this.#running.taken ? 200 : 487);
  }

  /** Idempotent. */
  close(): void {
    this.#over(487);
  }

  /** Refer-To for SIP Server: a number at its own host, or one of the agent's other calls; what refuses it. */
  #referTo({ target }: IncomingRefer, trunk: TrunkLeg): string | LegEnd {
    const { replaces } = target;
    if (!replaces) {
      const number = this.#call.dialled(target.uri);
      if (number === undefined) return { status: 400, reason: "GRUU Is Not Valid" };
      if (number === "") return { status: 400, reason: "No Number In Refer-To" };
      const wanted = readNumber(this.#call.options.outbound ?? plainOutbound, number);
      // Of the statuses that rules have, 484 would tell some stacks that the dialog is no more (RFC 5057 5.1).
      if (!wanted.allowed) return { status: 403, reason: wanted.end.reason };
      return `<sip:${userPartOf(wanted.number)}@${trunk.serverHost}>`;
    }
    const other = this.#call.otherLeg(replaces);
    const dialog = other?.dialog;
    if (!dialog || dialog.remoteTag === "" || other === trunk) return unknownDialog;
    const uri = parseUri(dialog.remoteTarget);
    const user = uri?.user === undefined ? "" : `${uri.user}@`;
    // At SIP Server its own tag is the local one (RFC 3891 3).
    const value = replacesValue({
      callId: dialog.callId,
      toTag: dialog.remoteTag,
      fromTag: dialog.localTag,
      earlyOnly: false,
    });
    return `<sip:${user}${other.serverHost}?Replaces=${encodeURIComponent(value)}>`;
  }

  #userOf(running: Referral): ReferUser {
    return {
      onAnswer: (status, reason) => {
        if (status < 300) running.taken = true;
        else if (this.#running === running) this.#over(status, reason);
      },
      onNotice: (status, reason, last) => {
        if (this.#running !== running) return;
        // A NOTIFY may overtake the 202.
        running.taken = true;
        if (status !== undefined && status < 200 && !last) running.notifier.notify(status, reason);
        else if (last || status !== undefined)
          this.#over(status === undefined || status < 200 ? 500 : status);
      },
    };
  }

  #over(status: number, reason?: string): void {
    const running = this.#running;
    this.#running = undefined;
    if (!running) return;
    running.patience.clear();
    this.#call.trunk().forgetRefer();
    running.notifier.notify(status, reason);
    this.#call.log.info({ status }, "agent's transfer is over");
  }
}
