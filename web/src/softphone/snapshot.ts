import type { NoticesSnapshot } from "./notices.ts";
import type { PastCall } from "./phone/history.ts";
import type { PhoneSnapshot } from "./phone/phone-snapshot.ts";

export type Tool = "none" | "keypad" | "transfer" | "dial";
export type Sheet = "none" | "settings" | "history";

/** What of the page is open and typed, beside the calls. */
export interface Ui {
  /** What is open under the call that is shown. */
  readonly tool: Tool;
  /** What is open in place of the phone's lower part; narrow pages have no room for the history beside it. */
  readonly sheet: Sheet;
  /** The list of keys. */
  readonly help: boolean;
  /** The number field. */
  readonly number: string;
  /** The number field of a transfer. */
  readonly transferTo: string;
  /** The number that a link asked to call, until the person has said yes or no. */
  readonly asked: string | undefined;
}

/** All that the views show. */
export interface SoftphoneSnapshot extends PhoneSnapshot {
  readonly notices: NoticesSnapshot;
  readonly ui: Ui;
  /** Calls are controlled elsewhere: the page shows them and has their sound. */
  readonly audioOnly: boolean;
  /** Calls that are over, newest first. */
  readonly history: readonly PastCall[];
  /** Calls missed since the page was last looked at. */
  readonly missed: number;
  /** How often the number field was asked for. */
  readonly numberFocus: number;
  /** The microphone is being asked for. */
  readonly signingIn: boolean;
  /** How often a sign-in was refused for good. */
  readonly refusals: number;
}
