import type { Replaces, SipUri } from "../../sip/index.ts";
import type { CallNotice } from "../clients/call-notices.ts";
import type { CallerData, LegEnd } from "../legs/agent-leg.ts";
import type { CallOffers } from "../call/call-offers.ts";
import type { CallSides } from "../call/call-sides.ts";
import type { TrunkLeg } from "../legs/trunk-leg.ts";
import type { TrunkLegOptions } from "../legs/trunk.ts";
import type { TrunkLegUser } from "../legs/trunk-leg-user.ts";

/** How one leg of SIP Server's takes the place of another. */
export interface TrunkExchange {
  /** Who is behind the new leg. */
  readonly party: CallerData;
  /** The former leg is ended by us after this, ms, at the latest; 0: at once. */
  readonly staysMs: number;
  /** Whether the description the new leg has of us says that we hold. */
  readonly holdTold: boolean;
}

/** `next` is SIP Server's leg from now on. */
export type ExchangeTrunk = (next: TrunkLeg, how: TrunkExchange) => void;

/** What transfers need of the call they belong to. */
export interface TransferCall extends CallSides {
  readonly dn: string;
  readonly options: TrunkLegOptions;
  readonly offers: CallOffers;
  setTrunk(leg: TrunkLeg): void;
  /** Tells the agent's client what is new of the call. */
  tell(notice: CallNotice): void;
  /** What a leg tells that is the call's. */
  runningEvents(): TrunkLegUser;
  /** The new leg's description is known: sound runs, and a call that was not established yet is. */
  settle(): void;
  /** The number that a URI of the agent's means, see `dialledNumber`. */
  dialled(uri: SipUri): string | undefined;
  /** SIP Server's leg of another call of this DN's, by the dialog that its browser knows. */
  otherLeg(replaces: Replaces): TrunkLeg | undefined;
  finish(by: "sip-server" | "jackfield", end: LegEnd): void;
}
