import type { KnownPresence } from "../../registrar/index.ts";
import type { HeaderPair } from "../../sip/index.ts";
import type { CallingLeg, LegEnd, MakeCallingLeg } from "../legs/agent-leg.ts";
import type { CallServices } from "./call-services.ts";
import { Call } from "./call.ts";
import type { Dialled } from "../outbound/outbound-policy.ts";
import { TrunkLeg } from "../legs/trunk-leg.ts";
import type { TrunkLegUser } from "../legs/trunk-leg-user.ts";

/** Whom an agent's client calls, and how. */
export interface Dialling {
  /** As dialled; empty: none. */
  readonly number: string;
  /** What the policy makes of it. */
  readonly dialled: Dialled;
  /** Header lines for SIP Server. */
  readonly headers?: readonly HeaderPair[];
  /** The client has no DN of its own that could be in service. */
  readonly withoutDn?: boolean;
}

/** The agent dials (genesys-sip-server.md 7.2). Early media and the answer carry the same SDP to the browser. */
export class CallFromAgent extends Call {
  readonly direction = "from-agent";
  readonly farNumber: string;
  readonly #calling: CallingLeg;
  readonly #order: Dialling;
  /** What was taken as SIP Server's answer came from a server that has refused since. */
  #earlyMediaVoid = false;
  #browserAnswer: string | undefined;

  constructor(services: CallServices, presence: KnownPresence, order: Dialling, makeLeg: MakeCallingLeg) {
    super(services, presence, (user) => new TrunkLeg(presence.dn, services, user));
    const { dialled, number } = order;
    this.#order = order;
    this.farNumber = dialled.allowed ? dialled.number : number;
    this.#calling = makeLeg(this.agentEvents());
    this.agent = this.#calling.leg;
  }

  override async start(): Promise<void> {
    const { dialled, headers } = this.#order;
    const refusal = dialled.allowed ? this.#refusal() : dialled.end;
    if (refusal) return this.finish("jackfield", refusal);
    if (!dialled.allowed) return;
    const media = await this.openMedia();
    if (!media) return;
    const answer = await media.answerToBrowser(this.#calling.offer);
    if (this.ended) return;
    if (!answer.ok) return this.finish("jackfield", answer);
    this.#browserAnswer = answer.sdp;
    if (
      !this.trunk.call(dialled.number, media.offerToTrunk(), {
        anonymous: dialled.anonymous,
        ...(headers ? { headers } : {}),
      })
    )
      this.finish("jackfield", { status: 503, reason: "no SIP Server is up" });
  }

  #refusal(): LegEnd | undefined {
    if (this.#calling.offer === "") return { status: 488, reason: "INVITE without SDP offer" };
    if (this.#order.withoutDn) return undefined;
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
    if (this.#calling.pending && this.move("answer")) this.agent?.answer(this.#browserAnswer ?? "");
    super.settle();
  }

  protected override endAgent(end: LegEnd): void {
    if (this.#calling.pending) this.#calling.leg.reject(end);
    else super.endAgent(end);
  }
}
