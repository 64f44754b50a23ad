import { randomId, StateMachine, type Logger, type Timer, type Transitions } from "../core/index.ts";
import {
  MediaExhaustedError,
  type MediaPool,
  type MediaSession,
  type MediaStatistics,
} from "../media/index.ts";
import type { AgentPresence, TrunkRegistrations } from "../registrar/index.ts";
import type { AgentLeg, AgentLegUser, LegEnd } from "./agent-leg.ts";
import { CallMedia } from "./call-media.ts";
import { CallOffers } from "./call-offers.ts";
import { CallQuality } from "./call-quality.ts";
import type { AutoAnswer } from "./auto-answer.ts";
import type { ClientRule } from "./client-kinds.ts";
import type { CodecPreference } from "./codec-terms.ts";
import type { CallRecord } from "./call-record.ts";
import { CallTimes } from "./call-times.ts";
import type { QualityTotals } from "./quality-totals.ts";
import type { TrunkLeg, TrunkLegOptions, TrunkLegUser } from "./trunk-leg.ts";

export type CallState = "setting-up" | "ringing" | "parked" | "answering" | "established" | "ended";
export type CallInput = "ring" | "park" | "answer" | "establish" | "end";

const transitions: Transitions<CallState, CallInput> = {
  "setting-up": { ring: "ringing", park: "parked", answer: "answering", end: "ended" },
  ringing: { ring: "ringing", park: "parked", answer: "answering", end: "ended" },
  // The client answered by itself; SIP Server sees a ringing phone until it wants the answer.
  parked: { ring: "parked", answer: "answering", end: "ended" },
  // One side answered; its SDP or the other side's ACK is on its way.
  answering: { establish: "established", end: "ended" },
  established: { end: "ended" },
  ended: {},
};

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
  /** A page that can answer by itself has this long after NOTIFY talk, ms. */
  readonly talkPatienceMs: number;
  /** What the configuration says of kinds of clients; the first that fits counts. */
  readonly clients: readonly ClientRule[];
  /** A client that is to answer by its auto-answer headers has this long, ms; then a person must. */
  readonly preanswerPatienceMs: number;
  /** Whether calls to a DN are answered without waiting for NOTIFY talk. */
  readonly autoAnswer: (dn: string) => AutoAnswer;
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
  protected readonly services: CallServices;
  protected readonly log: Logger;
  protected readonly trunk: TrunkLeg;
  protected agent: AgentLeg | undefined;
  protected media: CallMedia | undefined;
  readonly #machine: StateMachine<CallState, CallInput>;
  readonly #times: CallTimes;
  readonly #offers: CallOffers;
  readonly #quality: CallQuality;
  readonly #releaseRegistration: () => void;
  #setUpPatience: Timer | undefined;
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
    this.log = services.context.log.child({ call: this.id, dn: presence.dn });
    this.#machine = new StateMachine(transitions, "setting-up", this.log);
    this.#times = new CallTimes(services.context.clock);
    this.#quality = new CallQuality(services.quality);
    this.#offers = new CallOffers({
      log: this.log,
      media: () => this.media,
      agent: () => this.agent,
      trunk: () => this.trunk,
      ended: () => this.ended,
      parked: () => this.state === "parked",
    });
    this.#releaseRegistration = services.trunkRegistrations.retain(presence.dn);
    this.trunk = makeTrunkLeg(this.trunkEvents());
    this.limitSetUp();
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

  /** When the call began, ISO 8601 UTC. */
  get startedAt(): string {
    return this.#times.startedAt;
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
      const session = await this.services.media.open();
      if (this.ended) {
        session.close("call ended during set-up");
        return undefined;
      }
      session.events.on("closed", (reason, statistics) => this.#mediaClosed(reason, statistics));
      session.events.on("quality", (statistics) => {
        const notice = this.#quality.note(statistics);
        if (notice && this.state === "established") this.agent?.tellQuality(notice);
      });
      session.events.on("idle", (side, silentMs) => this.log.warn({ side, silentMs }, "no media"));
      this.media = new CallMedia(session, this.services.codecs, this.services.context.random);
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
      onRinging: () => {},
      onAnswered: () => {},
      onFailed: (end) => this.finish("agent", end),
      onOffer: (sdp, reply) => this.#offers.fromAgent(sdp, reply),
      onDigits: (digits, durationMs) => this.media?.session.sendDtmf("trunk", digits, durationMs),
      onEnded: (end) => this.finish("agent", end),
    };
  }

  /** What SIP Server's leg tells while the call runs. */
  protected trunkEvents(): TrunkLegUser {
    return {
      onProgress: () => {},
      onAnswered: () => {},
      onAcknowledged: () => {},
      onFailed: (end) => this.finish("sip-server", end),
      onOffer: (sdp, reply) => this.#offers.fromTrunk(sdp, reply),
      onControl: (event) => this.control(event),
      onCallData: (headers) => this.agent?.tellCall({ headers }),
      onDigits: (digits, durationMs) => this.media?.session.sendDtmf("trunk", digits, durationMs),
      onEnded: (end) => this.finish("sip-server", end),
    };
  }

  /** NOTIFY talk, hold and beep on an established call (genesys-sip-server.md 6). */
  protected control(event: "talk" | "hold" | "beep"): void {
    if (this.state === "established") this.#offers.control(event);
  }

  /** The agent's client came back on another connection. */
  agentMoved(): void {
    this.agent?.moved();
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
    this.log.info({ by, reason: end.reason, status: end.status }, "call ended");
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
  }

  #record(by: CallRecord["endedBy"], end: LegEnd, media: MediaStatistics | undefined): CallRecord {
    const codecs = this.media?.codecsInUse;
    return {
      id: this.id,
      direction: this.direction,
      dn: this.presence.dn,
      farNumber: this.farNumber,
      callUuid: this.trunk.callUuid,
      ...this.#times.report(),
      endedBy: by,
      reason: end.reason,
      status: end.status,
      agentLeg: {
        callId: this.agent?.callId ?? "",
        client: this.presence.userAgent,
        codec: codecs?.browser,
      },
      trunkLeg: { callId: this.trunk.callId, codec: codecs?.trunk },
      quality: this.#quality.record(media),
      media,
    };
  }
}
