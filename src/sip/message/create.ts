import type { HeaderList, SipRequest, SipResponse } from "./types.ts";
import { parseNameAddress } from "./address.ts";
import { HeaderFields } from "./headers.ts";
import { RequestMessage, ResponseMessage } from "./message.ts";
import { allowedPhrase, reasonPhrase } from "./reasons.ts";
import { isToken } from "./text.ts";
import { parseUri } from "./uri.ts";

type HeaderLines = Iterable<readonly [name: string, value: string]>;

/** What a response is made from: any request, or what could be read of a faulty one. */
export interface Answerable {
  readonly method: string;
  readonly headers: HeaderList;
}

const noBody = Buffer.alloc(0);

/**
 * Makes a request. Headers stand as given; Via comes from the transaction layer, Content-Length from
 * `serializeMessage`. Throws `TypeError` on a method that is no token or a URI that cannot be sent.
 */
export function createRequest(request: {
  method: string;
  uri: string;
  headers: HeaderLines;
  body?: string | Buffer | undefined;
}): SipRequest {
  if (!isToken(request.method)) throw new TypeError(`not a method: ${JSON.stringify(request.method)}`);
  if (parseUri(request.uri) === undefined) throw new TypeError(`not a URI: ${JSON.stringify(request.uri)}`);
  return new RequestMessage(
    request.method,
    request.uri,
    new HeaderFields(request.headers),
    toBody(request.body),
  );
}

/** What a response has beside what it copies from its request. */
export interface ResponseOptions {
  /** Reason phrase instead of the usual one. */
  reason?: string | undefined;
  /** Put on To when it has no tag yet (RFC 3261 8.2.6.2); not on a 100. */
  toTag?: string | undefined;
  headers?: HeaderLines | undefined;
  body?: string | Buffer | undefined;
}

const copied = ["From", "To", "Call-ID", "CSeq"] as const;
/** Requests whose 1xx and 2xx set a dialog's route (RFC 3261 12.1.1, 6665, 3515). */
const dialogMakers = new Set(["INVITE", "SUBSCRIBE", "REFER"]);

/**
 * Makes a response: Via lines, From, To, Call-ID and CSeq verbatim (SIP Server compares them), Record-Route on
 * 1xx (but 100) and 2xx of dialog-making requests, Timestamp on 100. What a faulty request lacks stays absent.
 * Throws `RangeError` on a status that is none.
 */
export function createResponse(
  request: Answerable,
  status: number,
  options: ResponseOptions = {},
): SipResponse {
  if (!Number.isInteger(status) || status < 100 || status > 699)
    throw new RangeError(`not a status: ${status}`);
  const source = request.headers;
  const headers = new HeaderFields();
  if (source instanceof HeaderFields) headers.encoding = source.encoding;
  for (const via of source.getAll("Via")) headers.add("Via", via);
  for (const name of copied) {
    const value = source.get(name);
    if (value === undefined) continue;
    headers.add(name, name === "To" && status > 100 ? withTag(value, options.toTag) : value);
  }
  if (status === 100) copyAll(source, headers, "Timestamp");
  if (status > 100 && status < 300 && dialogMakers.has(request.method))
    copyAll(source, headers, "Record-Route");
  for (const [name, value] of options.headers ?? []) headers.add(name, value);
  const reason = options.reason === undefined ? reasonPhrase(status) : allowedPhrase(options.reason);
  return new ResponseMessage(status, reason, headers, toBody(options.body));
}

function copyAll(source: HeaderList, target: HeaderFields, name: string): void {
  for (const value of source.getAll(name)) target.add(name, value);
}

/** A To that cannot be taken apart stays as it is: where a tag would end up in it nobody can say. */
function withTag(to: string, tag: string | undefined): string {
  if (tag === undefined) return to;
  const address = parseNameAddress(to);
  return address === undefined || address.tag !== undefined ? to : `${to};tag=${tag}`;
}

function toBody(body: string | Buffer | undefined): Buffer {
  if (body === undefined || body.length === 0) return noBody;
  return typeof body === "string" ? Buffer.from(body) : body;
}
