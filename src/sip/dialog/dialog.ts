import { createRequest } from "../message/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";

/** One header line to be written. */
export type HeaderPair = readonly [name: string, value: string];

interface DialogParts {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly localUri: string;
  readonly remoteUri: string;
  readonly remoteTarget: string;
  readonly routeSet: readonly string[];
  readonly localSequence: number;
  readonly remoteSequence: number | undefined;
}

/** What finds a dialog (RFC 3261 12): URIs never take part, SIP Server writes them differently each time. */
export function dialogKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId}\n${localTag}\n${remoteTag}`;
}

/** Dialog state (RFC 3261 12): what in-dialog requests are made of and checked against. Routing is loose only. */
export class Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly key: string;
  readonly #localUri: string;
  readonly #remoteUri: string;
  readonly #routeSet: readonly string[];
  #remoteTarget: string;
  #localSequence: number;
  #remoteSequence: number | undefined;

  constructor(parts: DialogParts) {
    this.callId = parts.callId;
    this.localTag = parts.localTag;
    this.remoteTag = parts.remoteTag;
    this.key = dialogKey(parts.callId, parts.localTag, parts.remoteTag);
    this.#localUri = parts.localUri;
    this.#remoteUri = parts.remoteUri;
    this.#routeSet = parts.routeSet;
    this.#remoteTarget = parts.remoteTarget;
    this.#localSequence = parts.localSequence;
    this.#remoteSequence = parts.remoteSequence;
  }

  /** Request URI of requests we send. */
  get remoteTarget(): string {
    return this.#remoteTarget;
  }

  /** URI whose host the next request goes to: the topmost route, else the remote target (RFC 3261 12.2.1.1). */
  get nextHop(): string {
    const route = this.#routeSet[0];
    return route === undefined ? this.#remoteTarget : bracketed(route);
  }

  /** Target refresh by a re-INVITE, UPDATE or their 2xx (RFC 3261 12.2). */
  refreshTarget(message: SipRequest | SipResponse): void {
    this.#remoteTarget = contactOf(message) ?? this.#remoteTarget;
  }

  /** False for a request older than one already seen (RFC 3261 12.2.2: answer 500); gaps are legal. */
  acceptSequence(request: SipRequest): boolean {
    const sequence = request.cseq.sequence;
    if (this.#remoteSequence !== undefined && sequence <= this.#remoteSequence) return false;
    this.#remoteSequence = sequence;
    return true;
  }

  /** CSeq number of the next request; also taken when a request is repeated with credentials. */
  nextSequence(): number {
    return ++this.#localSequence;
  }

  /** Next request within the dialog; ACK is made by `createAck`. */
  createRequest(method: string, headers: readonly HeaderPair[] = [], body?: string | Buffer): SipRequest {
    return this.#create(method, this.nextSequence(), headers, body);
  }

  /** ACK for the 2xx of the INVITE with CSeq number `sequence` (RFC 3261 13.2.2.4). */
  createAck(sequence: number, headers: readonly HeaderPair[] = [], body?: string | Buffer): SipRequest {
    return this.#create("ACK", sequence, headers, body);
  }

  #create(
    method: string,
    sequence: number,
    headers: readonly HeaderPair[],
    body?: string | Buffer,
  ): SipRequest {
    const fields: HeaderPair[] = [
      ["Max-Forwards", "70"],
      ["From", `<${this.#localUri}>;tag=${this.localTag}`],
      ["To", this.remoteTag === "" ? `<${this.#remoteUri}>` : `<${this.#remoteUri}>;tag=${this.remoteTag}`],
      ["Call-ID", this.callId],
      ["CSeq", `${sequence} ${method}`],
      ...this.#routeSet.map((route): HeaderPair => ["Route", route]),
      ...headers,
    ];
    return createRequest({
      method,
      uri: this.#remoteTarget,
      headers: fields,
      ...(body === undefined ? {} : { body }),
    });
  }
}

/** The dialog an INVITE we received makes, with the tag we put on its responses (RFC 3261 12.1.1). */
export function dialogOfUas(request: SipRequest, localTag: string): Dialog {
  return new Dialog({
    callId: request.callId,
    localTag,
    remoteTag: request.from.tag ?? "",
    localUri: request.to.uri.raw,
    remoteUri: request.from.uri.raw,
    // A Contact is mandatory in an INVITE, yet a missing one only costs us the target: From's URI stands in.
    remoteTarget: contactOf(request) ?? request.from.uri.raw,
    routeSet: request.headers.values("Record-Route"),
    localSequence: 0,
    remoteSequence: request.cseq.sequence,
  });
}

/** The dialog a response with a To tag makes for an INVITE we sent (RFC 3261 12.1.2). */
export function dialogOfUac(request: SipRequest, response: SipResponse): Dialog {
  return new Dialog({
    callId: request.callId,
    localTag: request.from.tag ?? "",
    remoteTag: response.to.tag ?? "",
    localUri: request.from.uri.raw,
    remoteUri: request.to.uri.raw,
    remoteTarget: contactOf(response) ?? request.uri.raw,
    routeSet: response.headers.values("Record-Route").toReversed(),
    localSequence: request.cseq.sequence,
    remoteSequence: undefined,
  });
}

/** The URI of the Contact; undefined for `*` and for all else that no SIP request can be sent to (RFC 3261 8.1.1.8). */
function contactOf(message: SipRequest | SipResponse): string | undefined {
  const uri = message.contacts[0]?.uri;
  return uri?.scheme === "sip" || uri?.scheme === "sips" ? uri.raw : undefined;
}

function bracketed(route: string): string {
  const start = route.indexOf("<");
  const end = route.indexOf(">", start);
  return start >= 0 && end > start ? route.slice(start + 1, end) : route;
}
