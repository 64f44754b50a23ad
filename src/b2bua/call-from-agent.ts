import type { SipPresence } from "../registrar/index.ts";
import type { IncomingInvite, ServerTransaction } from "../sip/index.ts";
import type { AgentLeg, LegEnd } from "./agent-leg.ts";
import { Call, type CallServices } from "./call.ts";
import { refusalHeaders, statusForBrowser } from "./reasons.ts";
import type { SipAgentLegs } from "./sip-agent-leg.ts";
import { TrunkLeg, type TrunkLegUser } from "./trunk-leg.ts";

/** The agent dials (genesys-sip-server.md 7.2). Early media and the answer carry the same SDP to the browser. */
export class CallFromAgent extends Call {
  readonly direction = "from-agent";
  readonly farNumber: string;
  readonly #invite: IncomingInvite;
  #browserAnswer: string | undefined;

  constructor(
    services: CallServices,
    presence: SipPresence,
    legs: SipAgentLegs,
    transaction: ServerTransaction,
  ) {
    super(services, presence, (user) => new TrunkLeg(presence.dn, services, user));
    this.farNumber = transaction.request.uri.user ?? "";
    const taken: { leg: AgentLeg; invite: IncomingInvite } = legs.take(
      presence,
      transaction,
      this.agentEvents(),
    );
    this.agent = taken.leg;
    this.#invite = taken.invite;
  }

  override async start(): Promise<void> {
    const refusal = this.#refusal();
    if (refusal) return this.finish("jackfield", refusal);
    const media = await this.openMedia();
    if (!media) return;
    const answer = await media.answerToBrowser(this.#invite.offer);
    if (this.ended) return;
    if (!answer.ok) return this.finish("jackfield", answer);
    this.#browserAnswer = answer.sdp;
    if (!this.trunk.call(this.farNumber, media.offerToTrunk()))
      this.finish("jackfield", { status: 503, reason: "no SIP Server is up" });
  }

  #refusal(): LegEnd | undefined {
    if (this.farNumber === "") return { status: 484, reason: "no number dialled" };
    if (this.#invite.offer === "") return { status: 488, reason: "INVITE without SDP offer" };
    const { state, reason } = this.services.trunkRegistrations.status(this.presence.dn);
    if (state === "in-service") return undefined;
    return { status: 480, reason: `DN is not in service at SIP Server: ${state} ${reason}`.trim() };
  }

  protected override trunkEvents(): TrunkLegUser {
    return {
      ...super.trunkEvents(),
      onProgress: (status, sdp) => this.#progress(status, sdp),
      onAnswered: (sdp) => this.#answered(sdp),
    };
  }

  /** Early media may come several times and from several places; the latest description counts. */
  #progress(status: number, sdp: string): void {
    this.limitSetUp();
    if (sdp !== "") {
      const taken = this.media?.takeTrunkAnswer(sdp);
      if (taken?.ok) {
        if (this.move("ring")) this.agent?.progress(183, this.#browserAnswer);
        this.media?.connect();
        return;
      }
      this.log.warn({ reason: taken?.reason }, "early media not usable");
    }
    if ((status === 180 || status === 183) && this.move("ring")) this.agent?.progress(status);
  }

  #answered(sdp: string): void {
    const { media } = this;
    if (!media || !this.move("answer")) return;
    // One that came in a reliable provisional response is not repeated (RFC 3262 5).
    const taken = sdp === "" && media.complete ? undefined : media.takeTrunkAnswer(sdp);
    if (taken && !taken.ok) {
      return this.finish("jackfield", { status: 488, reason: `SIP Server's answer: ${taken.reason}` });
    }
    this.agent?.answer(this.#browserAnswer ?? "");
    if (this.move("establish")) media.connect();
  }

  /** SIP Server's new leg may come while its first still rings: then it is the answer. */
  protected override settle(): void {
    if (this.#invite.pending && this.move("answer")) this.agent?.answer(this.#browserAnswer ?? "");
    super.settle();
  }

  protected override endAgent(end: LegEnd): void {
    if (!this.#invite.pending) return super.endAgent(end);
    this.#invite.reject(
      statusForBrowser(end.status === 200 ? 480 : end.status),
      undefined,
      refusalHeaders(end),
    );
  }
}
