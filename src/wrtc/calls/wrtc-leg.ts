import {
  randomId,
  StateMachine,
  type Clock,
  type Logger,
  type Random,
  type Timer,
} from "../../core/index.ts";
import type { AgentLeg, AgentLegUser, HeaderPair, Invitation, LegEnd } from "../../b2bua/index.ts";
import type { WrtcPresence } from "../../registrar/index.ts";
import type { AttachedPair, ClientLine, ClientMessage, GatewayMessage, RoapIds } from "../contract.ts";
import { AskedEvents } from "./asked-events.ts";
import { attachedOf, attachedOfCaller, type Attached } from "./attached.ts";
import type { TransportMarks } from "./client-sdp.ts";
import { errorTypeOf } from "./error-types.ts";
import { KeptInfo } from "./kept-info.ts";
import { legActs, legTransitions, type LegAct, type LegInput, type LegState } from "./leg-state.ts";
import { wordsOfClient, wordsToClient } from "./leg-words.ts";
import { ReOffers } from "./re-offers.ts";

/** What legs need of their surroundings. */
export interface WrtcLegOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** A client that rings and cannot be reached is given up after so long, ms. */
  readonly reachPatienceMs: number;
}

/** What a leg is made with. */
export interface WrtcLegParts {
  readonly line: ClientLine;
  readonly user: AgentLegUser;
  /** The other party, fit for a URL. */
  readonly peer: string;
  /** What the client attached to this call so far. */
  readonly attached: Attached;
  /** Our session number in ROAP's ids, and the one of the session's first leg. */
  readonly number: number;
  readonly firstNumber: number;
  /** Once, when the leg is over; `told`: of what the client offers until it has read our BYE, undefined when it ended it. */
  readonly onOver: (told?: TransportMarks) => void;
}

/** An OFFER of the client's, and an ANSWER that was not read yet. */
type Description = Extract<ClientMessage, { kind: "offer" | "answer" }>;

/** Between two looks whether a client that rings is still there, ms at least. */
const leastReachMs = 1000;

/** INFO bodies that are text, so that INFO-PEER can carry them (wrtc-http-protocol.md 1.3). */
const textTypes = new Set(["application/octet-stream", "application/x-www-form-urlencoded", "text/plain"]);
const infoTypes = { "to-server": "application/x-www-form-urlencoded", "to-peer": "application/octet-stream" };

/** The agent's leg for the WRTC HTTP protocol: ROAP and its few words (wrtc-http-protocol.md 1.3-1.4, 2). */
export class WrtcLeg implements AgentLeg {
  readonly presence: WrtcPresence;
  readonly callId: string;
  readonly #options: WrtcLegOptions;
  readonly #line: ClientLine;
  readonly #user: AgentLegUser;
  readonly #peer: string;
  readonly #number: number;
  readonly #firstNumber: number;
  readonly #onOver: WrtcLegParts["onOver"];
  readonly #log: Logger;
  readonly #machine: StateMachine<LegState, LegInput>;
  readonly #attached: Attached;
  readonly #kept = new KeptInfo();
  readonly #reOffers: ReOffers;
  readonly #asked: AskedEvents;
  /** It was asked to answer. */
  #talked = false;
  /** Of the OFFER that is to be answered. */
  #ids: RoapIds = {};
  #offered = "";
  #reachPatience: Timer | undefined;
  #establishedAt = 0;
  #counting = false;

  constructor(options: WrtcLegOptions, parts: WrtcLegParts, begins: "offering" | "ringing") {
    const { line, user, peer, attached, number, firstNumber, onOver } = parts;
    this.presence = line.presence;
    this.callId = `wrtc-${randomId(options.random, 12)}`;
    this.#options = options;
    this.#line = line;
    this.#user = user;
    this.#peer = peer;
    this.#attached = attached;
    this.#number = number;
    this.#firstNumber = firstNumber;
    this.#onOver = onOver;
    this.#log = user.log ?? options.log;
    this.#machine = new StateMachine(legTransitions, begins, this.#log);
    const { clock } = options;
    const answering = (): boolean => this.#state === "re-offering";
    this.#asked = new AskedEvents({ clock, answering, send: (kind) => this.#send({ kind }) });
    this.#reOffers = new ReOffers({
      clock,
      answering,
      begin: (offer) => this.#beginReOffer(offer),
      done: () => answering() && this.#machine.apply("re-answer"),
      ask: (sdp, reply, renewed) => user.onOffer(sdp, reply, renewed),
      answer: (sdp) => {
        this.#sendAnswer(sdp);
        this.#asked.answered();
      },
      refuse: (end) => this.#refuse(end),
    });
  }

  /** The client waits for what becomes of its call. */
  get pending(): boolean {
    return this.#state === "offering" || this.#state === "early";
  }

  get #state(): LegState {
    return this.#machine.state;
  }

  get #sounds(): boolean {
    return this.#state === "established" || this.#state === "re-offering";
  }

  /** The client's OFFER that begins the call; `info`: what of its attached data the INVITE does not carry. */
  takeOffer(offer: Description, info: string): void {
    this.#note(offer);
    this.#ids = offer.ids;
    this.#offered = offer.sdp;
    this.#reOffers.agreed(offer.sdp);
    this.#keepAttached(info);
  }

  /** Rings the client. */
  ring({ sdp, caller }: Invitation): void {
    const tiebreaker = 1 + (this.#options.random.bytes(4).readUInt32BE() % 429_496_723);
    this.#ids = { offererSessionId: this.#number, answererSessionId: null, seq: 1, tiebreaker };
    this.#send({ kind: "offer", sdp, ids: this.#ids, attached: attachedOfCaller(caller) });
    this.#awaitReach(this.#options.reachPatienceMs);
  }

  /** It may be lost while it rings, too. */
  #awaitReach(ms: number): void {
    const { clock, reachPatienceMs } = this.#options;
    this.#reachPatience = clock.setTimer(ms, () => {
      if (this.#state !== "ringing") return;
      if (this.presence.reachable) return this.#awaitReach(Math.max(reachPatienceMs, leastReachMs));
      this.#send({ kind: "bye", reason: "client could not be reached" });
      this.#over();
      this.#user.onFailed({ status: 480, reason: "agent's client cannot be reached" });
    });
  }

  /** What the client posted; true: its OFFER begins another call, this one is over. Never throws. */
  receive(message: ClientMessage): boolean {
    const act = this.#isOfFormer(message) ? "none" : legActs[message.kind][this.#state];
    if (message.kind === "offer") return this.#receiveOffer(message, act);
    this.#note(message, act);
    if (act === "none") return false;
    switch (message.kind) {
      case "answer":
        this.#answered(message);
        break;
      case "bye":
        this.#hungUp();
        break;
      case "info":
        this.#sendInfo(infoTypes[message.use], message.body);
        break;
      case "get-stats":
        this.#count();
        break;
      case "ok":
    }
    return false;
  }

  /**
   * What a client posted about the call before, of whose end it has not read yet, let alone of this one: nothing was
   * given to it behind that BYE.
   */
  #isOfFormer({ kind }: ClientMessage): boolean {
    if (this.#state !== "ringing") return false;
    if (kind === "offer") return this.#line.unread?.("bye") !== undefined;
    return (kind === "bye" || kind === "info") && this.#line.unread?.("offer") === "waiting";
  }

  #receiveOffer(offer: Description, act: LegAct): boolean {
    // Repeated by a client that posts it until it is told that it has arrived.
    const repeated = act === "anew" && offer.sdp === this.#offered;
    this.#note(offer, repeated ? "none" : act);
    if (repeated || act === "none") return false;
    if (act === "anew") {
      this.#giveUp();
      return true;
    }
    this.#reOffers.put(offer);
    return false;
  }

  /** The client has begun another call: it knows nothing of this one any more, and is told nothing. */
  #giveUp(): void {
    const ringing = this.#state === "ringing";
    this.#line.forget?.();
    this.#over();
    this.#user.onFailed(
      ringing
        ? { status: 486, reason: "agent's client calls somebody itself" }
        : { status: 487, reason: "agent's client calls somebody else" },
    );
  }

  #beginReOffer({ ids, attached }: Description): boolean {
    if (this.#state !== "established" || !this.#machine.apply("re-offer")) return false;
    this.#ids = ids;
    this.#keepAttached(this.#attached.forInfo(attached));
    return true;
  }

  #answered({ sdp, ids, attached }: Description): void {
    // It crossed our BYE, and the client has been rung anew since.
    const to = Number(ids.offererSessionId);
    if (to >= this.#firstNumber && to < this.#number) return this.#log.info({}, "ANSWER to a former OFFER");
    if (!this.#machine.apply("answer")) return;
    this.#reOffers.agreed(sdp);
    this.#keepAttached(this.#attached.forInfo(attached));
    this.#user.onConfirmed();
    this.#user.onAnswered(sdp);
    this.#established();
  }

  #established(): void {
    this.#reachPatience?.clear();
    // The call has ended by what it was told.
    if (this.#state !== "established") return;
    this.#establishedAt = this.#options.clock.now();
    for (const { contentType, body } of this.#kept.take()) this.#user.onInfo(contentType, body);
    this.#reOffers.resume();
  }

  #hungUp(): void {
    const state = this.#state;
    // What it has not read of this call it would take for the next one's; an OFFER under way would ring on.
    const rings = state === "ringing" && this.#line.unread?.("offer") !== undefined;
    this.#line.forget?.();
    if (rings) this.#send({ kind: "bye", reason: "declined" });
    this.#over();
    if (state === "ringing") this.#user.onFailed({ status: 603, reason: "agent's client: BYE, declined" });
    else if (state === "offering" || state === "early")
      this.#user.onFailed({ status: 487, reason: "agent's client: BYE before the answer" });
    else this.#user.onEnded({ status: 200, reason: "agent's client: BYE" });
  }

  /** The session is over. */
  close(reason: string): void {
    const state = this.#state;
    if (state === "ended") return;
    this.#sayBye(reason);
    const end = { status: state === "offering" || state === "early" ? 487 : 480, reason };
    if (state === "established" || state === "re-offering") this.#user.onEnded(end);
    else this.#user.onFailed(end);
  }

  #keepAttached(form: string): void {
    if (form !== "") this.#sendInfo(infoTypes["to-server"], form);
  }

  /** RFC 6086 has INFO within the established dialog in mind: what comes before waits for that. */
  #sendInfo(contentType: string, body: string): void {
    if (this.#sounds) return this.#user.onInfo(contentType, body);
    if (!this.#kept.keep(contentType, body)) this.#log.warn({ contentType }, "INFO of the client's dropped");
  }

  #count(): void {
    if (this.#counting) return;
    this.#counting = true;
    const sinceMs = this.#establishedAt === 0 ? 0 : this.#options.clock.now() - this.#establishedAt;
    this.#user
      .statistics()
      .then((statistics) => {
        if (statistics && this.#state !== "ended") this.#send({ kind: "stats", statistics, sinceMs });
      })
      .catch((error: unknown) => this.#log.debug({ err: error }, "no counters for the client"))
      .finally(() => (this.#counting = false));
  }

  progress(_status: number, sdp?: string, data: readonly HeaderPair[] = []): void {
    // The protocol has no word for ringing: the client hears of early media alone.
    if (sdp !== undefined && this.#state === "offering" && this.#machine.apply("progress"))
      this.#sendAnswer(sdp, data);
  }

  answer(sdp: string, data: readonly HeaderPair[] = []): void {
    const early = this.#state === "early";
    if (!this.#machine.apply("answer")) return;
    if (!early) this.#sendAnswer(sdp, data);
    this.#user.onConfirmed();
    this.#established();
  }

  reject(end: LegEnd): void {
    if (!this.pending) return;
    // ERROR alone leaves the client waiting for a minute (wrtc-http-protocol.md 2.3).
    this.#sendError(end);
    this.#sayBye(end.reason);
  }

  cancel(end: LegEnd): void {
    this.#sayBye(end.reason);
  }

  end(end: LegEnd): void {
    this.#sayBye(end.reason);
  }

  /** Only legs of clients that take calls over are left; this client does not. */
  leave(): void {
    this.#sayBye("call taken over by another client");
  }

  talk(): void {
    if (this.#state === "ringing" && !this.#talked) {
      this.#talked = true;
      this.#send({ kind: "talk" });
    } else if (this.#sounds) this.#asked.ask("talk");
  }

  hold(): void {
    if (this.#sounds) this.#asked.ask("hold");
  }

  info(contentType: string, body: string): boolean {
    if (!textTypes.has(contentType)) return false;
    if (this.#state !== "ended") this.#send({ kind: "info", body });
    return true;
  }

  /** No dialog: nothing names the call. */
  isDialog(): boolean {
    return false;
  }

  /** It never answers by itself: it rings for its user anyway. */
  ringByHand(): void {}

  /** The protocol has no such word, and none of these: a tone, news of the call, how it sounds. */
  beep(): void {}
  tellCall(): void {}
  tellQuality(): void {}

  /** What is still to be told waits at the session, which outlives its connections. */
  moved(): void {}

  #sayBye(reason: string): void {
    if (this.#state === "ended") return;
    this.#send({ kind: "bye", reason });
    this.#over(this.#reOffers.marks);
  }

  #over(told?: TransportMarks): void {
    if (!this.#machine.apply("end")) return;
    this.#reachPatience?.clear();
    this.#reOffers.drop();
    this.#asked.close();
    this.#kept.take();
    this.#onOver(told);
  }

  /** An OFFER within the call that will never have its ANSWER: ERROR alone leaves the client waiting and then dead (2.2). */
  #refuse(end: LegEnd): void {
    this.#sendError(end);
    this.#sayBye(end.reason);
    this.#user.onEnded(end);
  }

  #sendAnswer(sdp: string, data: readonly HeaderPair[] = []): void {
    const attached: AttachedPair[] = attachedOf(data);
    this.#send({
      kind: "answer",
      sdp,
      ids: { ...this.#ids, answererSessionId: this.#number },
      ...(attached.length > 0 ? { attached } : {}),
    });
  }

  #sendError({ status, reason }: LegEnd): void {
    this.#send({ kind: "error", errorType: errorTypeOf(status), reason });
  }

  /** A line of the call's ladder for each message. */
  #note(message: ClientMessage, act?: LegAct): void {
    this.#log.debug(...wordsOfClient(message, act));
  }

  #send(message: GatewayMessage): void {
    this.#log.debug(...wordsToClient(message));
    this.#line.send(message, this.#peer);
  }
}
