import type { ServerTransaction } from "../../sip/index.ts";
import { callerDataOf } from "../legs/caller-data.ts";
import { TrunkLeg } from "../legs/trunk-leg.ts";
import type { ExchangeTrunk, TransferCall } from "./transfer-call.ts";

/**
 * INVITE with Replaces (RFC 3891): its dialog takes the place of the call's present one at SIP Server, at once and
 * without a word to the agent; the browser keeps its dialog and its media, the relay turns to the new address.
 * An INVITE that cannot be answered is refused and changes nothing.
 */
export function replaceTrunk(
  call: TransferCall,
  transaction: ServerTransaction,
  exchange: ExchangeTrunk,
): void {
  const leg = new TrunkLeg(call.dn, call.options, {
    ...call.runningEvents(),
    onCallUuid() {},
    onCallData() {},
    onFailed: ({ reason }) => call.log.info({ reason }, "INVITE with Replaces came to nothing"),
  });
  const invite = leg.take(transaction);
  const media = call.media();
  if (!media) return leg.end({ status: 488, reason: "call has no media yet" });
  const { offer } = invite;
  const answer = offer === "" ? undefined : media.answerToTrunk(offer);
  if (answer && !answer.ok) return leg.end(answer);
  leg.answer(answer ? answer.sdp : media.offerToTrunk());
  exchange(leg, {
    party: callerDataOf(invite.request, call.options.headersToPage),
    staysMs: 0,
    holdTold: media.holding,
  });
  if (answer) return call.settle();
  leg.handTo({
    ...call.runningEvents(),
    onAcknowledged(sdp) {
      const taken = media.takeTrunkAnswer(sdp);
      if (taken.ok) call.settle();
      else call.finish("jackfield", { status: 488, reason: `answer in ACK: ${taken.reason}` });
    },
  });
}
