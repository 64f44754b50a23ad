import { randomId } from "../../core/index.ts";
import type { SipPresence } from "../../registrar/index.ts";
import { createRequest, type Flow, type HeaderPair, type SessionContext } from "../../sip/index.ts";

/** What browsers' legs share. */
export interface SipAgentLegOptions {
  readonly context: SessionContext;
  /** Host of the URIs shown to browsers. */
  readonly realm: string;
  readonly userAgent: string;
  /** How long a call that is being set up, and one that runs, waits for a lost socket, ms. */
  readonly newCallGraceMs: number;
  readonly callGraceMs: number;
}

/** Route of requests outside dialogs to a client behind proxies (RFC 3327 5.3). */
export function routeHeaders({ path }: SipPresence): HeaderPair[] {
  return path.length === 0 ? [] : [["Route", path.join(", ")]];
}

/** Tells a client something outside any dialog; its answer is not waited for. */
export function sendEvent(
  options: Pick<SipAgentLegOptions, "context" | "realm" | "userAgent">,
  presence: SipPresence,
  flow: Flow,
  event: string,
  headers: readonly (readonly [string, string])[],
  body?: string,
  callId = randomId(options.context.random, 16),
): void {
  const { context, realm } = options;
  const request = createRequest({
    method: "NOTIFY",
    uri: presence.contactUri,
    headers: [
      ["Max-Forwards", "70"],
      ...routeHeaders(presence),
      ["From", `<sip:jackfield@${realm}>;tag=${randomId(context.random)}`],
      ["To", `<sip:${presence.dn}@${realm}>`],
      ["Call-ID", callId],
      ["CSeq", "1 NOTIFY"],
      ["Contact", `<sip:jackfield@${realm};transport=ws>`],
      ["Event", event],
      ["Subscription-State", "active"],
      ["User-Agent", options.userAgent],
      ...headers,
    ],
    ...(body === undefined ? {} : { body }),
  });
  context.transactions.request(request, flow, {
    onResponse: ({ status }) => context.log.debug({ event, status, dn: presence.dn }, "event answered"),
    onTimeout: () => context.log.debug({ event, dn: presence.dn }, "event not answered"),
    onTransportError: () => context.log.debug({ event, dn: presence.dn }, "event not delivered"),
  });
}
