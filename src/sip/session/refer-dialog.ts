import { randomId } from "../../core/index.ts";
import { dialogOfUas, type HeaderPair } from "../dialog/index.ts";
import { createResponse } from "../message/index.ts";
import type { ServerTransaction } from "../transaction/types.ts";
import type { ReferWish } from "./incoming-refer.ts";
import { ReferNotifier } from "./refer-notifier.ts";
import type { SessionContext, SessionIdentity, SessionRoute } from "./types.ts";

/**
 * Accepts a REFER outside any dialog: 202, then NOTIFY 100 in the dialog that the two make (RFC 3515 2.4.4). Nothing
 * but our NOTIFYs goes by that dialog: it is listed nowhere, so that requests within it get 481.
 */
export function acceptRefer(
  context: SessionContext,
  transaction: ServerTransaction,
  { subscribes }: ReferWish,
  parts: { readonly route: Pick<SessionRoute, "flow">; readonly identity: SessionIdentity },
): ReferNotifier {
  const { request, flow } = transaction;
  const { contact, headers } = parts.identity;
  const toTag = randomId(context.random);
  const dialog = dialogOfUas(request, toTag);
  const silent: HeaderPair[] = subscribes ? [] : [["Refer-Sub", "false"]];
  transaction.respond(
    createResponse(request, 202, { toTag, headers: [["Contact", contact], ...headers, ...silent] }),
  );
  const notifier = new ReferNotifier(
    "refer",
    subscribes
      ? (more, body, handlers) => {
          const notify = dialog.createRequest("NOTIFY", [["Contact", contact], ...headers, ...more], body);
          context.transactions.request(notify, parts.route.flow(dialog.nextHop) ?? flow, {
            onResponse: (response) => handlers.onResponse?.(response),
            onTimeout: () => handlers.onFailure?.("NOTIFY not answered in time"),
            onTransportError: (error) => handlers.onFailure?.(error.message),
          });
        }
      : undefined,
    flow.reliable,
  );
  notifier.notify(100);
  return notifier;
}
