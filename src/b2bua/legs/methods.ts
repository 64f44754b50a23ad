import { createResponse, type HeaderPair, type ServerTransaction, type SipRequest } from "../../sip/index.ts";

/** Answers one method within a dialog. */
export type MethodHandler = (request: SipRequest, transaction: ServerTransaction) => void;
/** What is handled, by method. */
export type MethodTable = Readonly<Record<string, MethodHandler>>;

/** Handled by the session itself, on each side. */
const sessionMethods = ["INVITE", "ACK", "CANCEL", "BYE", "PRACK", "UPDATE"];

/** What one side says of itself. */
export interface Capabilities {
  /** Allow, Supported, Allow-Events, Accept as header lines. */
  readonly headers: readonly HeaderPair[];
}

/**
 * What one side says it can, made from what is really handled: the method table's keys, the event table's keys and
 * the option tags in use. Nothing else may be advertised.
 */
export function capabilitiesOf(
  methods: readonly string[],
  events: readonly string[],
  userAgent: string,
  options: readonly string[] = [],
): Capabilities {
  const allow = [...new Set([...sessionMethods, ...methods])];
  const headers: HeaderPair[] = [
    ["Allow", allow.join(", ")],
    ["User-Agent", userAgent],
  ];
  if (events.length > 0) headers.push(["Allow-Events", events.join(", ")]);
  if (options.length > 0) headers.push(["Supported", options.join(", ")]);
  return { headers };
}

/** Runs the table's handler, or refuses the method. */
export function handleMethod(
  table: MethodTable,
  capabilities: Capabilities,
  request: SipRequest,
  transaction: ServerTransaction,
): void {
  const handler = handlerOf(table, request.method);
  if (handler) handler(request, transaction);
  else refuseMethod(capabilities, request, transaction);
}

/** The table's own entry: a method may be called `toString` or `constructor`, which every object has. */
export function handlerOf<Handler>(
  table: Readonly<Record<string, Handler>>,
  method: string,
): Handler | undefined {
  return Object.hasOwn(table, method) ? table[method] : undefined;
}

/** 405 with what is allowed (RFC 3261 8.2.1). */
export function refuseMethod(
  capabilities: Capabilities,
  request: SipRequest,
  transaction: ServerTransaction,
): void {
  transaction.respond(createResponse(request, 405, { headers: capabilities.headers }));
}
