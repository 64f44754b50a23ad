import { randomId, StateMachine, TypedEvents, type Logger } from "../../core/index.ts";
import type { MediaSession, MediaStatistics } from "../../media/index.ts";
import type { KnownPresence } from "../../registrar/index.ts";
import type { Flow } from "../../sip/index.ts";
import type { CallFacts, CallTrace, TraceSide } from "../../trace/index.ts";
import type { AgentLeg, AgentLegUser, LegEnd } from "../legs/agent-leg.ts";
import { setUpIsOver, type TrunkLegUser } from "../legs/trunk-leg-user.ts";
import type { TrunkLeg } from "../legs/trunk-leg.ts";
import type { CallMedia } from "../media/call-media.ts";
import type { CallQualityNow } from "../media/call-quality.ts";
import { CallTransfers, type TransferCall } from "../transfer/index.ts";
import { CallControl } from "./call-control.ts";
import { callLogger } from "./call-log.ts";
import { CallNews } from "./call-news.ts";
import { CallOffers } from "./call-offers.ts";
import { makeRecord, type CallRecord } from "./call-record.ts";
import { CallResume } from "./call-resume.ts";
import type { CallServices } from "./call-services.ts";
import type { CallSides } from "./call-sides.ts";
import { callTransitions, type CallInput, type CallState } from "./call-state.ts";
import { CallSound } from "./call-sound.ts";
import { CallTimes } from "./call-times.ts";
import { DialogCheck } from "./dialog-check.ts";
import { mediaRefusal } from "./media-refusal.ts";
import { SetUpPatience } from "./set-up-patience.ts";

/** What a call tells who keeps it. */
export type CallEvents = {
  /** `Call.active` has changed. */
  active: [];
  /** Once, when the call is over and everything of it is freed. */
  ended: [record: CallRecord];
};

/** The reason of a call that an administrator hung up, toward both sides and in its record. */
export const endedByOperator = "ended by operator";

/**
 * A call: the agent's leg, SIP Server's leg, the media between, and the rules that hold once it is established. The
 * ways to get there are `CallToAgent`, `CallFromAgent` and `CallByRefer`. docs/lifetimes.md says who closes what.
 */
export abstract class Call {
  readonly id: string;
  readonly presence: KnownPresence;
  readonly transfers: CallTransfers;
  readonly events: TypedEvents<CallEvents>;
  protected readonly services: CallServices;
  protected readonly log: Logger;
  protected readonly news = new CallNews(() => this.agent);
  /** SIP Server's leg; a transfer may put another in its place. */
  protected trunk: TrunkLeg;
  protected agent: AgentLeg | undefined;
  readonly #machine: StateMachine<CallState, CallInput>;
  readonly #times: CallTimes;
  readonly #offers: CallOffers;
  readonly #control: CallControl;
  readonly #sound: CallSound;
  readonly #dialogCheck: DialogCheck;
  readonly #resume: CallResume;
  readonly #setUpPatience: SetUpPatience;
  readonly #releaseRegistration: () => void;
  readonly #trace: CallTrace | undefined;
  #end: LegEnd | undefined;
  /** Set by `finish`; called once, when the last counters are here. */
  #writeRecord: ((media: MediaStatistics | undefined) => void) | undefined;

  constructor(
    services: CallServices,
    presence: KnownPresence,
    makeTrunkLeg: (user: TrunkLegUser) => TrunkLeg,
  ) {
    this.services = services;
    this.presence = presence;
    this.id = randomId(services.context.random, 8);
    this.#trace = services.tracer?.begin(this.id, () => this.#facts());
    this.log = this.#logger();
    this.events = new TypedEvents(this.log);
    this.#machine = new StateMachine(callTransitions, "setting-up", this.log, "info");
    this.#times = new CallTimes(services.context.clock);
    this.#sound = this.#makeSound();
    const { clock } = services.context;
    this.#setUpPatience = new SetUpPatience(clock, this.log, (end) => this.finish("jackfield", end));
    const sides = this.#sides();
    this.#offers = new CallOffers({ ...sides, clock });
    const answerWanted = (): void => this.answerWanted();
    this.#control = new CallControl({ ...sides, offers: this.#offers, answerWanted });
    this.transfers = new CallTransfers(this.#transferCall(sides));
    this.#resume = this.#makeResume(sides);
    this.#releaseRegistration = services.trunkRegistrations.retain(presence.dn);
    this.trunk = makeTrunkLeg(this.trunkEvents());
    this.#dialogCheck = this.#makeDialogCheck();
    this.#setUpPatience.start();
  }

  #sides(): CallSides {
    return {
      log: this.log,
      state: () => this.state,
      media: () => this.media,
      agent: () => this.agent,
      trunk: () => this.trunk,
    };
  }

  #makeSound(): CallSound {
    return new CallSound({
      services: this.services,
      presence: this.presence,
      log: this.log,
      trace: this.#trace,
      ended: () => this.ended,
      onActive: (active) => this.#activeChanged(active),
      onQuality: (notice) => {
        if (this.state === "established") this.agent?.tellQuality(notice);
      },
      onClosed: (reason, statistics) => this.#mediaClosed(reason, statistics),
    });
  }

  #makeResume(sides: CallSides): CallResume {
    const { context, newCallGraceMs } = this.services;
    return new CallResume({
      ...context,
      ...sides,
      presence: this.presence,
      offers: this.#offers,
      news: this.news,
      patienceMs: newCallGraceMs,
      setAgent: (leg) => (this.agent = leg),
      giveUp: (end) => this.finish("agent", end),
    });
  }

  #makeDialogCheck(): DialogCheck {
    return new DialogCheck({
      ...this.services.context,
      log: this.log,
      mediaFlows: () => this.#sound.flows("trunk"),
      mediaSilent: () => this.#sound.trunkSilent,
      probe: (done) => this.trunk.probe(done),
      onDead: (reason) => this.finish("jackfield", { status: 408, reason }),
    });
  }

  #logger(leg?: TraceSide): Logger {
    const bindings = { call: this.id, dn: this.presence.dn, ...(leg === undefined ? {} : { leg }) };
    const log = this.services.context.log.child(bindings);
    const facts = () => (this.trunk?.callUuid === undefined ? {} : { callUuid: this.trunk.callUuid });
    return callLogger({ log, facts, trace: this.#trace, ...(leg === undefined ? {} : { leg }) });
  }

  #facts(): CallFacts {
    const { direction, farNumber, state } = this;
    const end = this.#end && { status: this.#end.status, reason: this.#end.reason };
    return { dn: this.presence.dn, direction, farNumber, callUuid: this.trunk.callUuid, state, ...end };
  }

  /** Undefined before the relay's session is open. */
  protected get media(): CallMedia | undefined {
    return this.#sound.media;
  }

  get state(): CallState {
    return this.#machine.state;
  }

  get ended(): boolean {
    return this.state === "ended";
  }

  /** The agent's own call, not answered yet. */
  get dialling(): boolean {
    return this.direction === "from-agent" && (this.state === "setting-up" || this.state === "ringing");
  }

  abstract get direction(): CallRecord["direction"];
  abstract get farNumber(): string;

  /** The other party as it is now. */
  get party(): string {
    return this.transfers.party ?? this.farNumber;
  }

  /** When the call began, ISO 8601 UTC. */
  get startedAt(): string {
    return this.#times.startedAt;
  }

  /** When it was established, ISO 8601 UTC. */
  get answeredAt(): string | undefined {
    return this.#times.answeredAt;
  }

  /** Its sound is stopped by us, whoever wished it. */
  get held(): boolean {
    return this.media?.holding === true;
  }

  get codecs(): CallMedia["codecsInUse"] {
    return this.media?.codecsInUse ?? { browser: undefined, trunk: undefined };
  }

  /** How it sounds now. */
  get quality(): CallQualityNow {
    return this.#sound.quality;
  }

  /** X-Genesys-CallUUID as last seen. */
  get callUuid(): string | undefined {
    return this.trunk.callUuid;
  }

  /** The SIP Server that the call goes by; undefined before one was asked. */
  get server(): Flow | undefined {
    return this.trunk.server;
  }

  /** The relay's session; undefined before it is open. */
  get mediaSession(): MediaSession | undefined {
    return this.media?.session;
  }

  /** Sets the call up; called once, when the owner knows the call. */
  abstract start(): Promise<void>;

  /** (Re)starts the time the call may take until it is established. */
  protected limitSetUp(): void {
    if (!this.ended) this.#setUpPatience.start();
  }

  /** Moves the state; false when the call is over or the move makes no sense there. */
  protected move(input: CallInput): boolean {
    if (this.ended || !this.#machine.apply(input)) return false;
    const answeredBefore = this.#times.setUpMs !== undefined;
    this.#times.note(input);
    const { setUpMs } = this.#times;
    if (!answeredBefore && setUpMs !== undefined) this.services.quality.noteSetUp(this.direction, setUpMs);
    if (input === "establish" || input === "end") this.#setUpPatience.close();
    return true;
  }

  /** Opens the relay's session. Undefined when the call ended meanwhile, or was ended for want of media. */
  protected async openMedia(): Promise<CallMedia | undefined> {
    try {
      return await this.#sound.open();
    } catch (error) {
      this.finish("jackfield", mediaRefusal(error, this.services.whenFull, this.log));
      return undefined;
    }
  }

  /** What the agent's leg tells while the call runs; the set-up phases add theirs. */
  protected agentEvents(): AgentLegUser {
    return {
      log: this.#logger("browser"),
      onDialog: (callId) => this.#trace?.dialog("browser", callId),
      onRinging: () => {},
      onAnswered: () => {},
      onFailed: (end) => this.finish("agent", end),
      onOffer: (sdp, reply, newTransport = false) =>
        newTransport ? this.#offers.fromNewLeg(sdp, reply) : this.#offers.fromAgent(sdp, reply),
      onDigits: (digits, durationMs) => this.media?.session.sendDtmf("trunk", digits, durationMs),
      mediaFlows: () => this.#sound.flows("browser"),
      onInfo: (contentType, body) => this.trunk.info(contentType, body),
      statistics: () => this.media?.session.statistics() ?? Promise.resolve(undefined),
      onRefer: (refer) => this.transfers.fromAgent(refer),
      onEnded: (end) => this.finish("agent", end),
      onLost: (end) => this.#resume.waitForNewLeg(end),
      newResumeToken: () => this.#resume.ticket.issue(),
      onConfirmed: () => this.#resume.ticket.delivered(),
    };
  }

  /** Whether `token` gives the right to take this call over by a new leg. */
  admits(token: string): boolean {
    return this.#resume.admits(token);
  }

  /** The agent's client takes the call over by the leg that `makeLeg` makes, offering `sdp`. SIP Server hears nothing. */
  attach(sdp: string, makeLeg: (user: AgentLegUser) => AgentLeg): void {
    this.#resume.attach(sdp, this.agentEvents(), makeLeg);
  }

  /** What SIP Server's leg tells; the set-up phases add theirs. */
  protected trunkEvents(): TrunkLegUser {
    return this.#runningTrunkEvents();
  }

  #runningTrunkEvents(): TrunkLegUser {
    return {
      log: this.#logger("sip-server"),
      onDialog: (callId) => this.#trace?.dialog("sip-server", callId),
      ...setUpIsOver,
      onRefreshAnswer: (sdp) => this.#offers.refreshedByTrunk(sdp),
      mediaFlows: () => !this.#sound.trunkSilent,
      onFailed: (end) => this.finish("sip-server", end),
      onOffer: (sdp, reply) => this.#offers.fromTrunk(sdp, reply),
      onControl: (event, digits) => this.#control.receive(event, digits),
      onCallUuid: (callUuid) => this.news.tell({ callUuid }),
      onCallData: (headers) => this.news.tell({ headers }),
      onInfo: (contentType, body) => this.agent?.info(contentType, body) === true,
      onRefer: (refer) => this.transfers.fromTrunk(refer),
      onEnded: (end) => this.transfers.trunkEnded(end) || this.finish("sip-server", end),
      onSilent: (cause) => this.#dialogCheck.begin(cause),
    };
  }

  #transferCall(sides: CallSides): TransferCall {
    return {
      ...sides,
      dn: this.presence.dn,
      options: this.services,
      offers: this.#offers,
      setTrunk: (leg) => (this.trunk = leg),
      tell: (notice) => this.news.tell(notice),
      runningEvents: () => this.#runningTrunkEvents(),
      settle: () => this.settle(),
      dialled: (uri) => this.services.dialled(uri),
      otherLeg: (replaces) => this.services.legOfDn(this.presence.dn, replaces),
      finish: (by, end) => this.finish(by, end),
    };
  }

  /** The new leg's description is known: sound runs, and a call that had only this to wait for is established. */
  protected settle(): void {
    if (this.state === "answering") this.move("establish");
    this.media?.connect();
  }

  /** NOTIFY talk in the early dialog. */
  protected answerWanted(): void {}

  /** Whether sound runs, see `CallMedia.active`. */
  get active(): boolean {
    return !this.ended && this.media?.active === true;
  }

  #activeChanged(active: boolean): void {
    if (active) this.#offers.heard();
    this.events.emit("active");
  }

  /** Another call of the client's is heard from now on. */
  giveWay(): void {
    if (this.state === "established") this.#offers.giveWay();
  }

  /** A client that shows holds has a person who retrieves; to another the call never looked held. */
  get comesBack(): boolean {
    const blind = !this.presence.allowEvents.includes("hold");
    return this.#offers.gaveWay && blind && !this.ended && this.media?.hold === "by-sip-server";
  }

  /** See `ActiveCall`. */
  comeBack(): void {
    this.#offers.retrieve();
  }

  /** The agent's client has no connection any more. */
  agentLost(): void {
    this.log.info({}, "the client has no connection: its grace time runs");
  }

  /** The agent's client came back on another connection. */
  agentMoved(): void {
    this.log.info({}, "the client goes by another connection");
    this.agent?.moved();
    this.#resume.tellAgain();
  }

  /** Its SIP Server is down: the call goes on while media flows. */
  serverDown(): void {
    if (this.state === "established") this.#dialogCheck.begin("server is down");
  }

  /** Ends the call from our side: sign-out, drain, admin. Idempotent. */
  end(reason: string, status = 480): void {
    this.finish("jackfield", { status, reason });
  }

  /**
   * The one way out, whoever began it: both legs end in the way their state asks for, media closes, the DN's
   * registration is let go, the record is written when the last counters are here.
   */
  protected finish(by: CallRecord["endedBy"], end: LegEnd): void {
    if (!this.move("end")) return;
    this.#end = end;
    this.#dialogCheck.close();
    this.log.info({ by, reason: end.reason, status: end.status }, "call ended");
    this.#offers.close();
    this.#safely(() => this.transfers.close(end));
    this.#resume.close();
    this.#safely(() => by === "sip-server" || this.endTrunk(by, end));
    this.#safely(() => by === "agent" || this.endAgent(end));
    this.#safely(this.#releaseRegistration);
    this.#writeRecord = (media) => {
      const { agent, transfers, trunk } = this;
      const times = this.#times.report();
      const quality = this.#sound.record(media);
      const codecs = this.media?.codecsInUse;
      const record = makeRecord(this, { by, end, agent, trunk, transfers, times, codecs, quality, media });
      this.events.emit("ended", record);
    };
    if (!this.#sound.close(end.reason)) this.#mediaClosed(end.reason, undefined);
  }

  /** One side's failure to end must not keep the other, the media and the registration. */
  #safely(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.log.error({ err: error }, "a part of the call could not be ended");
    }
  }

  /** Set-up phases translate statuses. */
  protected endTrunk(_by: CallRecord["endedBy"], end: LegEnd): void {
    this.trunk.end(end);
  }

  protected endAgent(end: LegEnd): void {
    this.agent?.end(end);
  }

  #mediaClosed(reason: string, statistics: MediaStatistics | undefined): void {
    if (!this.ended) this.finish("jackfield", { status: 500, reason: `media: ${reason}` });
    const write = this.#writeRecord;
    this.#writeRecord = undefined;
    this.media?.session.events.removeAllListeners();
    write?.(statistics);
    this.#trace?.ended();
  }
}
