import type { CallerDatum } from "./caller-data.ts";
import type { Quality } from "./gateway-events.ts";
import type { Transfer } from "./transfer.ts";

/**
 * `ringing`: comes in; `calling`: going out, nothing heard of it; `alerting`: rings there; `answering`: being set up;
 * `resuming`: being taken over from the page that was here before.
 */
export type Phase = "ringing" | "calling" | "alerting" | "answering" | "resuming" | "talking" | "ended";

/** What of a call can be shown. */
export interface CallSnapshot {
  readonly callId: string;
  readonly direction: "in" | "out";
  readonly phase: Phase;
  /** 1 to 3, the same as long as the call lasts. */
  readonly line: number;
  readonly peer: string;
  /** What calls the far end again. */
  readonly number: string;
  /** When it came or was dialled, ms since the epoch. */
  readonly began: number;
  readonly data: readonly CallerDatum[];
  readonly muted: boolean;
  readonly heldHere: boolean;
  readonly heldThere: boolean;
  /** The far end sends its own sound before the answer. */
  readonly earlyMedia: boolean;
  /** SIP Server has set the call up for this side; the far side still rings. */
  readonly farRings: boolean;
  /** The last digits that were sent. */
  readonly digits: string;
  /** Its last transfer, where one was tried. */
  readonly transfer: Transfer | undefined;
  /** When it was answered, ms since the epoch. */
  readonly since: number | undefined;
  /** Of the last few seconds, as the gateway tells it. */
  readonly quality: Quality | undefined;
}
