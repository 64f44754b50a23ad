import { readReferTo, type ReferTarget } from "../message/index.ts";
import type { SipRequest } from "../message/types.ts";
import type { HeaderPair } from "../dialog/index.ts";
import type { ServerTransaction } from "../transaction/types.ts";
import { ReferNotifier, type SendNotify } from "./refer-notifier.ts";
import type { Session } from "./session.ts";

/** Longest Referred-By handed on, characters. */
const maximumReferredBy = 512;

/** Refusal of a request: status, perhaps a reason of our own, headers it asks for. */
export interface ReferRefusal {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: readonly HeaderPair[];
}

/** What a REFER asks for (RFC 3515, 3892, 4488). */
export interface ReferWish {
  readonly target: ReferTarget;
  /** Referred-By, to be copied into the INVITE. */
  readonly referredBy: string | undefined;
  /** False: `Refer-Sub: false`, no NOTIFY is wanted. */
  readonly subscribes: boolean;
}

/** Reads a REFER, within a dialog or outside any. */
export function readRefer(request: SipRequest): ReferWish | ReferRefusal {
  const { headers } = request;
  const target = readReferTo(request);
  if ("status" in target) return target;
  const referredBy = headers.get("Referred-By");
  if (headers.getAll("Referred-By").length > 1 || (referredBy?.length ?? 0) > maximumReferredBy)
    return { status: 400, reason: "Bad Referred-By" };
  const wanted = headers.get("Refer-Sub")?.split(";")[0]?.trim().toLowerCase();
  return { target, referredBy, subscribes: wanted !== "false" };
}

/** A REFER within a session's dialog that was found in order. Exactly one of `accept` and `refuse` is called. */
export interface IncomingRefer extends ReferWish {
  /** 202, then NOTIFY 100; the rest is told by the notifier returned. */
  accept(): ReferNotifier;
  refuse(status: number, reason?: string): void;
}

/**
 * Reads a REFER within `session`, refuses it here where it is faulty or comes before the session is established
 * (491), and hands it to `use` otherwise. `withId`: NOTIFYs name the REFER, as they must from the second on.
 */
export function receiveRefer(
  session: Session,
  request: SipRequest,
  transaction: ServerTransaction,
  withId: boolean,
  use: (refer: IncomingRefer) => void,
): void {
  const refuse = ({ status, reason, headers }: ReferRefusal): void =>
    session.respond(transaction, status, reason, headers);
  const wish = readRefer(request);
  if ("status" in wish) return refuse(wish);
  if (!session.established) return refuse({ status: 491 });
  const send: SendNotify = (headers, body, handlers) => session.request("NOTIFY", headers, body, handlers);
  use({
    ...wish,
    accept() {
      const contact: HeaderPair = ["Contact", session.identity.contact];
      const silent: HeaderPair[] = wish.subscribes ? [] : [["Refer-Sub", "false"]];
      session.respond(transaction, 202, undefined, [contact, ...silent]);
      const event = withId ? `refer;id=${request.cseq.sequence}` : "refer";
      const notifier = new ReferNotifier(
        event,
        wish.subscribes ? send : undefined,
        transaction.flow.reliable,
      );
      notifier.notify(100);
      return notifier;
    },
    refuse: (status, reason) => refuse({ status, ...(reason === undefined ? {} : { reason }) }),
  });
}

/** The status a NOTIFY of a REFER tells (message/sipfrag); undefined when it tells none. */
export function sipfragStatus(
  body: string,
): { readonly status: number; readonly reason: string } | undefined {
  const match = /^SIP\/2\.0 ([1-6]\d\d)(?: ([^\r\n]{0,128}))?/i.exec(body);
  return match?.[1] === undefined ? undefined : { status: Number(match[1]), reason: match[2] ?? "" };
}
