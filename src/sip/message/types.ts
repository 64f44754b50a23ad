/**
 * Parameters of a URI or header value: lower-case name to value; `undefined` for one without a value (`;lr`).
 * Quoted values stand without their quotes (`+sip.instance` gives `<urn:uuid:...>`), URI values still escaped.
 */
export type Parameters = ReadonlyMap<string, string | undefined>;

/** A URI taken apart. Serialise from `raw`, never re-escape: escapes must survive unchanged (RFC 3261 19.1.4). */
export interface SipUri {
  readonly raw: string;
  /** Lower case: `sip`, `sips`, `tel` or any other. */
  readonly scheme: string;
  /** As received, still escaped; undefined when there is no user part, and for schemes other than sip and sips. */
  readonly user: string | undefined;
  /** Empty string for schemes other than sip and sips. IPv6 keeps its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: Parameters;
  /** What stands behind `?`, as received. */
  readonly headers: string | undefined;
}

/** A From, To, Contact, Refer-To ... value. `*` (Contact) has `uri.raw === "*"`. */
export interface NameAddress {
  readonly raw: string;
  /** Unescaped, without quotes; undefined when absent. */
  readonly displayName: string | undefined;
  readonly uri: SipUri;
  /** Header parameters; for a value without `<>` every parameter is a header parameter (RFC 3261 20). */
  readonly parameters: Parameters;
  /** The `tag` parameter. */
  readonly tag: string | undefined;
}

/** One Via value (RFC 3261 20.42). */
export interface Via {
  readonly raw: string;
  /** Upper case: `UDP`, `TCP`, `TLS`, `WS`, `WSS`. */
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: Parameters;
  readonly branch: string | undefined;
}

/** Number and method of a CSeq (RFC 3261 20.16). */
export interface CSeq {
  readonly sequence: number;
  readonly method: string;
}

/**
 * Header lines in the order received. Names are compared without case and compact forms count as their long
 * names. Values are unfolded and trimmed, otherwise verbatim.
 */
export interface HeaderList {
  /** The first line's value. */
  get(name: string): string | undefined;
  /** Every line's value. */
  getAll(name: string): string[];
  /** Every value, comma lists split outside quotes and angle brackets. Not for headers whose grammar has commas
   * of its own (Authorization, Date ...). */
  values(name: string): string[];
  has(name: string): boolean;
  /** Replaces every line of that name by one, in the place of the first. */
  set(name: string, value: string): this;
  /** Appends a line. */
  add(name: string, value: string): this;
  /** Puts a line before all others of its name (Via, Record-Route). */
  prepend(name: string, value: string): this;
  remove(name: string): this;
  entries(): Iterable<readonly [name: string, value: string]>;
}

interface Message {
  readonly headers: HeaderList;
  /** Empty when there is none. Of a received message it shares memory with what was received. */
  readonly body: Buffer;
  /** Parsed on first use, then kept. All of these were checked when the message was parsed. */
  readonly vias: readonly Via[];
  readonly topVia: Via;
  readonly from: NameAddress;
  readonly to: NameAddress;
  readonly callId: string;
  readonly cseq: CSeq;
  /** Contact values; empty when there are none or they could not be taken apart. */
  readonly contacts: readonly NameAddress[];
  /** Lower-case media type without parameters, undefined when there is no body or no Content-Type. */
  readonly contentType: string | undefined;
}

/** A request (RFC 3261 7.1). */
export interface SipRequest extends Message {
  readonly kind: "request";
  /** As received; methods are case-sensitive. */
  readonly method: string;
  readonly uri: SipUri;
}

/** A response (RFC 3261 7.2). */
export interface SipResponse extends Message {
  readonly kind: "response";
  readonly status: number;
  readonly reason: string;
}

/** Either of the two; `kind` tells them apart. */
export type SipMessage = SipRequest | SipResponse;
