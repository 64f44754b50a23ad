import { randomId, StateMachine } from "../../core/index.ts";
import type { AgentLeg, AgentLegUser, HeaderPair, Invitation, LegEnd } from "../../b2bua/index.ts";
import type { WrtcPresence } from "../../registrar/index.ts";
import type { ClientLine, ClientMessage } from "../contract.ts";
import { AskedCounters } from "./asked-counters.ts";
import { AskedEvents } from "./asked-events.ts";
import { ClientInfo } from "./client-info.ts";
import type { TransportMarks } from "./client-sdp.ts";
import { endByBye, endByClose, endByOffer, isEstablished } from "./leg-ends.ts";
import type { WrtcLegOptions, WrtcLegParts } from "./leg-parts.ts";
import { legActs, legTransitions, type LegAct, type LegInput, type LegState } from "./leg-state.ts";
import { Reach } from "./reach.ts";
import { ReOffers, type ReOfferHost } from "./re-offers.ts";
import { Roap } from "./roap.ts";

/** An OFFER of the client's, and an ANSWER that was not read yet. */
type Description = Extract<ClientMessage, { kind: "offer" | "answer" }>;

/** INFO bodies that are text, so that INFO-PEER can carry them (wrtc-http-protocol.md 1.3). */
const textTypes = new Set(["application/octet-stream", "application/x-www-form-urlencoded", "text/plain"]);

/** The agent's leg for the WRTC HTTP protocol: ROAP and its few words (wrtc-http-protocol.md 1.3-1.4, 2). */
export class WrtcLeg implements AgentLeg {
  readonly presence: WrtcPresence;
  readonly callId: string;
  readonly #options: WrtcLegOptions;
  readonly #line: ClientLine;
  readonly #user: AgentLegUser;
  readonly #onOver: WrtcLegParts["onOver"];
  readonly #machine: StateMachine<LegState, LegInput>;
  readonly #roap: Roap;
  readonly #info: ClientInfo;
  readonly #counters: AskedCounters;
  readonly #reach: Reach;
  readonly #reOffers: ReOffers;
  readonly #asked: AskedEvents;
  /** It was asked to answer. */
  #talked = false;
  /** The OFFER that began the call. */
  #offered = "";

  constructor(options: WrtcLegOptions, parts: WrtcLegParts, begins: "offering" | "ringing") {
    const { line, user, attached, onOver } = parts;
    const { clock, random, reachPatienceMs } = options;
    const log = user.log ?? options.log;
    this.presence = line.presence;
    this.callId = `wrtc-${randomId(random, 12)}`;
    this.#options = options;
    this.#line = line;
    this.#user = user;
    this.#onOver = onOver;
    this.#machine = new StateMachine(legTransitions, begins, log);
    this.#roap = new Roap(parts, log);
    this.#info = new ClientInfo({
      attached,
      log,
      established: () => isEstablished(this.#state),
      send: (contentType, body) => user.onInfo(contentType, body),
    });
    this.#counters = new AskedCounters({
      clock,
      log,
      statistics: () => user.statistics(),
      send: (statistics, sinceMs) => {
        if (this.#state !== "ended") this.#roap.send({ kind: "stats", statistics, sinceMs });
      },
    });
    this.#reach = new Reach({
      clock,
      patienceMs: reachPatienceMs,
      rings: () => this.#state === "ringing",
      reachable: () => this.presence.reachable,
      giveUp: () => this.#unreached(),
    });
    this.#asked = new AskedEvents({
      clock,
      answering: () => this.#answering,
      send: (kind) => this.#roap.send({ kind }),
    });
    this.#reOffers = new ReOffers(this.#reOfferHost());
  }

  #reOfferHost(): ReOfferHost {
    return {
      clock: this.#options.clock,
      answering: () => this.#answering,
      begin: (offer) => this.#beginReOffer(offer),
      done: () => this.#answering && this.#machine.apply("re-answer"),
      ask: (sdp, reply, renewed) => this.#user.onOffer(sdp, reply, renewed),
      answer: (sdp) => {
        this.#roap.answer(sdp);
        this.#asked.answered();
      },
      refuse: (end) => this.#refuse(end),
    };
  }

  /** The client waits for what becomes of its call. */
  get pending(): boolean {
    return this.#state === "offering" || this.#state === "early";
  }

  get #state(): LegState {
    return this.#machine.state;
  }

  /** An OFFER of the client's within the call waits for its ANSWER. */
  get #answering(): boolean {
    return this.#state === "re-offering";
  }

  /** The client's OFFER that begins the call; `info`: what of its attached data the INVITE does not carry. */
  takeOffer(offer: Description, info: string): void {
    this.#roap.note(offer);
    this.#roap.toAnswer(offer.ids);
    this.#offered = offer.sdp;
    this.#reOffers.agreed(offer.sdp);
    this.#info.putAttached(info);
  }

  /** Rings the client. */
  ring({ sdp, caller }: Invitation): void {
    this.#roap.offer(sdp, caller, this.#options.random);
    this.#reach.watch();
  }

  #unreached(): void {
    this.#roap.send({ kind: "bye", reason: "client could not be reached" });
    this.#over();
    this.#user.onFailed({ status: 480, reason: "agent's client cannot be reached" });
  }

  /** What the client posted; true: its OFFER begins another call, this one is over. Never throws. */
  receive(message: ClientMessage): boolean {
    const act = this.#isOfFormer(message) ? "none" : legActs[message.kind][this.#state];
    if (message.kind === "offer") return this.#receiveOffer(message, act);
    this.#roap.note(message, act);
    if (act === "none") return false;
    switch (message.kind) {
      case "answer":
        this.#answered(message);
        break;
      case "bye":
        this.#hungUp();
        break;
      case "info":
        this.#info.put(message);
        break;
      case "get-stats":
        this.#counters.ask();
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
    this.#roap.note(offer, repeated ? "none" : act);
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
    const end = endByOffer(this.#state);
    this.#line.forget?.();
    this.#over();
    this.#user.onFailed(end);
  }

  #beginReOffer({ ids, attached }: Description): boolean {
    if (this.#state !== "established" || !this.#machine.apply("re-offer")) return false;
    this.#roap.toAnswer(ids);
    this.#info.attach(attached);
    return true;
  }

  #answered({ sdp, ids, attached }: Description): void {
    if (this.#roap.answersFormer(ids)) return;
    if (!this.#machine.apply("answer")) return;
    this.#reOffers.agreed(sdp);
    this.#info.attach(attached);
    this.#user.onConfirmed();
    this.#user.onAnswered(sdp);
    this.#established();
  }

  #established(): void {
    this.#reach.close();
    // The call has ended by what it was told.
    if (this.#state !== "established") return;
    this.#counters.established();
    this.#info.sendKept();
    this.#reOffers.resume();
  }

  #hungUp(): void {
    const state = this.#state;
    // What it has not read of this call it would take for the next one's; an OFFER under way would ring on.
    const rings = state === "ringing" && this.#line.unread?.("offer") !== undefined;
    this.#line.forget?.();
    if (rings) this.#roap.send({ kind: "bye", reason: "declined" });
    this.#over();
    this.#tellOver(state, endByBye[state]);
  }

  /** The session is over. */
  close(reason: string): void {
    const state = this.#state;
    if (state === "ended") return;
    this.#sayBye(reason);
    this.#tellOver(state, endByClose(state, reason));
  }

  /** `state`: where the leg stood. */
  #tellOver(state: LegState, end: LegEnd): void {
    if (isEstablished(state)) this.#user.onEnded(end);
    else this.#user.onFailed(end);
  }

  progress(_status: number, sdp?: string, data: readonly HeaderPair[] = []): void {
    // The protocol has no word for ringing: the client hears of early media alone.
    if (sdp !== undefined && this.#state === "offering" && this.#machine.apply("progress"))
      this.#roap.answer(sdp, data);
  }

  answer(sdp: string, data: readonly HeaderPair[] = []): void {
    const early = this.#state === "early";
    if (!this.#machine.apply("answer")) return;
    if (!early) this.#roap.answer(sdp, data);
    this.#user.onConfirmed();
    this.#established();
  }

  reject(end: LegEnd): void {
    if (!this.pending) return;
    // ERROR alone leaves the client waiting for a minute (wrtc-http-protocol.md 2.3).
    this.#roap.error(end);
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
      this.#roap.send({ kind: "talk" });
    } else if (isEstablished(this.#state)) this.#asked.ask("talk");
  }

  hold(): void {
    if (isEstablished(this.#state)) this.#asked.ask("hold");
  }

  info(contentType: string, body: string): boolean {
    if (!textTypes.has(contentType)) return false;
    if (this.#state !== "ended") this.#roap.send({ kind: "info", body });
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
    this.#roap.send({ kind: "bye", reason });
    this.#over(this.#reOffers.marks);
  }

  #over(told?: TransportMarks): void {
    if (!this.#machine.apply("end")) return;
    this.#reach.close();
    this.#reOffers.drop();
    this.#asked.close();
    this.#info.drop();
    this.#onOver(told);
  }

  /** An OFFER within the call that will never have its ANSWER: ERROR alone leaves the client waiting and then dead (2.2). */
  #refuse(end: LegEnd): void {
    this.#roap.error(end);
    this.#sayBye(end.reason);
    this.#user.onEnded(end);
  }
}
