import type { HeaderPair } from "../../sip/index.ts";
import type { CallerData } from "../legs/agent-leg.ts";
import type { CallNotice } from "../clients/call-notices.ts";
import { quotedName } from "../legs/caller-data.ts";

/** Another party is behind the call. A P-Asserted-Identity names it where SIP Server gave none. */
export function noticeOfParty(party: CallerData, callUuid: string | undefined, host: string): CallNotice {
  const { number, displayName, headers } = party;
  const named = headers.some(([name]) => name.toLowerCase() === "p-asserted-identity");
  const identity: HeaderPair = ["P-Asserted-Identity", `${quotedName(displayName)}<sip:${number}@${host}>`];
  return {
    ...(callUuid === undefined ? {} : { callUuid }),
    party: { number, displayName },
    headers: named ? headers : [identity, ...headers],
  };
}
