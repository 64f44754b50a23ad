import type { SoftphoneSnapshot } from "../snapshot.ts";
import type { Softphone } from "../softphone.ts";

/** What the views are given: the page behind them, and all they show as it is now. */
export interface ViewProps {
  readonly softphone: Softphone;
  readonly snapshot: SoftphoneSnapshot;
}
