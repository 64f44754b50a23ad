import type { SipPresence } from "../../registrar/index.ts";
import type { HeaderPair, IncomingInvite, ServerTransaction } from "../../sip/index.ts";
import type { AgentLeg, LegEnd } from "../legs/agent-leg.ts";
import { Call, type CallServices } from "./call.ts";
import { plainOutbound, readDialled, type Dialled } from "../outbound/outbound-policy.ts";
import { refusalHeaders, statusForBrowser } from "../legs/reasons.ts";
import type { SipAgentLegs } from "../legs/sip-agent-leg.ts";
import { TrunkLeg, type TrunkLegUser } from "../legs/trunk-leg.ts";

/** The agent dials (genesys-sip-server.md 7.2). Early media and the answer carry the same SDP to the browser. */
export class CallFromAgent extends Call {
  readonly direction = "from-agent";
  readonly farNumber: string;
  readonly #invite: IncomingInvite;
  readonly #dialled: Dialled;
  /** What was taken as SIP Server's answer came from a server that has refused since. */
  #earlyMediaVoid = false;
  #browserAnswer: string | undefined;

  constructor(
    services: CallServices,
    presence: SipPresence,
    legs: SipAgentLegs,
    transaction: ServerTransaction,
    /** As dialled; empty: none. */
    number: string,
  ) {
    super(services, presence, (user) => new TrunkLeg(presence.dn, services, user));
    this.#dialled = readDialled(services.outbound ?? plainOutbound, transaction.request, number);
    this.farNumber = this.#dialled.allowed ? this.#dialled.number : number;
    const taken: { leg: AgentLeg; invite: IncomingInvite } = legs.take(
      presence,
      transaction,
      this.agentEvents(),
    );
    this.agent = taken.leg;
    this.#invite = taken.invite;
  }

  override async start(): Promise<void> {
    const dialled = this.#dialled;
    const refusal = dialled.allowed ? this.#refusal() : dialled.end;
    if (refusal) return this.finish("jackfield", refusal);
    if (!dialled.allowed) return;
    const media = await this.openMedia();
    if (!media) return;
    const answer = await media.answerToBrowser(this.#invite.offer);
    if (this.ended) return;
    if (!answer.ok) return this.finish("jackfield", answer);
    this.#browserAnswer = answer.sdp;
    if (!this.trunk.call(dialled.number, media.offerToTrunk(), { anonymous: dialled.anonymous }))
      this.finish("jackfield", { status: 503, reason: "no SIP Server is up" });
  }

  #refusal(): LegEnd | undefined {
    if (this.#invite.offer === "") return { status: 488, reason: "INVITE without SDP offer" };
    const { state, reason } = this.services.trunkRegistrations.status(this.presence.dn);
    if (state === "in-service") return undefined;
    return { status: 480, reason: `DN is not in service at SIP Server: ${state} ${reason}`.trim() };
  }

  protected override trunkEvents(): TrunkLegUser {
    return {
      ...super.trunkEvents(),
      onProgress: (status, sdp, data) => this.#progress(status, sdp, data),
      onAnswered: (sdp, data) => this.#answered(sdp, data),
      onNextServer: () => this.#dropEarlyMedia(),
    };
  }

  /** The first server's early media is nobody's any more; the next description opens the way again. */
  #dropEarlyMedia(): void {
    this.#earlyMediaVoid = true;
    this.media?.session.setDirection("trunk", "inactive");
  }

  /** Early media may come several times and from several places; the latest description counts. */
  #progress(status: number, sdp: string, data: readonly HeaderPair[]): void {
    this.limitSetUp();
    if (sdp !== "") {
      const taken = this.media?.takeTrunkAnswer(sdp);
      if (taken?.ok) {
        this.#earlyMediaVoid = false;
        if (this.move("ring")) this.agent?.progress(183, this.#browserAnswer, data);
        this.media?.connect();
        return;
      }
      this.log.warn({ reason: taken?.reason }, "early media not usable");
    }
    if ((status === 180 || status === 183) && this.move("ring"))
      this.agent?.progress(status, undefined, data);
  }

  #answered(sdp: string, data: readonly HeaderPair[]): void {
    const { media } = this;
    if (!media || !this.move("answer")) return;
    // One that came in a reliable provisional response is not repeated (RFC 3262 5).
    const taken =
      sdp === "" && media.complete && !this.#earlyMediaVoid ? undefined : media.takeTrunkAnswer(sdp);
    if (taken && !taken.ok) {
      return this.finish("jackfield", { status: 488, reason: `SIP Server's answer: ${taken.reason}` });
    }
    this.agent?.answer(this.#browserAnswer ?? "", data);
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
