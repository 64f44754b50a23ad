import type { HeaderPair, SipRequest } from "../../sip/index.ts";
import { quotedName } from "../legs/caller-data.ts";
import type { LegEnd } from "../legs/agent-leg.ts";
import { applyNumberRules, type NumberRule } from "./number-rules.ts";

/** How agents' own calls go out (configuration: `calls.outbound`). */
export interface OutboundPolicy {
  readonly rules: readonly NumberRule[];
  /** Header that names the DN besides From: P-Preferred-Identity or P-Asserted-Identity (RFC 3325). */
  readonly identity: "none" | "preferred" | "asserted";
  /** `Privacy: id` (RFC 3323): never, where the client asks for it by that header or the prefix, always. */
  readonly privacy: "never" | "on-request" | "always";
  /** Dialled before a number, asks for privacy; empty: no such prefix. It is taken off before the rules. */
  readonly privacyPrefix: string;
  /** Status by which SIP Server refuses new calls while it shuts down, 0: none; see `OutboundAttempts`. */
  readonly shutdownStatus: number;
}

/** Everything allowed and as dialled. */
export const plainOutbound: OutboundPolicy = {
  rules: [],
  identity: "none",
  privacy: "on-request",
  privacyPrefix: "",
  shutdownStatus: 603,
};

/** What an agent's INVITE asks for, by the policy. */
export type Dialled =
  | { readonly allowed: true; readonly number: string; readonly anonymous: boolean }
  | { readonly allowed: false; readonly end: LegEnd };

/**
 * Reads whom the agent calls. The host is not looked at: the target is always SIP Server. Emergency numbers have no
 * place here: which calls must get through at any price is SIP Server's and its trunks' affair, and no rule of ours
 * makes an exception for them.
 */
export function readDialled(
  policy: OutboundPolicy,
  request: Pick<SipRequest, "headers">,
  dialled: string,
): Dialled {
  const wanted = readNumber(policy, dialled);
  return wanted.allowed ? { ...wanted, anonymous: wanted.anonymous || asksForPrivacy(request) } : wanted;
}

/** As `readDialled`, of a number alone: whatever an agent dials or refers to has to pass here. */
export function readNumber(policy: OutboundPolicy, dialled: string): Dialled {
  if (dialled === "") return refusal(484, "no number dialled");
  const { privacyPrefix } = policy;
  const prefixed = privacyPrefix !== "" && dialled.startsWith(privacyPrefix) && dialled !== privacyPrefix;
  const verdict = applyNumberRules(policy.rules, prefixed ? dialled.slice(privacyPrefix.length) : dialled);
  if (!verdict.allowed) return refusal(403, `number not allowed: rule ${verdict.rule}`);
  if (verdict.number === "") return refusal(484, "nothing is left of the number by the rules");
  return { allowed: true, number: verdict.number, anonymous: prefixed };
}

function refusal(status: number, reason: string): Dialled {
  return { allowed: false, end: { status, reason } };
}

function asksForPrivacy(request: Pick<SipRequest, "headers">): boolean {
  const asked = (request.headers.get("Privacy") ?? "").toLowerCase().split(/[;,\s]+/);
  return asked.includes("id") || asked.includes("user") || asked.includes("header");
}

/**
 * Header lines of the caller's identity. From keeps the DN in any case, since SIP Server knows the agent by it: who
 * hides it from the called side is SIP Server, which `Privacy: id` asks to (RFC 3325 7), and not we.
 */
export function callerIdHeaders(
  policy: OutboundPolicy,
  caller: { readonly uri: string; readonly displayName: string | undefined; readonly anonymous: boolean },
): HeaderPair[] {
  const headers: HeaderPair[] = [];
  const value = `${quotedName(caller.displayName)}<${caller.uri}>`;
  if (policy.identity === "preferred") headers.push(["P-Preferred-Identity", value]);
  if (policy.identity === "asserted") headers.push(["P-Asserted-Identity", value]);
  const hide = policy.privacy === "always" || (policy.privacy === "on-request" && caller.anonymous);
  if (hide) headers.push(["Privacy", "id"]);
  return headers;
}
