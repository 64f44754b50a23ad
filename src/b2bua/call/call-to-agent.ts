import type { Timer } from "../../core/index.ts";
import type { KnownPresence } from "../../registrar/index.ts";
import type { IncomingInvite, ServerTransaction } from "../../sip/index.ts";
import type { AgentLegs, AgentLegUser, LegEnd } from "../legs/agent-leg.ts";
import type { CallMedia } from "../media/call-media.ts";
import type { CallRecord } from "./call-record.ts";
import { asksForAutoAnswer, autoAnswerHeaders } from "../clients/auto-answer.ts";
import { callerDataOf } from "../legs/caller-data.ts";
import { clientKindOf, type ClientKind } from "../clients/client-kinds.ts";
import type { CallServices } from "./call-services.ts";
import { Call } from "./call.ts";
import { statusForSipServer } from "../legs/reasons.ts";
import { TrunkLeg } from "../legs/trunk-leg.ts";
import type { TrunkLegUser } from "../legs/trunk-leg-user.ts";

/**
 * SIP Server calls the DN (genesys-sip-server.md 5): media is opened and the browser rung at once, so that NOTIFY
 * talk finds a leg that only needs its answer.
 */
export class CallToAgent extends Call {
  readonly direction = "to-agent";
  readonly farNumber: string;
  readonly #invite: IncomingInvite;
  readonly #legs: AgentLegs<KnownPresence>;
  readonly #client: ClientKind;
  #talkWanted = false;
  /** The answer to our offer came with the PRACK of our 180. */
  #answeredEarly = false;
  /** The client was rung with headers that make it answer at once: its next answer is no person's. */
  #answersByItself: boolean;
  /** Until the client must have answered: on talk, or by itself. */
  #talkPatience: Timer | undefined;
  #preanswerPatience: Timer | undefined;

  constructor(
    services: CallServices,
    presence: KnownPresence,
    legs: AgentLegs<KnownPresence>,
    transaction: ServerTransaction,
  ) {
    super(services, presence, (user) => new TrunkLeg(presence.dn, services, user));
    this.#legs = legs;
    this.farNumber = transaction.request.from.uri.user ?? transaction.request.from.uri.raw;
    this.#invite = this.trunk.take(transaction);
    this.#client = clientKindOf(presence, services.clients);
    this.#answersByItself = this.#client.answerBy === "preanswer" && this.#client.autoAnswer.length > 0;
    const autoAnswer = services.autoAnswer(presence.dn);
    this.#talkWanted =
      autoAnswer === "always" || (autoAnswer === "header" && asksForAutoAnswer(transaction.request));
  }

  override async start(): Promise<void> {
    const media = await this.openMedia();
    if (!media) return;
    const { offer } = this.#invite;
    const examined = offer === "" ? undefined : media.examineTrunkOffer(offer);
    if (examined && !examined.ok) return this.finish("jackfield", examined);
    const { services } = this;
    const invitation = {
      sdp: media.offerToBrowser(),
      caller: callerDataOf(this.#invite.request, services.headersToPage),
      autoAnswer: this.#answersByItself ? autoAnswerHeaders(this.#client.autoAnswer, services.realm) : [],
    };
    const leg = await this.#legs.invite(this.presence, invitation, this.agentEvents());
    if (this.ended) {
      leg?.cancel({ status: 487, reason: "caller gave up" });
      return;
    }
    if (!leg) return this.finish("jackfield", { status: 480, reason: "agent's browser cannot be reached" });
    this.agent = leg;
    // The browser has a flow and its INVITE: only now is it true that somebody can be rung.
    // A reliable 180 to an offerless INVITE must carry the offer (RFC 3262 5).
    const offersEarly = offer === "" && this.#invite.reliable;
    if (this.move("ring")) this.trunk.ring(offersEarly ? media.offerToTrunk() : undefined);
    this.#awaitPreanswer();
    if (this.#talkWanted) this.#talk();
  }

  /** A client that does not answer by itself after all is rung anew for its user: a late answer must be a person's. */
  #awaitPreanswer(): void {
    if (!this.#answersByItself || this.state !== "ringing") return;
    const { clock } = this.services.context;
    this.#preanswerPatience = clock.setTimer(this.services.preanswerPatienceMs, () => {
      if (this.state !== "ringing") return;
      this.#answersByItself = false;
      this.log.warn({ client: this.presence.userAgent }, "client did not answer by itself: a person must");
      this.agent?.ringByHand();
    });
  }

  protected override agentEvents(): AgentLegUser {
    const running = super.agentEvents();
    return {
      ...running,
      onAnswered: (sdp) => this.#agentAnswered(sdp),
      onDigits: (digits, durationMs) => {
        if (this.state !== "parked") running.onDigits(digits, durationMs);
      },
    };
  }

  protected override trunkEvents(): TrunkLegUser {
    return {
      ...super.trunkEvents(),
      onAcknowledged: (sdp) => this.#acknowledged(sdp),
      onEarlyAnswer: (sdp) => {
        this.#answeredEarly = true;
        // The agent may have been faster: then our 200 only waited for this.
        if (this.#takeAnswer(sdp, "answer in PRACK") && this.state === "answering") this.#establish();
      },
    };
  }

  /** NOTIFY talk while ringing: the desktop pressed Answer. Twice or too early makes no difference. */
  protected override answerWanted(): void {
    this.#talkWanted = true;
    if (this.agent) this.#talk();
  }

  #talk(): void {
    const { media } = this;
    if (this.state === "parked") {
      if (media && this.move("answer")) this.#answerTrunk(media);
      return;
    }
    // Already on its way.
    if (this.#answersByItself) return;
    this.agent?.talk();
    // Only a client that answers on talk is held to it; a person at another softphone may take longer.
    const { answerBy } = this.#client;
    if (answerBy !== "page")
      this.log.info({ client: this.presence.userAgent }, "client cannot answer on talk: a person must");
    if (this.#talkPatience || answerBy !== "page") return;
    const { talkPatienceMs } = this.services;
    this.log.debug({ seconds: talkPatienceMs / 1000 }, "talk patience runs: the page must answer");
    this.#talkPatience = this.services.context.clock.setTimer(talkPatienceMs, () => {
      if (this.state === "ringing")
        this.finish("jackfield", { status: 480, reason: "the page did not answer on NOTIFY talk" });
    });
  }

  #agentAnswered(sdp: string): void {
    const { media } = this;
    const parks = this.#answersByItself && !this.#talkWanted;
    if (!media || !this.move(parks ? "park" : "answer")) return;
    this.#preanswerPatience?.clear();
    const taken = media.takeBrowserAnswer(sdp);
    if (!taken.ok)
      return this.finish("jackfield", { status: 480, reason: `browser's answer: ${taken.reason}` });
    // Parked: ICE and DTLS come up, and nothing is relayed before SIP Server's talk.
    if (!parks) this.#answerTrunk(media);
  }

  #answerTrunk(media: CallMedia): void {
    const { offer } = this.#invite;
    if (this.#answeredEarly) {
      this.trunk.answer("");
      return this.#establish();
    }
    if (offer === "") {
      this.trunk.answer(media.offerToTrunk());
      return this.#tellFar();
    }
    const answer = media.answerToTrunk(offer);
    if (!answer.ok) return this.finish("jackfield", answer);
    this.trunk.answer(answer.sdp);
    this.#establish();
  }

  /** The ACK: with the answer when the INVITE had no offer. SIP Server may send it 32 s after our 200. */
  #acknowledged(sdp: string): void {
    if (this.#invite.offer !== "" || this.#answeredEarly) return;
    if (!this.#takeAnswer(sdp, "answer in ACK")) return;
    this.#establish();
    this.#tellFar();
  }

  /** SIP Server may put another leg in the place of one whose ACK it still owes. */
  protected override settle(): void {
    const waited = this.state === "answering";
    super.settle();
    if (waited) this.#tellFar();
  }

  /** Of a call that SIP Server set up for the agent: its ACK comes when the far side has answered. */
  #tellFar(): void {
    const { state } = this;
    if (!this.services.pageRingback || this.#invite.offer !== "") return;
    if (state === "answering") this.news.tell({ far: "ringing" });
    if (state === "established") this.news.tell({ far: "connected" });
  }

  /** False when SIP Server's answer to our offer was of no use, which ends the call. */
  #takeAnswer(sdp: string, what: string): boolean {
    const taken = this.media?.takeTrunkAnswer(sdp);
    if (!taken || taken.ok) return taken !== undefined;
    this.finish("jackfield", { status: 488, reason: `${what}: ${taken.reason}` });
    return false;
  }

  #establish(): void {
    if (this.move("establish")) this.media?.connect();
  }

  protected override finish(by: CallRecord["endedBy"], end: LegEnd): void {
    this.#talkPatience?.clear();
    this.#preanswerPatience?.clear();
    super.finish(by, end);
  }

  protected override endTrunk(by: CallRecord["endedBy"], end: LegEnd): void {
    const refused = by === "agent" && this.#invite.pending;
    super.endTrunk(by, refused ? { ...end, status: statusForSipServer(end.status) } : end);
  }
}
