import type { Dialog } from "../dialog/index.ts";
import type { SipRequest, SipResponse } from "../message/types.ts";
import { sendAuthenticated, type Authentication } from "./authenticated-request.ts";
import type { SessionContext, SessionRoute } from "./types.ts";

/** What requests within a dialog need of the session they belong to. */
export interface RequestHost {
  readonly context: SessionContext;
  readonly route: SessionRoute;
  readonly authentication: Authentication | undefined;
  readonly dialog: Dialog | undefined;
  /** RFC 3261 12.2.1.2: 481, 408 or silence within a dialog ends it. */
  peerLost(cause: string, method: string): void;
}

export interface InDialogHandlers {
  /**
   * No part of the call: that nobody answers it does not end the session, as that nobody has it (481) still does.
   * RFC 3261 12.2.1.2 would have the dialog end after a time-out; a call lost by an INFO that a peer passes over is worse.
   */
  readonly aside?: true;
  onResponse?(response: SipResponse): void;
  /** Timer, transport or no flow within the route's grace. */
  onFailure?(reason: string): void;
}

/** Sends a request within the session's dialog; waits for a flow as long as the route allows. */
export function sendInDialog(session: RequestHost, request: SipRequest, handlers: InDialogHandlers): void {
  if (sendNow(session, request, handlers)) return;
  void session.route.waitForFlow().then(() => {
    if (!sendNow(session, request, handlers)) handlers.onFailure?.("peer cannot be reached");
  });
}

/** False when there is no flow to send by. */
function sendNow(session: RequestHost, request: SipRequest, handlers: InDialogHandlers): boolean {
  const { context, dialog, route, authentication } = session;
  const flow = dialog && route.flow(dialog.nextHop);
  if (!dialog || !flow) return false;
  sendAuthenticated(
    context.transactions,
    request,
    flow,
    {
      onResponse: (response) => {
        if (response.status === 481 || (response.status === 408 && !handlers.aside))
          session.peerLost(`${response.status} ${response.reason}`, request.method);
        handlers.onResponse?.(response);
      },
      onTimeout: () => {
        if (!handlers.aside) session.peerLost("no answer", request.method);
        handlers.onFailure?.(`${request.method} not answered in time`);
      },
      onTransportError: (error) => handlers.onFailure?.(`transport: ${error.message}`),
    },
    authentication,
    () => dialog.nextSequence(),
  );
  return true;
}
