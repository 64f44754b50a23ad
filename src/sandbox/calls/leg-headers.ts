import { paramOf } from "../wire/address.ts";
import { headerOf, mandatory, type Header, type SipMessage } from "../wire/text.ts";
import type { EndCause } from "./party.ts";

/** Allow of an initial INVITE and of re-INVITEs, as in the traces (genesys-sip-server 4, 5.1). */
export const allowInitial = "ACK, BYE, CANCEL, INFO, INVITE, MESSAGE, NOTIFY, OPTIONS, PRACK, REFER, UPDATE";
export const allowLater = "ACK, BYE, CANCEL, INFO, INVITE, MESSAGE, NOTIFY, OPTIONS, PRACK, REFER";
export const supported = "uui,100rel,timer";

/** Headers of an INVITE or re-INVITE of ours, in the order of the trace. */
export function inviteHeaders(
  contact: Header,
  callUuid: string,
  allow: string,
  sessionExpires: number,
): Header[] {
  return [
    contact,
    ["Max-Forwards", "70"],
    ["X-Genesys-CallUUID", callUuid],
    ["Allow", allow],
    ["Session-Expires", `${sessionExpires};refresher=uac`],
    ["Min-SE", "90"],
    ["Supported", supported],
  ];
}

/** Headers of our answer to the INVITE of an endpoint; a session timer it asks for is granted (RFC 4028 9). */
export function answerHeaders(
  invite: SipMessage,
  status: number,
  contact: Header,
  callUuid: string,
): Header[] {
  const headers: Header[] = [contact, ["X-Genesys-CallUUID", callUuid]];
  if (status < 300) headers.push(["Allow", allowInitial], ["Supported", supported]);
  const asked = headerOf(invite, "Session-Expires");
  if (status !== 200 || asked === undefined) return headers;
  const seconds = Number.parseInt(asked, 10) || 1800;
  return [...headers, ["Session-Expires", `${seconds};refresher=uac`], ["Require", "timer"]];
}

/** Headers of a NOTIFY on a call's dialog (genesys-sip-server 5.1). */
export function notifyHeaders(contact: Header, callUuid: string, event: string, state = "active"): Header[] {
  return [
    contact,
    ["Max-Forwards", "70"],
    ["Event", event],
    ["Subscription-State", state],
    ["X-Genesys-CallUUID", callUuid],
  ];
}

/** RAck of the PRACK a reliable provisional asks for (RFC 3262 7.2); undefined when it is not reliable. */
export function rackOf(response: SipMessage): { readonly rseq: number; readonly rack: string } | undefined {
  const rseq = Number.parseInt(headerOf(response, "RSeq") ?? "", 10);
  const reliable = (headerOf(response, "Require") ?? "").toLowerCase().includes("100rel");
  return reliable && rseq > 0 ? { rseq, rack: `${rseq} ${mandatory(response, "CSeq")}` } : undefined;
}

/** Ms until we must refresh the session: half its time; undefined when nobody or the endpoint refreshes. */
export function refreshAfterMs(response: SipMessage): number | undefined {
  const value = headerOf(response, "Session-Expires");
  const seconds = Number.parseInt(value ?? "", 10);
  if (value === undefined || !(seconds > 0) || paramOf(value, "refresher") === "uas") return undefined;
  return seconds * 500;
}

export function reasonHeaders(cause: EndCause): Header[] {
  return cause.reasonHeader === undefined ? [] : [["Reason", cause.reasonHeader]];
}

/** Status in a NOTIFY of a REFER of ours; 0 where there is none. */
export function statusTold(notify: SipMessage): number {
  return Number(/^SIP\/2\.0 (\d{3})/.exec(notify.body)?.[1] ?? 0);
}
