import { randomId, type Random } from "../core/index.ts";
import { createDigestClient, createRequest, parseUri, transportParameter } from "../sip/index.ts";
import type {
  DigestClient,
  DigestCredentials,
  DigestHeader,
  Flow,
  SipRequest,
  SipResponse,
  SipUri,
} from "../sip/index.ts";
import { hostPort } from "./addresses.ts";

export interface IdentityOptions {
  readonly random: Random;
  /** `host:port` of our Contact. */
  readonly contact: string;
  readonly credentials: (dn: string) => DigestCredentials | undefined;
  /** Further headers of each REGISTER (Allow, User-Agent). */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Expires asked for, seconds. */
  readonly expiresSeconds: number;
}

/**
 * What makes all REGISTERs of one DN one registration (RFC 3261 10.2.4): the same Call-ID and From tag for life,
 * a CSeq that only rises, one Contact; and its login at SIP Server.
 */
export class RegisterIdentity {
  readonly contact: SipUri;
  /** Expires asked for, seconds; a 423 raises it for good. */
  expiresSeconds: number;
  readonly #dn: string;
  readonly #user: string;
  readonly #options: IdentityOptions;
  readonly #digest: DigestClient;
  readonly #callId: string;
  readonly #fromTag: string;
  #sequence = 0;

  /** @throws TypeError when the DN and the contact's host and port make no SIP URI. */
  constructor(dn: string, options: IdentityOptions) {
    this.#dn = dn;
    this.#user = escapeUser(dn);
    this.#options = options;
    this.expiresSeconds = options.expiresSeconds;
    this.#digest = createDigestClient({ random: options.random });
    this.#callId = `reg-${this.#user}-${randomId(options.random)}@${options.contact}`;
    this.#fromTag = randomId(options.random);
    const uri = `sip:${this.#user}@${options.contact}`;
    const contact = parseUri(uri);
    if (!contact) throw new TypeError(`no contact URI: ${uri}`);
    this.contact = contact;
  }

  /** The next REGISTER; `expires` 0 un-registers our contact and no other. */
  request(server: Flow, expires: number, authorization: DigestHeader | undefined): SipRequest {
    this.#sequence++;
    const uri = requestUri(server);
    // Host of the AOR: SIP Server's own address, as the DN's phone would write it; it is not checked.
    const aor = `<sip:${this.#user}@${uri.slice("sip:".length).replace(/:\d+$/, "")}>`;
    return createRequest({
      method: "REGISTER",
      uri,
      headers: [
        ["Max-Forwards", "70"],
        ["From", `${aor};tag=${this.#fromTag}`],
        ["To", aor],
        ["Call-ID", this.#callId],
        ["CSeq", `${this.#sequence} REGISTER`],
        ["Contact", `<${this.contact.raw}${transportParameter(server)}>`],
        ["Expires", String(expires)],
        ...this.#options.headers,
        ...(authorization ? [[authorization.name, authorization.value] as const] : []),
      ],
    });
  }

  /** Credentials under the last nonce, which is good until the server says otherwise: saves a 401 per refresh. */
  nextAuthorization(server: Flow): DigestHeader | undefined {
    const credentials = this.#options.credentials(this.#dn);
    return credentials && this.#digest.next({ method: "REGISTER", uri: requestUri(server) }, credentials);
  }

  /** Credentials for a 401 or 407; undefined when there are none or they are wrong. */
  answerChallenge(request: SipRequest, response: SipResponse): DigestHeader | undefined {
    const credentials = this.#options.credentials(this.#dn);
    if (!credentials) return undefined;
    const refused = request.headers.get(response.status === 407 ? "Proxy-Authorization" : "Authorization");
    const header = this.#digest.answer(
      response,
      { method: request.method, uri: request.uri.raw, refused },
      credentials,
    );
    if (!header) this.#digest.forget();
    return header;
  }
}

/** Without a user part, as SIP Server's phones write it. */
function requestUri(server: Flow): string {
  return `sip:${hostPort(server)}`;
}

/** DN as the user part of a URI (RFC 3261 25.1 user-unreserved). */
function escapeUser(dn: string): string {
  return dn.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,]/gu, (character) => encodeURIComponent(character));
}
