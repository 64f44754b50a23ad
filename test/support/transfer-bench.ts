import { createResponse, replacesValue, type OutgoingInvite, type Session } from "../../src/sip/index.ts";
import { B2buaBench, type FarEnd } from "./b2bua-bench.ts";
import { browserSdp, genesysSdp } from "./descriptions.ts";

export const browserAnswer = browserSdp({ setup: "active", payloads: "111 110" });
/** Where the new party's media is. */
export const newPlace = "192.0.2.31";

type Headers = readonly (readonly [string, string])[];

/** What names `session`'s dialog in a Replaces that is sent to its peer. */
export function replacesFor(session: Session, more = ""): string {
  const { dialog } = session;
  if (!dialog) throw new Error("no dialog");
  const { callId, remoteTag: toTag, localTag: fromTag } = dialog;
  return replacesValue({ callId, toTag, fromTag, earlyOnly: false }) + more;
}

/** Writes down the NOTIFYs that come in a far end's dialogs: `refer active;expires=185 SIP/2.0 100 Trying`. */
export function notifiesOf(end: FarEnd, status = 200): string[] {
  const told: string[] = [];
  end.user.onRequestReceived = (request, transaction) => {
    const { headers, body } = request;
    told.push(`${headers.get("Event")} ${headers.get("Subscription-State")} ${body.toString().trim()}`);
    transaction.respond(createResponse(request, status));
  };
  return told;
}

/** The statuses that notifies tell. */
export function statusesOf(notifies: readonly string[]): number[] {
  return notifies.map((notify) => Number(/SIP\/2\.0 (\d+)/.exec(notify)?.[1]));
}

/** Sends a request within a session; the list gets the final statuses. */
export function send(
  session: Session | undefined,
  method: string,
  headers: Headers = [],
  body?: string,
): number[] {
  const statuses: number[] = [];
  session?.request(method, headers, body, {
    onResponse: ({ status }) => {
      if (status >= 200) statuses.push(status);
    },
  });
  return statuses;
}

/** A B2BUA with calls to transfer. */
export class TransferBench extends B2buaBench {
  /** A call from SIP Server that the browser has answered; SIP Server's dialog of it. */
  async running(): Promise<OutgoingInvite> {
    await this.established();
    const { outgoing } = this.trunk;
    if (!outgoing) throw new Error("no call");
    return outgoing;
  }

  /** SIP Server calls the DN with Replaces. */
  async replace(
    replaces: string,
    sdp: string | undefined = genesysSdp({ address: newPlace }),
    more: Headers = [],
  ) {
    this.trunk.call("sip:5001@192.0.2.20:5070", "<sip:1004@192.0.2.10:5060>", sdp, [
      ["Replaces", replaces],
      ...more,
    ]);
    await this.pass();
    return this.trunk.outgoing;
  }

  /** Everything of both far ends and the B2BUA goes when both hang up. */
  async hangUp(): Promise<void> {
    this.browser.incoming?.session.bye();
    this.browser.outgoing?.session.bye();
    await this.pass();
  }
}
