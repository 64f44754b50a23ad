import { paramOf, peerOf, uriOf, type Peer } from "../wire/address.ts";
import type { OutgoingRequest } from "../wire/client-transaction.ts";
import type { Identifiers } from "../wire/identifiers.ts";
import { headerOf, mandatory, type Header, type SipMessage } from "../wire/text.ts";

/** Our address as written into headers. */
export interface Self {
  readonly host: string;
  readonly port: number;
}

/** One SIP dialog with an endpoint, either side having begun it: ids, numbers, and where requests go. */
export class Dialog {
  readonly callId: string;
  readonly localTag: string;
  /** User part we speak for: the far party's number. */
  readonly localUser: string;
  readonly #self: Self;
  readonly #ids: Identifiers;
  readonly #remoteUri: string;
  #remoteTag: string | undefined;
  #targetUri: string;
  #target: Peer;
  #cseq = 0;
  /** Highest CSeq of the endpoint's requests. */
  remoteCseq = -1;

  private constructor(
    ids: Identifiers,
    self: Self,
    remote: {
      callId: string;
      localUser: string;
      remoteUri: string;
      remoteTag?: string;
      targetUri: string;
      target: Peer;
    },
  ) {
    this.#ids = ids;
    this.#self = self;
    this.callId = remote.callId;
    this.localTag = ids.guid();
    this.localUser = remote.localUser;
    this.#remoteUri = remote.remoteUri;
    this.#remoteTag = remote.remoteTag;
    this.#targetUri = remote.targetUri;
    this.#target = remote.target;
  }

  /** We call the endpoint at its registered contact. Throws when the contact is no SIP URI. */
  static toEndpoint(ids: Identifiers, self: Self, dn: string, contact: string, localUser: string): Dialog {
    const target = peerOf(contact);
    if (!target) throw new Error(`contact of ${dn} is no SIP URI`);
    const remoteUri = `sip:${dn}@${self.host}`;
    const callId = `${ids.guid()}@${self.host}`;
    return new Dialog(ids, self, { callId, localUser, remoteUri, targetUri: contact, target });
  }

  /** The endpoint calls us; undefined when its INVITE has no usable Contact or tag. */
  static fromEndpoint(
    ids: Identifiers,
    self: Self,
    invite: SipMessage,
    localUser: string,
  ): Dialog | undefined {
    const targetUri = uriOf(headerOf(invite, "Contact") ?? "");
    const target = peerOf(targetUri);
    const from = mandatory(invite, "From");
    const remoteTag = paramOf(from, "tag");
    if (!target || !remoteTag) return undefined;
    const callId = mandatory(invite, "Call-ID");
    return new Dialog(ids, self, { callId, localUser, remoteUri: uriOf(from), remoteTag, targetUri, target });
  }

  get target(): Peer {
    return this.#target;
  }

  get remoteTag(): string | undefined {
    return this.#remoteTag;
  }

  get contact(): Header {
    return ["Contact", `<sip:${this.localUser}@${this.#self.host}:${this.#self.port}>`];
  }

  /** Takes the peer's tag and Contact from a response or from a request that refreshes the target. */
  learn(message: SipMessage): void {
    if (message.status > 100) this.#remoteTag = paramOf(mandatory(message, "To"), "tag") ?? this.#remoteTag;
    const contact = headerOf(message, "Contact");
    const target = contact === undefined ? undefined : peerOf(uriOf(contact));
    if (!contact || !target) return;
    this.#targetUri = uriOf(contact);
    this.#target = target;
  }

  /** The next request in this dialog; From and To without angle brackets, with or without a port. */
  request(
    method: string,
    parts: { extra: readonly Header[]; bareHost?: boolean; contentType?: string; body?: string | undefined },
  ): OutgoingRequest {
    return this.#build(method, ++this.#cseq, this.#ids.branch(), parts);
  }

  /** ACK of the 2xx to the INVITE numbered `cseq`; carries no Contact and no Max-Forwards, as seen. */
  ack(invite: OutgoingRequest, body: string | undefined): OutgoingRequest {
    const bareHost = !invite.from.includes(`:${this.#self.port};`);
    return this.#build("ACK", invite.cseq, this.#ids.branch(), { extra: [], body, bareHost });
  }

  /** CANCEL of an INVITE: same branch, same To - without a tag while the dialog was begun without one. */
  cancel(invite: OutgoingRequest, extra: readonly Header[]): OutgoingRequest {
    return {
      ...invite,
      method: "CANCEL",
      extra: [["Max-Forwards", "70"], ...extra],
      contentType: undefined,
      body: undefined,
    };
  }

  #build(
    method: string,
    cseq: number,
    branch: string,
    parts: { extra: readonly Header[]; bareHost?: boolean; contentType?: string; body?: string | undefined },
  ): OutgoingRequest {
    const port = parts.bareHost ? "" : `:${this.#self.port}`;
    const remote = this.#remoteUri.replace(/:\d+$/, "");
    return {
      method,
      uri: this.#targetUri,
      from: `sip:${this.localUser}@${this.#self.host}${port};tag=${this.localTag}`,
      to: `${remote}${port}${this.#remoteTag === undefined ? "" : `;tag=${this.#remoteTag}`}`,
      callId: this.callId,
      cseq,
      via: `SIP/2.0/UDP ${this.#self.host}:${this.#self.port};branch=${branch}`,
      branch,
      extra: parts.extra,
      contentType: parts.contentType,
      body: parts.body,
    };
  }
}
