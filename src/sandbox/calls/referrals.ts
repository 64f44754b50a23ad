import { failedMakeCallSdp } from "../media/sdp.ts";
import { paramOf, uriOf, userOf } from "../wire/address.ts";
import type { ServerTransaction } from "../wire/server-transaction.ts";
import { headerOf } from "../wire/text.ts";
import type { AgentLeg } from "./agent-leg.ts";
import type { Call } from "./call.ts";
import type { EndCause, Party } from "./party.ts";
import { Robot } from "./robot.ts";

/** What referrals need of the switch. */
export interface ReferralExchange {
  /** The leg whose dialog a Replaces names, its tags as the sender sees them, and its call. */
  replaced(value: string): { readonly leg: AgentLeg; readonly call: Call } | undefined;
  destination(
    number: string,
    caller: string,
    call: Call,
  ): Promise<Party | { status: number; reason: string }>;
}

const transferred: EndCause = { text: "transferred" };

/** `callid;to-tag=..;from-tag=..` of a Replaces header or of a Refer-To's escaped one. */
export interface ReplacesText {
  readonly callId: string;
  readonly toTag: string | undefined;
  readonly fromTag: string | undefined;
}

export function readReplaces(value: string): ReplacesText {
  const [callId = ""] = value.split(";");
  return { callId: callId.trim(), toTag: paramOf(value, "to-tag"), fromTag: paramOf(value, "from-tag") };
}

/** Refer-To of ours: a number at `host`, with the dialog that the call to it is to replace. */
export function referTo(number: string, host: string, replaces: AgentLeg | undefined): string {
  if (!replaces) return `<sip:${number}@${host}>`;
  const { callId, localTag, remoteTag } = replaces.dialog;
  const value = `${callId};to-tag=${localTag};from-tag=${remoteTag}`;
  return `<sip:${number}@${host}?Replaces=${encodeURIComponent(value)}>`;
}

/** Replaces header of an INVITE of ours that takes the place of `leg`. */
export function replacesOf({ dialog }: AgentLeg): string {
  return `${dialog.callId};to-tag=${dialog.remoteTag};from-tag=${dialog.localTag}`;
}

/** REFER of an endpoint: 202, NOTIFY 100, the far party is joined with the target, NOTIFY 200, BYE to the legs. */
export async function takeRefer(
  exchange: ReferralExchange,
  call: Call,
  leg: AgentLeg,
  transaction: ServerTransaction,
): Promise<void> {
  const target = uriOf(headerOf(transaction.request, "Refer-To") ?? "");
  const far = call.other(leg);
  if (target === "" || !far) return transaction.respond({ status: 400, reason: "Bad Request" });
  transaction.respond({ status: 202, reason: "Accepted", extra: [leg.dialog.contact] });
  await leg.tellRefer(100, "Trying");
  const replaces = /[?&]replaces=([^&]*)/i.exec(target)?.[1];
  if (replaces !== undefined) return join(exchange, call, leg, far, decodeURIComponent(replaces));
  await moveTo(exchange, call, leg, userOf(target), (status, reason) => leg.tellRefer(status, reason));
}

/** Tells how a transfer goes: 180 and a final status. */
export type TellTransfer = (status: number, reason: string) => Promise<unknown>;

/** The far party of `leg` is joined with `number`; when that answers, the leg ends. */
export async function moveTo(
  exchange: ReferralExchange,
  call: Call,
  leg: AgentLeg,
  number: string,
  tell: TellTransfer,
): Promise<void> {
  const far = call.other(leg);
  if (!far) return void tell(481, "Call/Transaction Does Not Exist");
  const callee = await exchange.destination(number, far.name, call);
  if ("status" in callee) return void tell(callee.status, callee.reason);
  const offer = await far.askOffer();
  callee.call(offer.ok ? offer.sdp : undefined, {
    progress: (status) => void tell(status, "Ringing"),
    answered: (sdp) => {
      callee.acknowledge(undefined);
      far.acknowledge(sdp);
      call.exchange(leg, callee);
      void tell(200, "OK").then(() => leg.end(transferred));
    },
    failed: (status, reason) => {
      far.acknowledge(failedMakeCallSdp);
      void tell(status, reason);
    },
  });
}

/** Attended: the far party of the leg that Replaces names comes into this call; both of the agent's legs end. */
async function join(
  exchange: ReferralExchange,
  call: Call,
  leg: AgentLeg,
  far: Party,
  replaces: string,
): Promise<void> {
  const other = exchange.replaced(replaces);
  const done = other !== undefined && (await connect(call, leg, far, other, () => leg.tellRefer(200, "OK")));
  if (!done) await leg.tellRefer(481, "Call/Transaction Does Not Exist");
}

/** The far parties of two calls of one DN are connected, `told`, and both of its legs end; false where they cannot be. */
export async function connect(
  call: Call,
  leg: AgentLeg,
  far: Party,
  other: { readonly leg: AgentLeg; readonly call: Call },
  told: () => Promise<unknown>,
): Promise<boolean> {
  const joined = other.call.other(other.leg);
  // A DN's leg belongs to its call for good here; numbers can move.
  if (!(joined instanceof Robot)) return false;
  other.call.release(joined);
  joined.moveTo(call);
  call.exchange(leg, joined);
  await call.renegotiate(far, joined);
  await told();
  leg.end(transferred);
  other.call.end(transferred);
  return true;
}

/** INVITE of an endpoint with Replaces: its leg takes the place of `former` in that one's call. */
export async function takeReplacement(call: Call, former: AgentLeg, leg: AgentLeg): Promise<void> {
  const far = call.other(former);
  const offer = leg.offered ? leg.lastReceived : undefined;
  const answer = far && (offer === undefined ? await far.askOffer() : await far.giveOffer(offer));
  if (!answer?.ok || call.ended)
    return leg.end({ text: "cannot replace", status: 488, reason: "Not Acceptable Here" });
  call.exchange(former, leg);
  call.whenAcknowledged(leg, (sdp) => {
    if (offer === undefined) far?.acknowledge(sdp);
  });
  leg.accept(answer.sdp);
  former.end({ text: "replaced" });
}
