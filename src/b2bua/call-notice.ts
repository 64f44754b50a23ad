import type { HeaderPair } from "../sip/index.ts";

/** What changed about a running call, for its client: JSON of `x-jackfield-call`, docs/clients.md. */
export interface CallNotice {
  /** X-Genesys-CallUUID as of now; another one after a transfer or consultation. */
  readonly callUuid?: string;
  /**
   * A call that SIP Server set up for the agent (3pcc make call): the agent's side is answered, the far side still rings;
   * then it is connected.
   */
  readonly far?: "ringing" | "connected";
  /** Header lines that say something new, as SIP Server's INVITE has them. */
  readonly headers?: readonly HeaderPair[];
  /** Who is behind the call after a transfer. */
  readonly party?: { readonly number: string; readonly displayName: string | undefined };
}
