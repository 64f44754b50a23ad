import type { CSeq, NameAddress, SipRequest, SipResponse, SipUri, Via } from "./types.ts";
import { parseCSeq, parseNameAddress, parseVia } from "./address.ts";
import { checkedNameAddress, checkedUri } from "./grammar.ts";
import type { HeaderFields } from "./headers.ts";
import { splitElements } from "./parameters.ts";

/** What is taken from the header lines on first use. */
export interface Derived {
  vias?: readonly Via[];
  from?: NameAddress;
  to?: NameAddress;
  cseq?: CSeq;
  contacts?: readonly NameAddress[];
}

/** Contacts that go through the grammar; a 3xx with more than these has them from the splitter. */
const grammarContacts = 4;

/**
 * Header access common to requests and responses. What was derived is kept until the lines change. On a message
 * made here that lacks a header (a request before its Via was added) the getter throws `TypeError`; a message
 * that came through `parseMessage` always has them all.
 */
class MessageFields {
  readonly headers: HeaderFields;
  readonly body: Buffer;
  #derived: Derived;
  #revision: number;

  constructor(headers: HeaderFields, body: Buffer, derived: Derived) {
    this.headers = headers;
    this.body = body;
    this.#derived = derived;
    this.#revision = headers.revision;
  }

  get vias(): readonly Via[] {
    return (this.#current().vias ??= this.headers
      .values("Via")
      .flatMap((value) => parseVia(value, true) ?? []));
  }

  get topVia(): Via {
    return present(this.vias[0], "Via");
  }

  get from(): NameAddress {
    return (this.#current().from ??= present(parseNameAddress(this.headers.get("From") ?? ""), "From"));
  }

  get to(): NameAddress {
    return (this.#current().to ??= present(parseNameAddress(this.headers.get("To") ?? ""), "To"));
  }

  get callId(): string {
    return present(this.headers.get("Call-ID"), "Call-ID");
  }

  get cseq(): CSeq {
    return (this.#current().cseq ??= present(parseCSeq(this.headers.get("CSeq") ?? ""), "CSeq"));
  }

  get contacts(): readonly NameAddress[] {
    return (this.#current().contacts ??= takeContacts(this.headers));
  }

  get contentType(): string | undefined {
    const value = this.body.length > 0 ? this.headers.get("Content-Type") : undefined;
    if (value === undefined) return undefined;
    const semicolon = value.indexOf(";");
    return (semicolon < 0 ? value : value.slice(0, semicolon)).replaceAll(/[ \t]/g, "").toLowerCase();
  }

  #current(): Derived {
    if (this.#revision !== this.headers.revision) {
      this.#derived = {};
      this.#revision = this.headers.revision;
    }
    return this.#derived;
  }
}

/** All Contact values, or none when one of them cannot be taken apart. */
function takeContacts(headers: HeaderFields): readonly NameAddress[] {
  const contacts: NameAddress[] = [];
  for (const line of headers.getAll("Contact")) {
    for (const value of splitElements(line)) {
      const take = contacts.length < grammarContacts ? checkedNameAddress : parseNameAddress;
      const contact = take(value);
      if (contact === undefined) return [];
      contacts.push(contact);
    }
  }
  return contacts;
}

function present<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new TypeError(`message has no valid ${name}`);
  return value;
}

/** A request, received or made here. */
export class RequestMessage extends MessageFields implements SipRequest {
  readonly kind = "request";
  readonly method: string;
  /** The request URI as it stands in the start line. */
  readonly uriText: string;
  #uri: SipUri | undefined;

  constructor(method: string, uriText: string, headers: HeaderFields, body: Buffer, derived: Derived = {}) {
    super(headers, body, derived);
    this.method = method;
    this.uriText = uriText;
  }

  get uri(): SipUri {
    return (this.#uri ??= present(checkedUri(this.uriText), "request URI"));
  }
}

/** A response, received or made here. */
export class ResponseMessage extends MessageFields implements SipResponse {
  readonly kind = "response";
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, headers: HeaderFields, body: Buffer, derived: Derived = {}) {
    super(headers, body, derived);
    this.status = status;
    this.reason = reason;
  }
}
