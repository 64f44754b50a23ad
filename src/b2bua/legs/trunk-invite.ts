import type { Flow, HeaderPair, OutgoingInvite } from "../../sip/index.ts";
import type { OutboundTarget } from "../outbound/outbound-attempts.ts";
import { callerIdHeaders, plainOutbound } from "../outbound/outbound-policy.ts";
import { quotedName } from "./caller-data.ts";
import type { TrunkLegOptions } from "./trunk.ts";

/** What else a call of ours has than number and offer. */
export interface CallExtras {
  readonly headers?: readonly HeaderPair[];
  /** The server to call, and no other, instead of the one for new calls. */
  readonly flow?: Flow;
  /** Whether the caller asks for `Privacy: id`. */
  readonly anonymous?: boolean;
}

/** What stays the same from one attempt of a call to the next. */
export interface OutboundCall {
  readonly callId: string;
  readonly sdp: string;
  readonly extras: CallExtras;
}

/** The INVITE of one attempt to call for `dn`; `previous` is the one that failed. */
export function inviteTarget(
  dn: string,
  { trunk, outbound = plainOutbound }: TrunkLegOptions,
  { host, user }: OutboundTarget,
  previous: OutgoingInvite | undefined,
  { callId, sdp, extras }: OutboundCall,
) {
  const { anonymous = false, headers = [] } = extras;
  const caller = { uri: `sip:${dn}@${host}`, displayName: trunk.displayName(dn), anonymous };
  return {
    uri: `sip:${user}@${host}`,
    from: `${quotedName(caller.displayName)}<${caller.uri}>`,
    to: `<sip:${user}@${host}>`,
    callId,
    headers: [...callerIdHeaders(outbound, caller), ...headers],
    sdp,
    ...(previous ? { previous: previous.request } : {}),
  };
}
