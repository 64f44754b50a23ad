import type { KnownPresence } from "../../registrar/index.ts";
import { acceptRefer, type ReferNotifier, type ReferWish, type ServerTransaction } from "../../sip/index.ts";
import type { AgentLegs, AgentLegUser, LegEnd } from "../legs/agent-leg.ts";
import type { CallRecord } from "./call-record.ts";
import type { CallServices } from "./call-services.ts";
import { Call } from "./call.ts";
import { callerDataOf } from "../legs/caller-data.ts";
import { statusForSipServer } from "../legs/reasons.ts";
import { headersOfRefer } from "../transfer/index.ts";
import { TrunkLeg } from "../legs/trunk-leg.ts";
import type { TrunkLegUser } from "../legs/trunk-leg-user.ts";

/**
 * SIP Server asks the DN to call somebody: REFER outside any dialog (genesys-sip-server.md 8, make call with
 * refer-enabled). The agent's browser is rung and told to answer, as by NOTIFY talk; then the number is called, and
 * SIP Server hears of it by NOTIFY.
 */
export class CallByRefer extends Call {
  readonly direction = "from-agent";
  readonly farNumber: string;
  readonly #legs: AgentLegs<KnownPresence>;
  readonly #wish: ReferWish;
  readonly #transaction: ServerTransaction;
  readonly #notifier: ReferNotifier;

  constructor(
    services: CallServices,
    presence: KnownPresence,
    legs: AgentLegs<KnownPresence>,
    transaction: ServerTransaction,
    wish: ReferWish,
    number: string,
  ) {
    super(services, presence, (user) => new TrunkLeg(presence.dn, services, user));
    this.#legs = legs;
    this.#wish = wish;
    this.#transaction = transaction;
    this.farNumber = number;
    this.trunkEvents().onDialog?.(transaction.request.callId);
    this.#notifier = acceptRefer(services.context, transaction, wish, {
      route: { flow: (nextHop) => services.trunk.flowTo(nextHop) },
      identity: this.trunk.identity,
    });
  }

  override async start(): Promise<void> {
    const media = await this.openMedia();
    if (!media) return;
    const { headers } = callerDataOf(this.#transaction.request, this.services.headersToPage);
    const caller = { number: this.farNumber, displayName: undefined, headers };
    const invitation = { sdp: media.offerToBrowser(), caller, autoAnswer: [] };
    const leg = await this.#legs.invite(this.presence, invitation, this.agentEvents());
    if (this.ended) {
      leg?.cancel({ status: 487, reason: "call ended" });
      return;
    }
    if (!leg) return this.finish("jackfield", { status: 480, reason: "agent's browser cannot be reached" });
    this.agent = leg;
    this.move("ring");
    leg.talk();
  }

  protected override agentEvents(): AgentLegUser {
    return { ...super.agentEvents(), onAnswered: (sdp) => this.#agentAnswered(sdp) };
  }

  protected override trunkEvents(): TrunkLegUser {
    return {
      ...super.trunkEvents(),
      onProgress: (status, sdp) => this.#progress(status, sdp),
      onAnswered: (sdp) => this.#answered(sdp),
    };
  }

  #agentAnswered(sdp: string): void {
    const { media } = this;
    if (!media || !this.move("answer")) return;
    const taken = media.takeBrowserAnswer(sdp);
    if (!taken.ok)
      return this.finish("jackfield", { status: 480, reason: `browser's answer: ${taken.reason}` });
    const { request, flow } = this.#transaction;
    const contact = request.contacts[0]?.uri.raw;
    // By its Contact, as the NOTIFYs go: a connection that SIP Server made leads from a port nobody listens on.
    const server = (contact === undefined ? undefined : this.services.trunk.flowTo(contact)) ?? flow;
    const extras = { headers: headersOfRefer(this.#wish), flow: server };
    this.trunk.call(this.farNumber, media.offerToTrunk(), extras);
  }

  /** Early media is heard at once: the agent has answered. */
  #progress(status: number, sdp: string): void {
    this.limitSetUp();
    this.#notifier.notify(status);
    if (sdp === "") return;
    const taken = this.media?.takeTrunkAnswer(sdp);
    if (taken?.ok) this.media?.connect();
    else this.log.warn({ reason: taken?.reason }, "early media not usable");
  }

  #answered(sdp: string): void {
    // One that came in a reliable provisional response is not repeated (RFC 3262 5).
    const known = sdp === "" && this.media?.complete === true;
    const taken = known ? undefined : this.media?.takeTrunkAnswer(sdp);
    if (taken && !taken.ok)
      return this.finish("jackfield", { status: 488, reason: `SIP Server's answer: ${taken.reason}` });
    this.settle();
  }

  /** The number answered, or SIP Server put another leg in its place. */
  protected override settle(): void {
    super.settle();
    this.#notifier.notify(200);
  }

  protected override finish(by: CallRecord["endedBy"], end: LegEnd): void {
    super.finish(by, end);
    const { status } = end;
    // Hung up before the number answered.
    if (status < 300) this.#notifier.notify(487);
    else this.#notifier.notify(by === "agent" ? statusForSipServer(status) : status);
  }
}
