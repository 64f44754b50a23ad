import { randomId, StateMachine, type Logger, type Timer } from "../core/index.ts";
import {
  MediaExhaustedError,
  type MediaPool,
  type MediaSession,
  type MediaStatistics,
} from "../media/index.ts";
import type { AgentPresence, TrunkRegistrations } from "../registrar/index.ts";
import type { Flow, Replaces, SipUri } from "../sip/index.ts";
import type { AgentLeg, AgentLegUser, LegEnd } from "./agent-leg.ts";
import { controlActs, type ControlAct, type ControlEvent } from "./call-control.ts";
import { CallMedia } from "./call-media.ts";
import { CallOffers } from "./call-offers.ts";
import { CallQuality } from "./call-quality.ts";
import type { AutoAnswer } from "./auto-answer.ts";
import type { ClientRule } from "./client-kinds.ts";
import { CallResume } from "./call-resume.ts";
import type { CodecPreference } from "./codec-terms.ts";
import type { CallRecord } from "./call-record.ts";
import { callTransitions, type CallInput, type CallState } from "./call-state.ts";
import { CallTimes } from "./call-times.ts";
import { DialogCheck } from "./dialog-check.ts";
import { MediaWatch } from "./media-watch.ts";
import type { DigitsWanted } from "./dtmf.ts";
import type { QualityTotals } from "./quality-totals.ts";
import type { CallFacts, CallTrace, CallTracer, TraceSide } from "../trace/index.ts";
import { callLogger } from "./call-log.ts";
import { TracedMedia } from "./traced-media.ts";
import { canResume } from "./resume-ticket.ts";
import { CallTransfers, type TransferCall } from "./transfer/index.ts";
import type { TrunkLeg, TrunkLegOptions, TrunkLegUser } from "./trunk-leg.ts";

/** What every call needs from outside. */
export interface CallServices extends TrunkLegOptions {
  /** Host of the URIs shown to browsers. */
  readonly realm: string;
  readonly media: MediaPool;
  readonly codecs: CodecPreference;
  readonly trunkRegistrations: TrunkRegistrations;
  /** What a call gets that no media worker takes: 503 with Retry-After, or 486 where 503 would mark the DN as broken. */
  readonly whenFull: 503 | 486;
  readonly quality: QualityTotals;
  /** Writes ladders; undefined: none are kept. */
  readonly tracer?: CallTracer | undefined;
  /** A page that can answer by itself has this long after NOTIFY talk, ms. */
  readonly talkPatienceMs: number;
  /** The page is told while the far side of a call set up by SIP Server still rings, so that it plays a tone. */
  readonly pageRingback: boolean;
  /** Told each time `Call.active` changed. */
  readonly onActive: (call: Call) => void;
  /** What the configuration says of kinds of clients; the first that fits counts. */
  readonly clients: readonly ClientRule[];
  /** A client that is to answer by its auto-answer headers has this long, ms; then a person must. */
  readonly preanswerPatienceMs: number;
  /** Whether calls to a DN are answered without waiting for NOTIFY talk. */
  readonly autoAnswer: (dn: string) => AutoAnswer;
  /** The number that a URI of the agent's means, see `dialledNumber`. */
  readonly dialled: (uri: SipUri) => string | undefined;
  /** SIP Server's leg of the DN's call whose browser knows this dialog. */
  readonly legOfDn: (dn: string, replaces: Replaces) => TrunkLeg | undefined;
  /** How long a call that is being set up, and one that runs, waits for a lost client, ms. */
  readonly newCallGraceMs: number;
  readonly callGraceMs: number;
  /** Told once, when the call is over and everything of it is freed. */
  readonly onEnded: (call: Call, record: CallRecord) => void;
}

/**
 * How long a call may be set up or ring without a word of the side that is called, ms: RFC 3261 16.6 timer C. SIP
 * Server gives up long before; this ends the call of a SIP Server that died meanwhile, and of a page that sleeps.
 */
const setUpPatienceMs = 185_000;
/** When a call may be tried again that found no room, seconds: by then some others have ended. */
const mediaRetrySeconds = 10;

/**
 * A call: the agent's leg, SIP Server's leg, the media between, and the rules that hold once it is established. The
 * two ways to get there are `CallToAgent` and `CallFromAgent`. docs/lifetimes.md says who closes what.
 */
export abstract class Call {
  readonly id: string;
  readonly presence: AgentPresence;
  readonly transfers: CallTransfers;
  protected readonly services: CallServices;
  protected readonly log: Logger;
  /** SIP Server's leg; a transfer may put another in its place. */
  protected trunk: TrunkLeg;
  protected agent: AgentLeg | undefined;
  protected media: CallMedia | undefined;
  readonly #machine: StateMachine<CallState, CallInput>;
  readonly #times: CallTimes;
  readonly #offers: CallOffers;
  readonly #quality: CallQuality;
  readonly #dialogCheck: DialogCheck;
  readonly #mediaWatch: MediaWatch;
  readonly #resume: CallResume;
  readonly #releaseRegistration: () => void;
  readonly #trace: CallTrace | undefined;
  #end: LegEnd | undefined;
  #setUpPatience: Timer | undefined;
  /** It was put on hold for another call's sake, see `keepOneActive`. */
  #gaveWay = false;
  /** Set by `finish`; called once, when the last counters are here. */
  #writeRecord: ((media: MediaStatistics | undefined) => void) | undefined;

  constructor(
    services: CallServices,
    presence: AgentPresence,
    makeTrunkLeg: (user: TrunkLegUser) => TrunkLeg,
  ) {
    this.services = services;
    this.presence = presence;
    this.id = randomId(services.context.random, 8);
    this.#trace = services.tracer?.begin(this.id, () => this.#facts());
    this.log = this.#logger();
    this.#machine = new StateMachine(callTransitions, "setting-up", this.log, "info");
    this.#times = new CallTimes(services.context.clock);
    this.#quality = new CallQuality(services.quality);
    this.#offers = new CallOffers({
      log: this.log,
      clock: services.context.clock,
      media: () => this.media,
      agent: () => this.agent,
      trunk: () => this.trunk,
      ended: () => this.ended,
      parked: () => this.state === "parked",
    });
    this.#mediaWatch = new MediaWatch(services.context.clock);
    this.transfers = new CallTransfers(this.#transferCall());
    this.#resume = new CallResume({
      ...services.context,
      presence,
      offers: this.#offers,
      patienceMs: services.newCallGraceMs,
      agent: () => this.agent,
      setAgent: (leg) => (this.agent = leg),
      giveUp: (end) => this.finish("agent", end),
    });
    this.#releaseRegistration = services.trunkRegistrations.retain(presence.dn);
    this.trunk = makeTrunkLeg(this.trunkEvents());
    this.#dialogCheck = new DialogCheck({
      ...services.context,
      log: this.log,
      mediaFlows: () => this.#mediaWatch.flows("trunk"),
      probe: (done) => this.trunk.probe(done),
      onDead: (reason) => this.finish("jackfield", { status: 408, reason }),
    });
    this.limitSetUp();
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
    this.#setUpPatience?.clear();
    if (this.ended) return;
    this.#setUpPatience = this.services.context.clock.setTimer(setUpPatienceMs, () =>
      this.finish("jackfield", { status: 480, reason: `not answered within ${setUpPatienceMs / 1000} s` }),
    );
  }

  /** Moves the state; false when the call is over or the move makes no sense there. */
  protected move(input: CallInput): boolean {
    if (this.ended || !this.#machine.apply(input)) return false;
    this.#times.note(input);
    if (input === "establish" || input === "end") this.#setUpPatience?.clear();
    return true;
  }

  /** Opens the relay's session. Undefined when the call ended meanwhile, or was ended for want of media. */
  protected async openMedia(): Promise<CallMedia | undefined> {
    try {
      const opened = await this.services.media.open();
      const session = this.#trace ? new TracedMedia(opened, this.#trace) : opened;
      if (this.ended) {
        session.close("call ended during set-up");
        return undefined;
      }
      session.events.on("closed", (reason, statistics) => this.#mediaClosed(reason, statistics));
      session.events.on("quality", (statistics) => {
        this.#mediaWatch.note(statistics);
        const notice = this.#quality.note(statistics);
        if (notice && this.state === "established") this.agent?.tellQuality(notice);
      });
      session.events.on("idle", (side, silentMs) => this.log.warn({ side, silentMs }, "no media"));
      const { codecs, context } = this.services;
      this.media = new CallMedia(session, codecs, context.random, (active) => this.#activeChanged(active));
      // A page that is loaded anew closes its media first.
      if (canResume(this.presence)) this.media.farewellMs = this.services.callGraceMs;
      return this.media;
    } catch (error) {
      this.#refuseForMedia(error);
      return undefined;
    }
  }

  /** No room is what the gateway's owner planned for, so it is told without an alarm; a fault is told with one. */
  #refuseForMedia(error: unknown): void {
    const retryAfterSeconds = mediaRetrySeconds;
    if (!(error instanceof MediaExhaustedError)) {
      const reason = "media worker unavailable";
      this.log.error({ err: error }, reason);
      return this.finish("jackfield", { status: 503, reason, retryAfterSeconds });
    }
    const full = error.reason !== "down";
    const reason = full ? `gateway is full: ${error.message}` : error.message;
    this.log.warn({ cause: error.reason }, reason);
    // A worker that starts anew is a fault of ours, not an agent that is busy.
    if (full && this.services.whenFull === 486) this.finish("jackfield", { status: 486, reason });
    else this.finish("jackfield", { status: 503, reason, retryAfterSeconds });
  }

  /** What the agent's leg tells while the call runs; the set-up phases add theirs. */
  protected agentEvents(): AgentLegUser {
    return {
      log: this.#logger("browser"),
      onDialog: (callId) => this.#trace?.dialog("browser", callId),
      onRinging: () => {},
      onAnswered: () => {},
      onFailed: (end) => this.finish("agent", end),
      onOffer: (sdp, reply) => this.#offers.fromAgent(sdp, reply),
      onDigits: (digits, durationMs) => this.media?.session.sendDtmf("trunk", digits, durationMs),
      mediaFlows: () => this.#mediaWatch.flows("browser"),
      onRefer: (refer) => this.transfers.fromAgent(refer),
      onEnded: (end) => this.finish("agent", end),
      onLost: (end) => this.#resume.waitForNewLeg(end),
      newResumeToken: () => this.#resume.ticket.issue(),
      onConfirmed: () => this.#resume.ticket.delivered(),
    };
  }

  /** Whether `token` gives the right to take this call over by a new leg; only of one the agent has answered. */
  admits(token: string): boolean {
    const answered = ["parked", "answering", "established"].includes(this.state);
    return answered && this.#resume.ticket.admits(token);
  }

  /** The agent's client takes the call over by the leg that `makeLeg` makes, offering `sdp`. SIP Server hears nothing. */
  attach(sdp: string, makeLeg: (user: AgentLegUser) => AgentLeg): void {
    this.log.info({}, "call taken over by a new leg of its client");
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
      onProgress: () => {},
      onAnswered: () => {},
      onAcknowledged: () => {},
      onEarlyAnswer: () => {},
      onRefreshAnswer: (sdp) => this.#offers.refreshedByTrunk(sdp),
      mediaFlows: () => this.#mediaWatch.flows("trunk"),
      onFailed: (end) => this.finish("sip-server", end),
      onOffer: (sdp, reply) => this.#offers.fromTrunk(sdp, reply),
      onControl: (event, digits) => this.#control(event, digits),
      onCallUuid: (callUuid) => this.agent?.tellCall({ callUuid }),
      onCallData: (headers) => this.agent?.tellCall({ headers }),
      onRefer: (refer) => this.transfers.fromTrunk(refer),
      onEnded: (end) => this.transfers.trunkEnded(end) || this.finish("sip-server", end),
      onSilent: (cause) => this.#dialogCheck.begin(cause),
    };
  }

  #transferCall(): TransferCall {
    return {
      log: this.log,
      dn: this.presence.dn,
      options: this.services,
      offers: this.#offers,
      media: () => this.media,
      agent: () => this.agent,
      trunk: () => this.trunk,
      setTrunk: (leg) => (this.trunk = leg),
      state: () => this.state,
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

  #control(event: ControlEvent, digits: DigitsWanted | undefined): void {
    const act = controlActs[event][this.state];
    this.log.info({ event, state: this.state, act }, "NOTIFY of SIP Server");
    this.#acts[act](digits);
  }

  readonly #acts: Readonly<Record<ControlAct, (digits: DigitsWanted | undefined) => void>> = {
    answer: () => this.answerWanted(),
    hold: () => {
      this.#gaveWay = false;
      this.#offers.hold();
    },
    retrieve: () => this.#offers.retrieve(),
    digits: (wanted) => {
      if (wanted) this.media?.session.sendDtmf("trunk", wanted.digits, wanted.durationMs);
    },
    beep: () => this.agent?.beep(),
    none: () => {},
  };

  /** NOTIFY talk in the early dialog. */
  protected answerWanted(): void {}

  /** Whether sound runs, see `CallMedia.active`. */
  get active(): boolean {
    return !this.ended && this.media?.active === true;
  }

  #activeChanged(active: boolean): void {
    if (active) this.#gaveWay = false;
    this.services.onActive(this);
  }

  /** Another call of the client's is heard from now on. */
  giveWay(): void {
    if (this.state !== "established") return;
    this.#gaveWay = true;
    this.#offers.hold();
  }

  /** A client that shows holds has a person who retrieves; to another the call never looked held. */
  get comesBack(): boolean {
    const blind = !this.presence.allowEvents.includes("hold");
    return this.#gaveWay && blind && !this.ended && this.media?.hold === "by-sip-server";
  }

  comeBack(): void {
    this.#offers.retrieve();
  }

  /** The agent's client came back on another connection. */
  agentMoved(): void {
    this.agent?.moved();
    this.#offers.repeatHold();
    const [, changed] = this.trunk.callUuids;
    if (changed !== undefined && this.callUuid) this.agent?.tellCall({ callUuid: this.callUuid });
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
    this.#writeRecord = (media) => this.services.onEnded(this, this.#record(by, end, media));
    if (this.media) this.media.session.close(end.reason);
    else this.#mediaClosed(end.reason, undefined);
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

  #record(by: CallRecord["endedBy"], end: LegEnd, media: MediaStatistics | undefined): CallRecord {
    const codecs = this.media?.codecsInUse;
    return {
      id: this.id,
      direction: this.direction,
      dn: this.presence.dn,
      farNumber: this.farNumber,
      transferredTo: this.transfers.party,
      callUuid: this.trunk.callUuid,
      callUuids: [...this.trunk.callUuids],
      ...this.#times.report(),
      endedBy: by,
      reason: end.reason,
      status: end.status,
      agentLeg: {
        callId: this.agent?.callId ?? "",
        client: this.presence.userAgent,
        codec: codecs?.browser,
      },
      trunkLeg: {
        callId: this.trunk.callId,
        codec: codecs?.trunk,
        formerCallIds: this.transfers.formerCallIds,
      },
      quality: this.#quality.record(media),
      media,
    };
  }
}
