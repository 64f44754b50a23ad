import { createResponse, type ServerTransaction, type SipRequest } from "../../sip/index.ts";
import { controlEvents } from "../call/control-acts.ts";
import { eventOf } from "../clients/message-waiting.ts";
import { readDigits } from "./dtmf.ts";
import type { LegRefers } from "./leg-refers.ts";
import { acceptRequest, capabilitiesOf, type Capabilities } from "./methods.ts";
import { defaultTrunkTerms } from "./session-terms.ts";
import type { TrunkLegUser } from "./trunk-leg-user.ts";

/** What requests within SIP Server's dialog are handled with. */
export interface TrunkDialog {
  readonly capabilities: Capabilities;
  readonly refers: LegRefers;
  /** Who is told; it changes when a transfer puts another leg in this one's place. */
  user(): TrunkLegUser;
  /** Takes in what any message tells besides: Allow, X-Genesys-CallUUID, data of the call. */
  note(request: SipRequest): void;
  onMessageSummary(request: SipRequest): void;
}

type TrunkMethod = (leg: TrunkDialog, request: SipRequest, transaction: ServerTransaction) => void;

/** What is handled within SIP Server's dialogs; its keys make the Allow header. */
export const trunkMethods: Readonly<Record<string, TrunkMethod>> = {
  NOTIFY: receiveNotify,
  INFO: receiveInfo,
  OPTIONS: (_leg, request, transaction) => acceptRequest(request, transaction),
  MESSAGE: (leg, request, transaction) => {
    acceptRequest(request, transaction);
    leg.note(request);
  },
  REFER: (leg, request, transaction) =>
    leg.refers.receive(request, transaction, (refer) => leg.user().onRefer(refer)),
};

/** What our phones say they can toward SIP Server; also the answer to its OPTIONS. */
export function trunkCapabilities(userAgent: string, terms = defaultTrunkTerms): Capabilities {
  return capabilitiesOf(Object.keys(trunkMethods), controlEvents, userAgent, terms.options);
}

/** No SUBSCRIBE ever precedes these; the 200 goes out first, the act follows (genesys-sip-server.md 6). */
function receiveNotify(leg: TrunkDialog, request: SipRequest, transaction: ServerTransaction): void {
  const event = eventOf(request);
  const control = controlEvents.find((name) => name === event);
  if (event === "refer") return leg.refers.receiveNotify(request, transaction);
  const known = control !== undefined || event === "message-summary";
  const { headers } = leg.capabilities;
  transaction.respond(createResponse(request, known ? 200 : 489, { headers }));
  if (!known) return;
  leg.note(request);
  if (control === undefined) return leg.onMessageSummary(request);
  if (control !== "dtmf") return leg.user().onControl(control);
  const wanted = readDigits(request.body.toString("utf8"));
  if (wanted) leg.user().onControl(control, wanted);
}

function receiveInfo(leg: TrunkDialog, request: SipRequest, transaction: ServerTransaction): void {
  // Digits of the far party's: who listens for them is SIP Server's side, and a browser has no use for any.
  const { contentType } = request;
  const known =
    request.body.length === 0 ||
    contentType?.startsWith("application/dtmf") === true ||
    leg.user().onInfo(contentType?.toLowerCase() ?? "", request.body.toString("utf8"));
  transaction.respond(createResponse(request, known ? 200 : 415, { headers: leg.capabilities.headers }));
  if (known) leg.note(request);
}
