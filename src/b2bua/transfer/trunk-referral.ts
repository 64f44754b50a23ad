import type { Timer } from "../../core/index.ts";
import { referLifetimeSeconds, replacesValue } from "../../sip/index.ts";
import type { HeaderPair, IncomingRefer, ReferNotifier, ReferTarget, ReferWish } from "../../sip/index.ts";
import type { LegEnd } from "../legs/agent-leg.ts";
import { numberInUri } from "../outbound/number-rules.ts";
import { TrunkLeg } from "../legs/trunk-leg.ts";
import type { CallMedia } from "../media/call-media.ts";
import type { ExchangeTrunk, TransferCall } from "./transfer-call.ts";

/** After NOTIFY 200 SIP Server hangs the referring dialog up (RFC 5589 6.1); if it does not, we do after this, ms. */
const formerLegStaysMs = 10_000;

/** Headers in Refer-To that may become headers of an INVITE of ours; a referrer must not write our From or Route. */
const passed = new Set(["user-to-user", "subject", "priority", "call-info"]);

/** Headers of the INVITE that a REFER asks for: those of Refer-To's URI, and who referred (RFC 3892). */
export function headersOfRefer({ target, referredBy }: ReferWish): HeaderPair[] {
  const headers = target.headers.filter(([name, value]) => {
    const lower = name.toLowerCase();
    if (lower === "require") return value.trim().toLowerCase() === "replaces";
    return passed.has(lower) || lower.startsWith("x-");
  });
  const replaces: HeaderPair[] = target.replaces ? [["Replaces", replacesValue(target.replaces)]] : [];
  return [
    ...headers,
    ...replaces,
    ...(referredBy === undefined ? [] : [["Referred-By", referredBy] as const]),
  ];
}

/** The number a REFER leads to; its host is not looked at, since calls go to SIP Server and nowhere else. */
export function numberOf({ uri }: ReferTarget): string | undefined {
  return numberInUri(uri);
}

interface Referral {
  readonly notifier: ReferNotifier;
  readonly leg: TrunkLeg;
  readonly patience: Timer;
  readonly heldAtOffer: boolean;
  /** What the target was offered; the call's own leg may be offered something else meanwhile. */
  readonly offer: CallMedia["trunkOffer"];
  /** The target's early answer; one in a reliable provisional response is not repeated (RFC 3262 5). */
  earlyAnswer: string;
}

/**
 * REFER of SIP Server's in a running call (RFC 3515): the DN calls the target at SIP Server; when that answers, its leg
 * takes the place of the referring one and the browser is not asked. If it does not, the call stays as it was.
 */
export class TrunkReferral {
  readonly #call: TransferCall;
  readonly #exchange: ExchangeTrunk;
  #running: Referral | undefined;
  /** SIP Server hung the referring dialog up before the target answered: the call's fate is the target's now. */
  #trunkEnd: LegEnd | undefined;

  constructor(call: TransferCall, exchange: ExchangeTrunk) {
    this.#call = call;
    this.#exchange = exchange;
  }

  receive(refer: IncomingRefer): void {
    const call = this.#call;
    const media = call.media();
    if (this.#running || call.state() !== "established" || !media) return refer.refuse(491);
    const number = numberOf(refer.target);
    if (number === undefined) return refer.refuse(400, "No Number In Refer-To");
    const former = call.trunk();
    const notifier = refer.accept();
    const leg = new TrunkLeg(call.dn, call.options, {
      ...call.runningEvents(),
      onCallUuid() {},
      onCallData() {},
      // It is not the call's leg yet: neither moves the sound nor controls it.
      onOffer: (_sdp, reply) => reply.reject(488, "Not Answered Yet"),
      onControl() {},
      onProgress: (status, sdp) => {
        notifier.notify(status);
        if (this.#running && sdp !== "") this.#running.earlyAnswer = sdp;
      },
      onAnswered: (sdp, data) => this.#answered(number, sdp, data),
      onFailed: (end) => this.#failed(end),
    });
    const patience = call.options.context.clock.setTimer(referLifetimeSeconds * 1000, () =>
      this.#giveUp(408),
    );
    const offered = media.offerToTrunk();
    const offer = media.trunkOffer;
    this.#running = { notifier, leg, patience, heldAtOffer: media.holding, offer, earlyAnswer: "" };
    call.log.info({ number, replaces: refer.target.replaces?.callId }, "SIP Server refers the call");
    const { flow } = former;
    const extras = { headers: headersOfRefer(refer), ...(flow ? { flow } : {}) };
    if (!leg.call(number, offered, extras)) this.#failed({ status: 503, reason: "no SIP Server is up" });
  }

  /** SIP Server's leg is over. True when the call waits for the target nevertheless (RFC 3515: BYE ends no REFER). */
  trunkEnded(end: LegEnd): boolean {
    if (!this.#running) return false;
    this.#trunkEnd = end;
    return true;
  }

  /** The call is over, or SIP Server replaced the leg: the target is no longer called. Idempotent. */
  close(): void {
    this.#giveUp(487);
  }

  #answered(number: string, sdp: string, data: readonly HeaderPair[]): void {
    const call = this.#call;
    const running = this.#take();
    if (!running) return;
    const { leg, notifier, heldAtOffer, offer } = running;
    const taken = call.media()?.takeTrunkAnswer(sdp === "" ? running.earlyAnswer : sdp, offer);
    if (!taken?.ok) {
      const end = { status: 488, reason: `answer of the transfer's target: ${taken?.reason ?? "no media"}` };
      leg.end(end);
      return this.#over(notifier, end);
    }
    this.#trunkEnd = undefined;
    this.#exchange(leg, {
      party: { number, displayName: undefined, headers: data },
      staysMs: formerLegStaysMs,
      holdTold: heldAtOffer,
    });
    notifier.notify(200);
    call.settle();
  }

  #failed(end: LegEnd): void {
    const running = this.#take();
    if (running) this.#over(running.notifier, end);
  }

  #giveUp(status: number): void {
    const running = this.#take();
    if (!running) return;
    running.leg.end({ status: 487, reason: "transfer given up" });
    this.#over(running.notifier, { status, reason: "transfer given up" });
  }

  /** The transfer came to nothing. The call goes on, unless SIP Server has left it meanwhile. */
  #over(notifier: ReferNotifier, { status, reason }: LegEnd): void {
    notifier.notify(status < 300 ? 500 : status);
    this.#call.log.info({ status, reason }, "transfer failed");
    if (this.#trunkEnd) this.#call.finish("sip-server", this.#trunkEnd);
  }

  #take(): Referral | undefined {
    const running = this.#running;
    this.#running = undefined;
    running?.patience.clear();
    return running;
  }
}
