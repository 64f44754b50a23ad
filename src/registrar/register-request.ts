import type { Flow, HeaderPair, NameAddress, SipRequest } from "../sip/index.ts";
import type { BindingUpdate } from "./contact-flow.ts";
import { sameTarget } from "./addresses.ts";

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
/** Proxies between a client and us, and the longest address of one, characters. */
const maxPath = 8;

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
    // RFC 5627 5.1: what leads back to us is no place to send requests to.
    if (contact.uri.parameters.has("gr") || sameTarget(contact.uri, request.to.uri))
      return refused(403, "Contact Leads To Registrar");
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
  const wantedNow = bindings.filter((binding) => binding.expiresSeconds > 0);
  if (wantedNow.length > 1 && wantedNow.some(({ regId }) => regId !== undefined))
    return refused(400, "One Contact Per reg-id Registration");
  return behindProxy(request, bindings);
}

/** RFC 5626 6: flows are told apart only where the first proxy keeps them open, which its Path says by `ob`. */
function behindProxy(request: SipRequest, bindings: readonly WantedBinding[]): RegisterOrder {
  const path = pathOf(request);
  if (path.length > maxPath || path.some((value) => value.length > maxValueLength))
    return refused(400, "Path Too Long");
  if (request.vias.length < 2 || /^[^?]*;ob\b/i.test(path[0] ?? "")) return { kind: "update", bindings };
  const asks = supports(request, "outbound") && bindings.some(({ regId }) => regId !== undefined);
  if (asks) return refused(439, "First Hop Lacks Outbound Support");
  return { kind: "update", bindings: bindings.map((binding) => ({ ...binding, regId: undefined })) };
}

/** Values of Path (RFC 3327), the client's side last. */
export function pathOf(request: SipRequest): string[] {
  return request.headers.values("Path");
}

/** Whether a REGISTER says that its client knows an extension. */
export function supports({ headers }: SipRequest, option: string): boolean {
  return ["Supported", "Require"].some((name) =>
    headers.values(name).some((tag) => tag.toLowerCase() === option),
  );
}

/** RFC 5626 11: 1 to 2^31-1; what is none, or stands without an instance, is ignored. */
function regIdOf(contact: NameAddress, instanceMadeUp: boolean): string | undefined {
  const number = seconds(contact.parameters.get("reg-id"));
  if (instanceMadeUp || number === undefined || number < 1 || number >= 2 ** 31) return undefined;
  return String(number);
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
    regId: regIdOf(contact, instanceMadeUp),
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
    path: pathOf(request),
    expiresSeconds: item.expiresSeconds,
  };
}

/** Delta-seconds, at most 2^32-1 as RFC 3261 20.19 says; undefined for what is none. */
function seconds(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,20}$/.test(text)) return undefined;
  return Math.min(Number(text), 2 ** 32 - 1);
}

/** A Contact value of our 200, expiring in `expires` seconds; `gruus`: `pub-gruu` and `temp-gruu`, none where not asked. */
export function formatContact(
  binding: {
    readonly contactUri: string;
    readonly instance: string;
    readonly instanceMadeUp: boolean;
    readonly regId: string | undefined;
  },
  expires: number,
  gruus: readonly (readonly [name: string, uri: string])[] = [],
): string {
  const instance = binding.instanceMadeUp
    ? ""
    : `;+sip.instance="${binding.instance.replace(/["\\]/g, "\\$&")}"`;
  const regId = binding.regId === undefined ? "" : `;reg-id=${binding.regId}`;
  const addresses = gruus.map(([name, uri]) => `;${name}="${uri}"`).join("");
  return `<${binding.contactUri}>;expires=${expires}${regId}${instance}${addresses}`;
}
