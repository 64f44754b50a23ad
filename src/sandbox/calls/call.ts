import { holds, parseAudio, withDirection, withZeroAddress, failedMakeCallSdp } from "../media/sdp.ts";
import type { Clock, Logger, Random } from "../../core/index.ts";
import type { HoldOptions } from "../contract.ts";
import { Timers } from "../timers.ts";
import type { ServerTransaction } from "../wire/server-transaction.ts";
import { AgentLeg } from "./agent-leg.ts";
import { Gate } from "./gate.ts";
import type { EndCause, OfferResult, Party, PartyOwner, RenegotiationReply } from "./party.ts";
import type { Robot } from "./robot.ts";

export interface CallDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Opens a media server's stream for this call: the music, or a sink for one who holds. */
  readonly openMedia: (kind: "music" | "sink", owner: PartyOwner) => Promise<Robot>;
  /** An endpoint's REFER. */
  readonly onRefer: (call: Call, leg: AgentLeg, transaction: ServerTransaction) => void;
  readonly onConnected: (call: Call) => void;
  readonly onEnded: (call: Call, reason: string) => void;
}

type Outcome = "done" | "glare" | "failed";

/** How often a re-INVITE refused with 491 is tried. */
const glareAttempts = 5;

/** One call: two parties and the rules between them. SIP Server owns it; parties never talk SIP to each other. */
export class Call implements PartyOwner {
  readonly uuid: string;
  readonly timers: Timers;
  readonly #deps: CallDeps;
  readonly #gate = new Gate();
  readonly #parties: Party[] = [];
  readonly #media: Partial<Record<"music" | "sink", Robot>> = {};
  readonly #holders = new Set<Party>();
  /** What to do when the party's ACK ends the exchange in hand. */
  #afterAck: { readonly party: Party; readonly act: (sdp: string | undefined) => void } | undefined;
  state: "setup" | "connected" | "ended" = "setup";
  everConnected = false;

  constructor(uuid: string, deps: CallDeps) {
    this.uuid = uuid;
    this.#deps = deps;
    this.timers = new Timers(deps.clock);
  }

  get parties(): readonly Party[] {
    return this.#parties;
  }

  get ended(): boolean {
    return this.state === "ended";
  }

  /** Takes a party in; false (and the party is ended) when the call is over already. */
  add(party: Party): boolean {
    if (this.ended) party.end({ text: "call is over" });
    else this.#parties.push(party);
    return !this.ended;
  }

  other(party: Party): Party | undefined {
    return this.#parties.find((candidate) => candidate !== party);
  }

  /** The agent leg of `dn`, or the first there is. */
  leg(dn?: string): AgentLeg | undefined {
    return this.#parties.find(
      (party): party is AgentLeg => party instanceof AgentLeg && (dn === undefined || party.name === dn),
    );
  }

  isHolding(party: Party): boolean {
    return this.#holders.has(party);
  }

  connected(): void {
    if (this.state !== "setup") return;
    this.state = "connected";
    this.everConnected = true;
    this.#deps.onConnected(this);
  }

  /** Runs `act` once `party` has ACKed the 2xx sent to it. */
  whenAcknowledged(party: Party, act: (sdp: string | undefined) => void): void {
    this.#afterAck = { party, act };
  }

  /** `next` takes the place of `former`, which is the call's no more. */
  exchange(former: Party, next: Party): void {
    const at = this.#parties.indexOf(former);
    this.release(next);
    if (at >= 0) this.#parties.splice(at, 1, next);
    this.#holders.delete(former);
  }

  /** The party is the call's no more; it lives on. */
  release(party: Party): void {
    const at = this.#parties.indexOf(party);
    if (at >= 0) this.#parties.splice(at, 1);
  }

  /** Ends every party; idempotent. */
  end(cause: EndCause): void {
    if (this.ended) return;
    this.state = "ended";
    this.timers.close();
    this.#gate.open();
    for (const party of this.#parties) party.end(cause);
    for (const media of Object.values(this.#media)) media.end(cause);
    this.#deps.onEnded(this, cause.text);
  }

  // ---- what parties tell ----------------------------------------------------------------------------------

  partyEnded(party: Party, cause: EndCause): void {
    // One that was exchanged takes nobody with it.
    if (this.#parties.includes(party)) this.end(cause);
  }

  partyRefers(party: Party, transaction: ServerTransaction): void {
    if (party instanceof AgentLeg) this.#deps.onRefer(this, party, transaction);
  }

  partyRenegotiates(party: Party, sdp: string | undefined, reply: RenegotiationReply): void {
    const other = this.other(party);
    const release = this.#gate.tryAcquire();
    if (!other || !release) {
      release?.();
      return reply.refuse(491, "Request Pending");
    }
    this.#answerOffer(party, other, sdp, reply, release).catch((error: unknown) => {
      this.#deps.log.error({ err: error, callUuid: this.uuid }, "renegotiation failed");
      reply.refuse(500, "Server Internal Error");
      release();
    });
  }

  partyRenegotiated(party: Party, sdp: string | undefined): void {
    const waiting = this.#afterAck;
    if (waiting?.party !== party) return;
    this.#afterAck = undefined;
    waiting.act(sdp);
  }

  refreshDue(party: Party): void {
    if (!(party instanceof AgentLeg)) return;
    void this.#exclusive(async () => outcomeOf(await party.repeatOffer()));
  }

  // ---- what SIP Server does by itself ---------------------------------------------------------------------

  /** Asks `first` for an offer, gives it to `second` and the answer back; false when either refused. */
  renegotiate(first: Party, second: Party): Promise<boolean> {
    return this.#exclusive(async () => {
      const offer = await first.askOffer();
      if (!offer.ok) return outcomeOf(offer);
      const answer = await second.giveOffer(offer.sdp);
      first.acknowledge(answer.ok ? answer.sdp : failedMakeCallSdp);
      if (answer.ok) this.#unhold();
      return outcomeOf(answer);
    });
  }

  /** Holds `leg` by a re-INVITE of ours: music and `sendonly`, `inactive`, or `c=0.0.0.0`. */
  holdByReinvite(
    leg: AgentLeg,
    form: "sendonly" | "inactive" | "zero",
    { musicHost, musicLaw }: HoldOptions = {},
  ): Promise<boolean> {
    return this.#exclusive(async () => {
      const last = leg.lastSent ?? failedMakeCallSdp;
      let offer = form === "zero" ? withZeroAddress(last) : withDirection(last, "inactive");
      const music = form === "sendonly" ? await this.#openMedia("music") : undefined;
      if (musicLaw) music?.useLaw(musicLaw);
      if (musicHost !== undefined) await music?.move(musicHost);
      if (music) offer = sdpOf(await music.askOffer());
      const answer = await leg.giveOffer(offer);
      if (!answer.ok) return outcomeOf(answer);
      music?.acknowledge(answer.sdp);
      const other = this.other(leg);
      return other ? outcomeOf(await other.giveOffer(withDirection(answer.sdp, "inactive"))) : "done";
    });
  }

  // ---- re-INVITE of an endpoint ---------------------------------------------------------------------------

  async #answerOffer(
    party: Party,
    other: Party,
    sdp: string | undefined,
    reply: RenegotiationReply,
    release: () => void,
  ): Promise<void> {
    const audio = sdp === undefined ? undefined : parseAudio(sdp);
    const holding = audio !== undefined && holds(audio);
    let result: OfferResult;
    if (sdp === undefined) result = await other.askOffer();
    else if (!audio) result = { ok: false, status: 488, reason: "Not Acceptable Here" };
    else if (holding) result = await (await this.#openMedia("sink")).giveOffer(sdp);
    else result = await other.giveOffer(sdp);
    if (!result.ok || this.ended) {
      release();
      return result.ok ? undefined : reply.refuse(result.status, result.reason);
    }
    this.whenAcknowledged(party, (answer) => {
      if (sdp === undefined) other.acknowledge(answer ?? failedMakeCallSdp);
      release();
      if (holding) this.#held(party, other);
      else this.#unhold();
    });
    reply.accept(result.sdp);
  }

  #unhold(): void {
    this.#holders.clear();
    this.#media.music?.stream.stop();
  }

  /** The one who holds has its answer; now the other hears music (genesys-sip-server 8). */
  #held(holder: Party, other: Party): void {
    if (this.#holders.has(holder)) return;
    this.#holders.add(holder);
    void this.#exclusive(async () => {
      if (!this.#holders.has(holder)) return "done";
      const music = await this.#openMedia("music");
      const answer = await other.giveOffer(sdpOf(await music.askOffer()));
      if (answer.ok) music.acknowledge(answer.sdp);
      return outcomeOf(answer);
    });
  }

  async #openMedia(kind: "music" | "sink"): Promise<Robot> {
    const media = (this.#media[kind] ??= await this.#deps.openMedia(kind, this));
    if (this.ended) media.end({ text: "call is over" });
    return media;
  }

  /** Runs `work` alone; after a 491 it frees the gate, waits and tries again (RFC 3261 14.1: 2.1-4 s). */
  async #exclusive(work: () => Promise<Outcome>): Promise<boolean> {
    for (let attempt = 0; attempt < glareAttempts; attempt++) {
      const release = await this.#gate.acquire();
      try {
        const outcome = this.ended ? "failed" : await work();
        if (outcome !== "glare") return outcome === "done";
      } catch (error) {
        this.#deps.log.error({ err: error, callUuid: this.uuid }, "negotiation failed");
        return false;
      } finally {
        release();
      }
      await this.timers.pause(2100 + this.#deps.random.fraction() * 1900);
    }
    return false;
  }
}

function outcomeOf(result: OfferResult): Outcome {
  if (result.ok) return "done";
  return result.status === 491 ? "glare" : "failed";
}

function sdpOf(result: OfferResult): string {
  return result.ok ? result.sdp : failedMakeCallSdp;
}
