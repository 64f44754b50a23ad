import type { Clock, Timer } from "../../core/index.ts";
import type { LegEnd } from "../legs/agent-leg.ts";
import type { TrunkLeg } from "../legs/trunk-leg.ts";
import { setUpIsOver, type TrunkLegUser } from "../legs/trunk-leg-user.ts";

/** SIP Server's legs that were exchanged and are not over yet: what they tell is the call's no more. */
export class FormerLegs {
  readonly #clock: Clock;
  readonly #legs = new Map<TrunkLeg, Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `leg` may be ended by SIP Server for `staysMs`, then it is by us. */
  leave(leg: TrunkLeg, staysMs: number): void {
    leg.forgetRefer();
    leg.handTo(this.#deaf(leg));
    const end = (): void => this.#end(leg, { status: 200, reason: "another dialog took its place" });
    if (staysMs === 0) end();
    else this.#legs.set(leg, this.#clock.setTimer(staysMs, end));
  }

  /** The call is over, and so are they. Idempotent. */
  close(end: LegEnd): void {
    for (const leg of this.#legs.keys()) this.#end(leg, end);
  }

  #end(leg: TrunkLeg, end: LegEnd): void {
    this.#forget(leg);
    leg.end(end);
  }

  #forget(leg: TrunkLeg): void {
    this.#legs.get(leg)?.clear();
    this.#legs.delete(leg);
  }

  #deaf(leg: TrunkLeg): TrunkLegUser {
    return {
      ...setUpIsOver,
      onRefreshAnswer() {},
      mediaFlows: () => false,
      onFailed: () => this.#forget(leg),
      // Its media went to the new leg; the dialog itself lives on until its BYE.
      onOffer: (_sdp, reply) => reply.reject(488, "Transferred"),
      onControl() {},
      onCallUuid() {},
      onCallData() {},
      onSilent() {},
      onInfo: () => false,
      onRefer: (refer) => refer.refuse(488, "Transferred"),
      onEnded: () => this.#forget(leg),
    };
  }
}
