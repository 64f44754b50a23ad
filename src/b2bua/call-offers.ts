import type { Logger } from "../core/index.ts";
import type { OfferReply } from "../sip/index.ts";
import type { AgentLeg } from "./agent-leg.ts";
import type { CallMedia } from "./call-media.ts";
import type { TrunkLeg } from "./trunk-leg.ts";

/** What offers need of the call they belong to; asked anew each time, since legs and media come and change. */
export interface OffersCall {
  readonly log: Logger;
  media(): CallMedia | undefined;
  agent(): AgentLeg | undefined;
  trunk(): TrunkLeg;
  ended(): boolean;
  /** The client answered before SIP Server wished it: SIP Server knows of no answer that could change. */
  parked(): boolean;
}

/** Offers of both sides of an established call: hold, retrieve, moves of SIP Server's media, ICE restarts. */
export class CallOffers {
  readonly #call: OffersCall;
  #directionQueued = false;

  constructor(call: OffersCall) {
    this.#call = call;
  }

  /** NOTIFY talk and hold on an established call: retrieve and hold (genesys-sip-server.md 6). */
  control(event: "talk" | "hold" | "beep"): void {
    if (event === "beep") return;
    const media = this.#call.media();
    // The browser holds by its own re-INVITE, so only it can retrieve: the page is asked to.
    if (event === "talk" && media?.browserHolds) this.#call.agent()?.talk();
    if (media?.setAskedHold(event === "hold")) this.#tellTrunkDirection();
  }

  /** The browser's re-INVITE is answered here at once; SIP Server hears of a changed hold only. */
  fromAgent(sdp: string, reply: OfferReply): void {
    this.#answerAgent(sdp, reply).catch((error: unknown) => {
      // The media session can be lost while it makes new ICE credentials.
      this.#call.log.warn({ err: error }, "offer of the browser's could not be answered");
      reply.reject(500);
    });
  }

  async #answerAgent(sdp: string, reply: OfferReply): Promise<void> {
    const media = this.#call.media();
    if (!media) return reply.reject(488);
    const heldBefore = media.holding;
    const answer = await media.answerToBrowser(sdp);
    if (this.#call.ended()) return reply.reject(481);
    if (!answer.ok) return reply.reject(answer.status, answer.reason);
    reply.accept(answer.sdp);
    if (media.holding !== heldBefore) {
      media.applyHold();
      this.#tellTrunkDirection();
    }
  }

  /** SIP Server's re-INVITE is absorbed: the relay moves, the browser is not asked. */
  fromTrunk(sdp: string, reply: OfferReply): void {
    const media = this.#call.media();
    if (!media) return reply.reject(488);
    if (sdp === "") {
      reply.accept(media.offerToTrunk(), (answer) => this.#takeTrunkAnswer(answer));
      return;
    }
    const answer = media.answerToTrunk(sdp);
    if (answer.ok) reply.accept(answer.sdp);
    else reply.reject(answer.status, answer.reason);
  }

  /** One that waits tells the direction of the time when it goes out: a second one would say the same. */
  #tellTrunkDirection(): void {
    // The answer that is still to come says the direction of its time.
    if (this.#directionQueued || this.#call.parked()) return;
    this.#directionQueued = true;
    this.#call.trunk().reinvite(
      () => {
        this.#directionQueued = false;
        return this.#call.media()?.offerToTrunk() ?? "";
      },
      (sdp) => this.#takeTrunkAnswer(sdp),
    );
  }

  #takeTrunkAnswer(sdp: string): void {
    const taken = this.#call.media()?.takeTrunkAnswer(sdp);
    if (taken && !taken.ok)
      this.#call.log.warn({ reason: taken.reason }, "answer to our re-INVITE not usable");
  }
}
