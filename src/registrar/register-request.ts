import type { Flow, HeaderPair, NameAddress, SipRequest } from "../sip/index.ts";
import type { BindingUpdate } from "./binding.ts";

/** A REGISTER for `dn` and the connection it came by. */
export interface DnRegister {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly dn: string;
}

/** How a REGISTER is answered. */
export interface RegisterAnswer {
  readonly status: number;
  /** Undefined: the status' own. */
  readonly reason?: string;
  readonly headers?: HeaderPair[];
}

/** Bounds of what a client may ask for, in seconds. */
export interface ExpiresPolicy {
  /** Below this a REGISTER gets 423. */
  readonly minExpires: number;
  /** What is above is cut down to this. */
  readonly maxExpires: number;
  /** For contacts without any expiry. */
  readonly defaultExpires: number;
}

/** One contact of a REGISTER. */
export interface WantedBinding {
  readonly contactUri: string;
  /** `+sip.instance`, or made up of DN and the contact's user part. */
  readonly instance: string;
  readonly instanceMadeUp: boolean;
  readonly regId: string | undefined;
  /** Granted seconds; 0 takes the binding away. */
  readonly expiresSeconds: number;
}

/** What a REGISTER asks for (RFC 3261 10.3), or why it cannot be had. */
export type RegisterOrder =
  | { readonly kind: "query" }
  | { readonly kind: "remove-all" }
  | { readonly kind: "update"; readonly bindings: readonly WantedBinding[] }
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly reason: string;
      readonly headers: HeaderPair[];
    };

/** Longest contact URI and instance taken, characters: several times what any client sends. */
const maxValueLength = 512;
/** What is kept of a User-Agent and how many event packages, since both last as long as the binding. */
const maxUserAgentLength = 200;
const maxEventPackages = 32;

const refused = (status: number, reason: string, headers: HeaderPair[] = []): RegisterOrder => ({
  kind: "refused",
  status,
  reason,
  headers,
});

/** Reads the contacts of a REGISTER for `dn`; changes nothing. */
export function readRegister(request: SipRequest, dn: string, policy: ExpiresPolicy): RegisterOrder {
  if (!request.headers.has("Contact")) return { kind: "query" };
  const { contacts } = request;
  if (contacts.length === 0) return refused(400, "Bad Contact");
  if (contacts.some((contact) => contact.uri.raw === "*")) {
    // RFC 3261 10.3 6: a star stands alone and only with Expires: 0.
    const legal = contacts.length === 1 && seconds(request.headers.get("Expires")) === 0;
    return legal ? { kind: "remove-all" } : refused(400, "Contact: * needs Expires: 0 and no other contact");
  }
  const bindings: WantedBinding[] = [];
  for (const contact of contacts) {
    if (contact.uri.scheme !== "sip" && contact.uri.scheme !== "sips") return refused(400, "Bad Contact");
    const asked =
      seconds(contact.parameters.get("expires")) ??
      seconds(request.headers.get("Expires")) ??
      policy.defaultExpires;
    if (asked > 0 && asked < policy.minExpires)
      return refused(423, "Interval Too Brief", [["Min-Expires", String(policy.minExpires)]]);
    const binding = wanted(contact, dn, Math.min(asked, policy.maxExpires));
    if (binding.contactUri.length > maxValueLength || binding.instance.length > maxValueLength)
      return refused(400, "Contact Too Long");
    bindings.push(binding);
  }
  return { kind: "update", bindings };
}

function wanted(contact: NameAddress, dn: string, expiresSeconds: number): WantedBinding {
  const instance = contact.parameters.get("+sip.instance");
  const instanceMadeUp = instance === undefined || instance === "";
  return {
    contactUri: contact.uri.raw,
    // SIP.js sends no instance by default. It and others keep the contact's user part for as long as the page
    // lives, over reconnects too, and throw a new one at the next load.
    instance: instanceMadeUp ? `contact:${contact.uri.user ?? ""}@${dn}` : instance,
    instanceMadeUp,
    regId: contact.parameters.get("reg-id"),
    expiresSeconds,
  };
}

/** What `request` says of the binding `item`, in bounded length. */
export function bindingUpdate(request: SipRequest, item: WantedBinding): BindingUpdate {
  return {
    contactUri: item.contactUri,
    regId: item.regId,
    callId: request.callId,
    sequence: request.cseq.sequence,
    userAgent: (request.headers.get("User-Agent") ?? "").slice(0, maxUserAgentLength),
    allowEvents: request.headers
      .values("Allow-Events")
      .map((name) => name.toLowerCase())
      .slice(0, maxEventPackages),
    expiresSeconds: item.expiresSeconds,
  };
}

/** Delta-seconds, at most 2^32-1 as RFC 3261 20.19 says; undefined for what is none. */
function seconds(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,20}$/.test(text)) return undefined;
  return Math.min(Number(text), 2 ** 32 - 1);
}

/** A Contact value of our 200, expiring in `expires` seconds. */
export function formatContact(
  binding: {
    readonly contactUri: string;
    readonly instance: string;
    readonly instanceMadeUp: boolean;
    readonly regId: string | undefined;
  },
  expires: number,
): string {
  const instance = binding.instanceMadeUp
    ? ""
    : `;+sip.instance="${binding.instance.replace(/["\\]/g, "\\$&")}"`;
  const regId =
    binding.regId !== undefined && /^\d{1,10}$/.test(binding.regId) ? `;reg-id=${binding.regId}` : "";
  return `<${binding.contactUri}>;expires=${expires}${regId}${instance}`;
}
