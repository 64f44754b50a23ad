import type { NoticesSnapshot } from "./notices.ts";
import type { PhoneSnapshot } from "./phone/phone.ts";

/** What of the page is open and typed, beside the calls. */
export interface Ui {
  /** The number field. */
  readonly number: string;
  readonly pad: boolean;
  readonly settings: boolean;
}

/** All that the views show. */
export interface SoftphoneSnapshot extends PhoneSnapshot {
  readonly notices: NoticesSnapshot;
  readonly ui: Ui;
  /** The microphone is being asked for. */
  readonly signingIn: boolean;
  /** How often a sign-in was refused for good. */
  readonly refusals: number;
}
