import type { CallSnapshot } from "./call-snapshot.ts";
import type { Messages } from "./gateway-events.ts";
import type { Registration, SocketState, Trunk } from "./line.ts";

/** What of the phone can be shown. */
export interface PhoneSnapshot {
  readonly dn: string | undefined;
  readonly socket: SocketState;
  readonly registration: Registration;
  readonly trunk: Trunk;
  /** The call that is shown large and that the buttons act on. */
  readonly call: CallSnapshot | undefined;
  readonly otherCalls: readonly CallSnapshot[];
  readonly messages: Messages | undefined;
  /** As the gateway names itself. */
  readonly gateway?: string | undefined;
  /** When a refused sign-in is tried again, ms since the epoch. */
  readonly retryAt?: number | undefined;
}
