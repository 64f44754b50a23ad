import type { Registrar } from "../../registrar/index.ts";
import {
  createResponse,
  refuseByTerms,
  type ServerTransaction,
  type SessionTerms,
  type SipRequest,
} from "../../sip/index.ts";
import type { CallServices } from "../call/call-services.ts";
import type { RunningCalls } from "../call/running-calls.ts";
import type { KnownLegs } from "../legs/known-legs.ts";
import { handleMethod, handlerOf, type Capabilities, type MethodTable } from "../legs/methods.ts";
import { trunkCapabilities } from "../legs/trunk-methods.ts";
import type { Admission } from "./admission.ts";
import type { DnLines } from "./dn-lines.ts";

/** What takes requests for calls. */
export interface UasParts {
  /** As they are now: a reload changes them. */
  readonly services: () => CallServices;
  readonly registrar: Registrar;
  readonly admission: Admission;
  readonly lines: DnLines;
  readonly calls: RunningCalls;
  readonly legs: KnownLegs;
}

/** What one side may ask for outside dialogs. */
export interface UasTerms {
  readonly table: MethodTable;
  readonly terms: SessionTerms;
  readonly capabilities: Capabilities;
}

/** Runs the table's handler unless the terms refuse by 420 or 422; a method nobody handles gets 405 whatever it asks for (RFC 3261 8.2). */
export function takeRequest(
  { table, terms, capabilities }: UasTerms,
  request: SipRequest,
  transaction: ServerTransaction,
): void {
  const known = handlerOf(table, request.method) !== undefined;
  if (known && refuseByTerms(request, transaction, terms)) return;
  handleMethod(table, capabilities, request, transaction);
}

/** OPTIONS of either side, for any user, even a trunk's name: the answer says that we live (genesys-sip-server.md 9). */
export function answerOptions(parts: UasParts, request: SipRequest, transaction: ServerTransaction): void {
  const { userAgent, trunkTerms } = parts.services();
  const { headers } = trunkCapabilities(userAgent, trunkTerms);
  const status = parts.admission.closing ? 503 : 200;
  transaction.respond(
    createResponse(request, status, { headers: [["Accept", "application/sdp"], ...headers] }),
  );
}
