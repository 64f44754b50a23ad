import type { Clock, Timer } from "../../core/index.ts";
import type { OfferReply } from "../../sip/index.ts";
import type { Answered, CallMedia } from "../media/call-media.ts";
import type { TrunkLeg } from "../legs/trunk-leg.ts";
import type { CallSides } from "./call-sides.ts";

/** What offers need of the call they belong to. */
export interface OffersCall extends CallSides {
  readonly clock: Clock;
}

/** A hold or retrieve that SIP Server could not take just now (5xx) is offered again after so long, so many times. */
const retryMs = 2000;
const maximumRetries = 3;

/** Offers of both sides of an established call: hold, retrieve, moves of SIP Server's media, ICE restarts. */
export class CallOffers {
  readonly #call: OffersCall;
  #gaveWay = false;
  #directionQueued = false;
  #retries = 0;
  #retry: Timer | undefined;

  constructor(call: OffersCall) {
    this.#call = call;
  }

  /** NOTIFY hold: carried out here, and told to the client so that it shows it. Safe to repeat. */
  hold(): void {
    this.#gaveWay = false;
    this.#hold();
  }

  /** Likewise, since another call of the client's is heard from now on. */
  giveWay(): void {
    this.#gaveWay = true;
    this.#hold();
  }

  /** It was put on hold for another call's sake and has not been heard since, see `keepOneActive`. */
  get gaveWay(): boolean {
    return this.#gaveWay;
  }

  /** Sound runs. */
  heard(): void {
    this.#gaveWay = false;
  }

  #hold(): void {
    const changed = this.#call.media()?.control("notify-hold");
    this.#call.agent()?.hold();
    if (changed) this.#directionChanged();
  }

  /** NOTIFY talk: a client that holds too, by its own re-INVITE, is asked to retrieve. Nothing on a call not held. */
  retrieve(): void {
    const media = this.#call.media();
    if (!media?.holding) return;
    const changed = media.control("notify-talk");
    this.#call.agent()?.talk();
    if (changed) this.#directionChanged();
  }

  /** The client came back by another connection and may have missed that its call is held. */
  repeatHold(): void {
    if (this.#call.media()?.hold === "by-sip-server") this.#call.agent()?.hold();
  }

  close(): void {
    this.#retry?.clear();
  }

  /** The browser's re-INVITE is answered here at once; SIP Server hears of a changed hold only. */
  fromAgent(sdp: string, reply: OfferReply): void {
    this.#answerAgent((media) => media.answerToBrowser(sdp), reply);
  }

  /** Likewise the offer of a new leg, which takes the browser's side over. */
  fromNewLeg(sdp: string, reply: OfferReply): void {
    this.#answerAgent((media) => media.takeOverBrowser(sdp), reply);
  }

  #answerAgent(answerBy: (media: CallMedia) => Promise<Answered>, reply: OfferReply): void {
    this.#answer(answerBy, reply).catch((error: unknown) => {
      // The media session can be lost while it makes new ICE credentials.
      this.#call.log.warn({ err: error }, "offer of the browser's could not be answered");
      reply.reject(500);
    });
  }

  async #answer(answerBy: (media: CallMedia) => Promise<Answered>, reply: OfferReply): Promise<void> {
    const media = this.#call.media();
    if (!media) return reply.reject(488);
    const heldBefore = media.holding;
    const answer = await answerBy(media);
    if (this.#call.state() === "ended") return reply.reject(481);
    if (!answer.ok) return reply.reject(answer.status, answer.reason);
    reply.accept(answer.sdp);
    if (media.holding !== heldBefore) {
      media.applyHold();
      this.#directionChanged();
    }
  }

  /** SIP Server's re-INVITE is absorbed: the relay moves, the browser is not asked. */
  fromTrunk(sdp: string, reply: OfferReply): void {
    const media = this.#call.media();
    if (!media) return reply.reject(488);
    if (sdp === "") {
      const trunk = this.#call.trunk();
      const offered = media.offerToTrunk();
      const { trunkOffer } = media;
      reply.accept(offered, (answer) => this.#takeTrunkAnswer(trunk, answer, trunkOffer));
      return;
    }
    const answer = media.answerToTrunk(sdp);
    if (answer.ok) reply.accept(answer.sdp);
    else reply.reject(answer.status, answer.reason);
  }

  /** A refresh of ours changes nothing, yet what SIP Server answers may have moved its media. */
  refreshedByTrunk(sdp: string): void {
    const taken = this.#call.media()?.takeTrunkRefresh(sdp);
    if (taken && !taken.ok) this.#call.log.warn({ reason: taken.reason }, "answer to our refresh not usable");
  }

  #directionChanged(): void {
    this.#retries = 0;
    this.#tellTrunkDirection();
  }

  /** What was queued or under way went with the former leg; what the new one was not told yet follows. */
  trunkExchanged(holdTold: boolean): void {
    this.#retry?.clear();
    this.#directionQueued = false;
    if (this.#call.media()?.holding !== holdTold) this.#directionChanged();
  }

  /** One that waits tells the direction of the time when it goes out: a second one would say the same. */
  #tellTrunkDirection(): void {
    this.#retry?.clear();
    // Parked, SIP Server knows of no answer that could change: the one still to come says the direction of its time.
    if (this.#directionQueued || this.#call.state() === "parked") return;
    this.#directionQueued = true;
    const trunk = this.#call.trunk();
    let trunkOffer: CallMedia["trunkOffer"];
    trunk.reinvite(
      () => {
        if (this.#call.trunk() === trunk) this.#directionQueued = false;
        const media = this.#call.media();
        const offered = media?.offerToTrunk() ?? "";
        trunkOffer = media?.trunkOffer;
        return offered;
      },
      (sdp) => this.#takeTrunkAnswer(trunk, sdp, trunkOffer),
      (status) => {
        if (this.#call.trunk() === trunk) this.#directionRefused(status);
      },
    );
  }

  /**
   * SIP Server keeps the description it had (RFC 3261 14.1). A hold it refuses stays: the agent counts on not being
   * heard, and the relay sends nothing. A retrieve it refuses has failed: the call is held again, and the client told.
   */
  #directionRefused(status: number): void {
    this.#directionQueued = false;
    const media = this.#call.media();
    if (!media || this.#call.state() === "ended") return;
    if (status >= 500 && status < 600 && this.#retries < maximumRetries) {
      this.#retries++;
      this.#call.log.info({ status, againInS: retryMs / 1000 }, "SIP Server takes no change of hold for now");
      this.#retry = this.#call.clock.setTimer(retryMs, () => this.#tellTrunkDirection());
      return;
    }
    this.#call.log.warn({ status, hold: media.hold }, "SIP Server takes no change of hold");
    if (media.holding) return;
    media.control("notify-hold");
    this.#call.agent()?.hold();
  }

  /** What a leg says that was exchanged meanwhile moves nothing. */
  #takeTrunkAnswer(trunk: TrunkLeg, sdp: string, offer: CallMedia["trunkOffer"]): void {
    if (this.#call.trunk() !== trunk) return;
    const taken = this.#call.media()?.takeTrunkAnswer(sdp, offer);
    if (taken && !taken.ok)
      this.#call.log.warn({ reason: taken.reason }, "answer to our re-INVITE not usable");
  }
}
