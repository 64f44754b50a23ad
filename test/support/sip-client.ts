import type { KnownPresence, SipPresence } from "../../src/registrar/index.ts";

/** The client if it speaks SIP; undefined for none. Throws for one of another kind. */
export function sipClient(presence: KnownPresence | undefined): SipPresence | undefined {
  if (presence?.kind === "wrtc") throw new Error("not a client that speaks SIP");
  return presence;
}
