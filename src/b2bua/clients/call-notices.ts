import type { HeaderPair } from "../../sip/index.ts";

/** Event package of our own: what SIP Server changed of a running call's data, JSON of `CallNotice`. */
export const callEvent = "x-jackfield-call";

/** What is new of a running call; what did not change is left out. See docs/clients.md. */
export interface CallNotice {
  /** X-Genesys-CallUUID, which changes when a consultation or transfer is completed. */
  readonly callUuid?: string;
  /**
   * A call that SIP Server set up for the agent (3pcc make call): the agent's side is answered, the far side still rings;
   * then it is connected.
   */
  readonly far?: "ringing" | "connected";
  /** Headers of the list that is shown to pages, whole lines, in the order received. */
  readonly headers?: readonly HeaderPair[];
  /** Who is behind the call after a transfer. */
  readonly party?: { readonly number: string; readonly displayName: string | undefined };
}
