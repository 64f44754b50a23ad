import type { Timer } from "../../core/index.ts";
import type { MediaSession } from "../../media/index.ts";
import type { AgentPresence } from "../../registrar/index.ts";
import type { OfferReply } from "../../sip/index.ts";
import type { AgentLegUser, CallingLeg, LegEnd, MakeCallingLeg } from "../legs/agent-leg.ts";
import { CallMedia, type Answered } from "../media/call-media.ts";
import { ownPayload } from "../sdp/index.ts";
import type { CallServices } from "./call-services.ts";
import { mediaRefusal } from "./media-refusal.ts";

/** What echo calls need of what calls need. */
export type EchoServices = Pick<CallServices, "media" | "codecs" | "context" | "whenFull">;

/** Echo calls at a time, of all clients: each takes a media session that an ordinary call may want. */
const maximumAtOnce = 50;
/** A test takes seconds; one that nobody ends ends by itself, ms. */
const longestMs = 10 * 60_000;

/**
 * Calls in which a client hears itself (wrtc-http-protocol.md 1.2, `to=self`): the relay sends what would go to SIP
 * Server's side to its own port instead, so that the client's whole media path is tried. SIP Server hears nothing of
 * them, they need no DN in service and leave no record but a line in the log.
 */
export class EchoCalls {
  readonly #services: () => EchoServices;
  readonly #calls = new Set<EchoCall>();

  constructor(services: () => EchoServices) {
    this.#services = services;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Whether this client has one. */
  has(presence: AgentPresence): boolean {
    return Array.from(this.#calls).some((call) => call.presence === presence);
  }

  /** Undefined: it has begun, and its leg hears of all else; else why there is none. */
  start(presence: AgentPresence, makeLeg: MakeCallingLeg): LegEnd | undefined {
    if (this.#calls.size >= maximumAtOnce)
      return { status: 486, reason: "too many echo calls", retryAfterSeconds: 10 };
    const call = new EchoCall(this.#services(), presence, makeLeg, () => this.#calls.delete(call));
    this.#calls.add(call);
    void call.start();
    return undefined;
  }

  /** Ends that of `presence`; without one, all. Idempotent. */
  end(end: LegEnd, presence?: AgentPresence): void {
    for (const call of this.#calls) if (!presence || call.presence === presence) call.end(end);
  }
}

class EchoCall {
  readonly presence: AgentPresence;
  readonly #services: EchoServices;
  readonly #calling: CallingLeg;
  readonly #onOver: () => void;
  readonly #limit: Timer;
  #session: MediaSession | undefined;
  #media: CallMedia | undefined;
  #over = false;

  constructor(
    services: EchoServices,
    presence: AgentPresence,
    makeLeg: MakeCallingLeg,
    onOver: () => void,
  ) {
    this.presence = presence;
    this.#services = services;
    this.#onOver = onOver;
    this.#calling = makeLeg(this.#legUser());
    this.#limit = services.context.clock.setTimer(longestMs, () =>
      this.end({ status: 200, reason: "an echo call lasts ten minutes at most" }),
    );
  }

  /** Never rejects. */
  async start(): Promise<void> {
    const { media, whenFull, context } = this.#services;
    try {
      const session = await media.open();
      if (this.#over) return session.close("echo call ended during set-up");
      this.#session = session;
      await this.#answer(session);
    } catch (error) {
      this.end(mediaRefusal(error, whenFull, context.log));
    }
  }

  async #answer(session: MediaSession): Promise<void> {
    const { codecs, context } = this.#services;
    session.events.on("closed", (reason) => this.end({ status: 503, reason }));
    session.events.on("idle", (side) => {
      if (side === "browser") this.end({ status: 200, reason: "nothing comes from the browser" });
    });
    // The client's own sound is what comes back: it may have the widest band.
    const media = new CallMedia(session, { ...codecs, trunk: ["opus"] }, context.random);
    this.#media = media;
    const answered = await media.answerToBrowser(this.#calling.offer);
    if (this.#over) return;
    if (!answered.ok) return this.end(answered);
    this.#loop(session, media);
    session.connect();
    this.#calling.leg.answer(answered.sdp);
  }

  /** What the relay sends to SIP Server's side, it sends to itself. */
  #loop(session: MediaSession, media: CallMedia): void {
    const codec = media.codecsInUse.browser;
    if (!codec) return;
    const { port, address, ownAddress = address } = session.trunk;
    const payload = ownPayload(codec);
    session.setTrunkRemote({ address: ownAddress, port, payload, direction: "sendrecv" });
  }

  /** Idempotent; the leg is told unless it is what ended. */
  end(end: LegEnd, tellLeg = true): void {
    if (this.#over) return;
    this.#over = true;
    this.#limit.clear();
    this.#onOver();
    this.#session?.close(end.reason);
    this.#services.context.log.info({ dn: this.presence.dn, reason: end.reason }, "echo call over");
    const { pending, leg } = this.#calling;
    if (tellLeg && pending) leg.reject(end);
    else if (tellLeg) leg.end(end);
  }

  #reoffer(sdp: string, reply: OfferReply, newTransport: boolean): void {
    const media = this.#media;
    if (this.#over || !media) return reply.reject(491);
    const answer = newTransport ? media.takeOverBrowser(sdp) : media.answerToBrowser(sdp);
    answer
      .then((answered) => this.#replied(answered, reply, media))
      .catch(() => reply.reject(500, "media session is closed"));
  }

  #replied(answered: Answered, reply: OfferReply, media: CallMedia): void {
    if (!answered.ok) return reply.reject(answered.status, answered.reason);
    if (this.#session && !this.#over) this.#loop(this.#session, media);
    reply.accept(answered.sdp);
  }

  #legUser(): AgentLegUser {
    const ended = (end: LegEnd): void => this.end(end, false);
    return {
      onRinging: () => {},
      onAnswered: () => {},
      onFailed: ended,
      onOffer: (sdp, reply, newTransport = false) => this.#reoffer(sdp, reply, newTransport),
      onDigits: () => {},
      mediaFlows: () => true,
      onInfo: () => {},
      statistics: async () => this.#session?.statistics().catch(() => undefined),
      onRefer: (refer) => refer.refuse(403, "Echo Call"),
      onEnded: ended,
      onLost: ended,
      newResumeToken: () => "",
      onConfirmed: () => {},
    };
  }
}
