import type { Registrar } from "../../registrar/index.ts";
import type { SipUri } from "../../sip/index.ts";
import { numberInUri } from "./number-rules.ts";

/**
 * The number that a browser's URI means (request URI, Refer-To). A GRUU of ours (RFC 5627) means its client's DN, which
 * has one client at a time: SIP Server carries calls between DNs too. Empty: none.
 * Undefined: a GRUU whose client is signed out.
 */
export function dialledNumber(uri: SipUri, registrar: Pick<Registrar, "findByGruu">): string | undefined {
  return uri.parameters.has("gr") ? registrar.findByGruu(uri)?.dn : (numberInUri(uri) ?? "");
}
