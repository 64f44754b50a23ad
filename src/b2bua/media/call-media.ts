import { StateMachine, type Logger, type Random } from "../../core/index.ts";
import {
  receives,
  sends,
  type BrowserLocal,
  type BrowserRemote,
  type CodecName,
  type Direction,
  type MediaSession,
  type Payload,
  type TrunkRemote,
} from "../../media/index.ts";
import { CodecTerms, type CodecPreference } from "./codec-terms.ts";
import { holdTransitions, type HoldInput, type HoldState } from "./hold.ts";
import {
  acceptBrowserAnswer,
  acceptTrunkAnswer,
  answerBrowser,
  answerTrunk,
  offerBrowser,
  offerTrunk,
  parseBrowserDescription,
  parseTrunkDescription,
  SdpOrigin,
  TrunkSrtpKeys,
  type BrowserDescription,
  type OfferInfo,
  type SdpRefusal,
  type SdpResult,
  type TrunkDescription,
} from "../sdp/index.ts";

export type Answered = SdpResult<{ readonly sdp: string }>;
const overtaken: SdpRefusal = { ok: false, status: 488, reason: "another page has taken the call over" };
type Taken = { readonly ok: true } | SdpRefusal;

/**
 * A call's two descriptions and the relay between them. Each side has its own SDP; a move of SIP Server's media
 * never reaches the browser, a hold on either side changes both sides' direction.
 */
export class CallMedia {
  readonly session: MediaSession;
  readonly #terms: CodecTerms;
  readonly #browserOrigin: SdpOrigin;
  readonly #trunkOrigin: SdpOrigin;
  readonly #srtp: TrunkSrtpKeys;
  #browserLocal: BrowserLocal;
  #browserOffer: OfferInfo | undefined;
  /** The last one made; it may be refused yet. */
  #trunkOffer: OfferInfo | undefined;
  /** The one in force; undefined: an answer of ours is. */
  #agreedOffer: OfferInfo | undefined;
  #browserUfrag: string | undefined;
  #browserPayload: Payload | undefined;
  #trunkRemote: TrunkRemote | undefined;
  readonly #hold: StateMachine<HoldState, HoldInput>;
  readonly #onActive: (active: boolean) => void;
  #connected = false;
  #active = false;
  /** Counts the pages that took the browser's side over: what one before was being answered is void. */
  #pages = 0;
  /** See `BrowserRemote`; undefined: the relay's own. */
  farewellMs: number | undefined;

  /** `onActive` is told each time `active` has changed, `log` each move of the hold. */
  constructor(
    session: MediaSession,
    codecs: CodecPreference,
    random: Random,
    onActive: (active: boolean) => void = () => {},
    log?: Logger,
  ) {
    this.#hold = new StateMachine(holdTransitions, "not-held", log);
    this.session = session;
    this.#onActive = onActive;
    this.#terms = new CodecTerms(codecs);
    this.#browserLocal = session.browser;
    this.#browserOrigin = new SdpOrigin(random);
    this.#trunkOrigin = new SdpOrigin(random);
    this.#srtp = new TrunkSrtpKeys(codecs.trunkSrtp ?? "off", random);
  }

  get hold(): HoldState {
    return this.#hold.state;
  }

  /** True while we hold SIP Server's side, whoever wished it. */
  get holding(): boolean {
    return this.hold !== "not-held";
  }

  /** True while sound runs at least one way: connected, not held by us, nor by SIP Server both ways. */
  get active(): boolean {
    return this.#active;
  }

  /** True while one side holds the other: music may come from SIP Server's side or not, and silence says nothing. */
  get quiet(): boolean {
    return this.holding || (this.#trunkRemote?.direction ?? "sendrecv") !== "sendrecv";
  }

  /** True when both sides are known, so that sound can run. */
  get complete(): boolean {
    return this.#browserPayload !== undefined && this.#trunkRemote !== undefined;
  }

  get codecsInUse(): { browser: CodecName | undefined; trunk: CodecName | undefined } {
    return { browser: this.#browserPayload?.codec, trunk: this.#trunkRemote?.payload.codec };
  }

  /** What we offer a ringing browser. */
  offerToBrowser(): string {
    const made = offerBrowser({
      local: this.#browserLocal,
      codecs: this.#terms.browserCodecs,
      opusFormat: this.#terms.browserOpusFormat,
      direction: "sendrecv",
      origin: this.#browserOrigin,
    });
    this.#browserOffer = made.offer;
    return this.#browserOrigin.stamp(made.sdp);
  }

  /** The browser's answer to `offerToBrowser`. */
  takeBrowserAnswer(sdp: string): Taken {
    if (!this.#browserOffer) return { ok: false, status: 400, reason: "answer without an offer" };
    const accepted = acceptBrowserAnswer(this.#browserOffer, sdp);
    if (!accepted.ok) return accepted;
    this.#browserUfrag = accepted.remote.iceUfrag;
    this.#browserPayload = accepted.remote.payload;
    this.#terms.browserChose(accepted.remote.payload.codec, accepted.description);
    if (!receives(accepted.description.direction)) this.#note("agent-holds");
    this.#setBrowserRemote(accepted.remote);
    return { ok: true };
  }

  /**
   * Answers an offer of the browser's, the first or a later one (hold, retrieve, ICE restart). A later offer keeps
   * the codec in use when it can, so that a re-INVITE never changes the sound.
   */
  async answerToBrowser(sdp: string): Promise<Answered> {
    const parsed = parseBrowserDescription(sdp);
    if (!parsed.ok) return parsed;
    const { description } = parsed;
    if (this.#browserUfrag !== undefined && description.iceUfrag !== this.#browserUfrag) {
      const page = this.#pages;
      const local = await this.session.restartIce();
      if (page !== this.#pages) return overtaken;
      this.#browserLocal = local;
    }
    return this.#answerBrowser(description);
  }

  /**
   * Answers the offer of another page, which takes the browser's side over with ICE and DTLS of its own. One that
   * cannot be answered changes nothing. Rejects when the relay has no room for another browser.
   */
  async takeOverBrowser(sdp: string): Promise<Answered> {
    const parsed = parseBrowserDescription(sdp);
    if (!parsed.ok) return parsed;
    const possible = this.#makeAnswer(parsed.description);
    if (!possible.ok) return possible;
    const page = ++this.#pages;
    const local = await this.session.renewBrowser();
    if (page !== this.#pages) return overtaken;
    this.#browserLocal = local;
    return this.#answerBrowser(parsed.description);
  }

  #makeAnswer(description: BrowserDescription) {
    return answerBrowser(description, {
      local: this.#browserLocal,
      codecs: this.#terms.browserCodecs,
      opusFormat: this.#terms.browserOpusFormat,
      direction: "sendrecv",
      origin: this.#browserOrigin,
    });
  }

  #setBrowserRemote(remote: BrowserRemote): void {
    const { farewellMs } = this;
    this.session.setBrowserRemote(farewellMs === undefined ? remote : { ...remote, farewellMs });
  }

  #answerBrowser(description: BrowserDescription): Answered {
    const made = this.#makeAnswer(description);
    if (!made.ok) return made;
    this.#browserUfrag = description.iceUfrag;
    this.#browserPayload = made.remote.payload;
    this.#terms.browserChose(made.remote.payload.codec, description);
    // The browser's own hold: it no longer receives.
    this.#note(receives(description.direction) ? "agent-retrieves" : "agent-holds");
    this.#setBrowserRemote(made.remote);
    return { ok: true, sdp: this.#browserOrigin.stamp(made.sdp) };
  }

  /** Full offer to SIP Server: for an INVITE of ours, or an offerless one of its (genesys-sip-server.md 8). */
  offerToTrunk(): string {
    const made = offerTrunk({
      local: this.session.trunk,
      codecs: this.#terms.trunkCodecs,
      opusFormat: this.#terms.trunkOpusFormat,
      direction: this.#wanted,
      origin: this.#trunkOrigin,
      srtp: this.#srtp,
    });
    this.#trunkOffer = made.offer;
    return this.#trunkOrigin.stamp(made.sdp);
  }

  /** What `offerToTrunk` offered last: to be kept with it where another may be made before its answer is here. */
  get trunkOffer(): OfferInfo | undefined {
    return this.#trunkOffer;
  }

  /** SIP Server's answer to `offerToTrunk`, early or final; a later one moves the media. `offer`: see `trunkOffer`. */
  takeTrunkAnswer(sdp: string, offer = this.#trunkOffer): Taken {
    if (!offer) return { ok: false, status: 400, reason: "answer without an offer" };
    const accepted = acceptTrunkAnswer(offer, sdp);
    if (!accepted.ok) return accepted;
    this.#agreedOffer = offer;
    this.#retarget(accepted.remote, accepted.description);
    return { ok: true };
  }

  /**
   * SIP Server's answer to a refresh, which repeated our last description. Where that was an answer of ours, this is what
   * it answered to, perhaps moved since.
   */
  takeTrunkRefresh(sdp: string): Taken {
    if (this.#agreedOffer) return this.takeTrunkAnswer(sdp, this.#agreedOffer);
    return this.#srtp.keepingOurs(() => this.answerToTrunk(sdp));
  }

  /** Looks at an offer of SIP Server's before anything rings: 400 or 488 at once. */
  examineTrunkOffer(sdp: string): Taken {
    const parsed = parseTrunkDescription(sdp, this.#srtp.policy);
    if (!parsed.ok) return parsed;
    const made = this.#answer(parsed.description);
    if (!made.ok) return made;
    this.#terms.trunkChose(made.remote.payload.codec, parsed.description);
    return { ok: true };
  }

  /** Answers an offer of SIP Server's and moves the media there, atomically. */
  answerToTrunk(sdp: string): Answered {
    const parsed = parseTrunkDescription(sdp, this.#srtp.policy);
    if (!parsed.ok) return parsed;
    const made = this.#answer(parsed.description);
    if (!made.ok) return made;
    this.#retarget(made.remote, parsed.description);
    this.#agreedOffer = undefined;
    return { ok: true, sdp: this.#trunkOrigin.stamp(made.sdp) };
  }

  #answer(description: TrunkDescription) {
    return answerTrunk(description, {
      local: this.session.trunk,
      codecs: this.#terms.trunkAnswerCodecs,
      opusFormat: this.#terms.trunkOpusFormat,
      direction: this.#wanted,
      origin: this.#trunkOrigin,
      srtp: this.#srtp,
    });
  }

  /** NOTIFY hold and talk. True when `holding` changed, so that a re-INVITE must say so. */
  control(input: "notify-hold" | "notify-talk"): boolean {
    const before = this.holding;
    this.#note(input);
    if (this.holding === before) return false;
    this.applyHold();
    return true;
  }

  /** What says nothing new changes nothing: a re-INVITE of a page that does not hold, a second NOTIFY. */
  #note(input: HoldInput): void {
    if (this.#hold.accepts(input)) this.#hold.apply(input);
  }

  /** After the browser's own re-INVITE changed `holding`. */
  applyHold(): void {
    if (this.#trunkRemote) this.session.setDirection("trunk", this.#relayed(this.#trunkRemote.direction));
    this.#reportActive();
  }

  /** Lets sound run once both sides are known; early media and answer both call it. Idempotent. */
  connect(): void {
    if (!this.complete) return;
    this.session.connect();
    this.#connected = true;
    this.#reportActive();
  }

  #reportActive(): void {
    const silent = this.holding || (this.#trunkRemote?.direction ?? "inactive") === "inactive";
    const active = this.#connected && !silent;
    if (active === this.#active) return;
    this.#active = active;
    this.#onActive(active);
  }

  get #wanted(): Direction {
    return this.holding ? "sendonly" : "sendrecv";
  }

  #retarget(remote: TrunkRemote, description: TrunkDescription): void {
    this.#trunkRemote = remote;
    this.#srtp.agreed(remote.srtp, remote);
    this.#terms.trunkChose(remote.payload.codec, description);
    this.session.setTrunkRemote({ ...remote, direction: this.#relayed(remote.direction) });
    this.#reportActive();
  }

  /** While we hold, the microphone stays here: what SDP calls `sendonly` carries nothing (SIP Server plays music). */
  #relayed(direction: Direction): Direction {
    if (!this.holding || !sends(direction)) return direction;
    return receives(direction) ? "recvonly" : "inactive";
  }
}
