import {
  numberInText,
  type AgentLeg,
  type AgentLegUser,
  type B2bua,
  type CallingLeg,
  type Invitation,
  type LegEnd,
} from "../../b2bua/index.ts";
import type { ClientCalls, ClientLine, ClientMessage } from "../contract.ts";
import { Attached } from "./attached.ts";
import { isSameConnection, transportMarks } from "./client-sdp.ts";
import { errorTypeOf } from "./error-types.ts";
import type { WrtcLegOptions } from "./leg-parts.ts";
import { wordsOfClient } from "./leg-words.ts";
import { peerOf } from "./peer.ts";
import { WrtcLeg } from "./wrtc-leg.ts";
import type { RungClient, WrtcLegs } from "./wrtc-legs.ts";

/** What the calls of all sessions need. */
export interface ClientCallServices extends WrtcLegOptions {
  readonly b2bua: Pick<B2bua, "callFromClient" | "echoToClient">;
  /** The same that `B2bua.useWrtcLegs` was given. */
  readonly legs: WrtcLegs;
}

type Offer = Extract<ClientMessage, { kind: "offer" | "answer" }>;

/** By then a client has read our BYE, ms; one whose poll failed asks again after 3 s. */
const crossingMs = 5000;

/** Makes what acts on one session's messages. Until `close` it can be rung. */
export function createClientCalls(services: ClientCallServices, line: ClientLine): ClientCalls {
  const calls = new SessionCalls(services, line);
  services.legs.add(line.presence, calls);
  return calls;
}

/** One session's calls, of which there is one at a time (wrtc-http-protocol.md 2.3). */
class SessionCalls implements ClientCalls, RungClient {
  readonly #services: ClientCallServices;
  readonly #line: ClientLine;
  /** Of ROAP's ids; far from the clients' own, which begin at 102. */
  readonly #firstNumber: number;
  #number: number;
  #leg: WrtcLeg | undefined;
  #closed = false;
  /** The call that we ended last. */
  #ended = { marks: transportMarks(""), until: 0 };

  constructor(services: ClientCallServices, line: ClientLine) {
    this.#services = services;
    this.#line = line;
    this.#firstNumber = 1_000_000 + services.random.bytes(3).readUIntBE(0, 3);
    this.#number = this.#firstNumber;
  }

  get busy(): boolean {
    return this.#leg !== undefined;
  }

  receive(message: ClientMessage, to: string): void {
    if (this.#closed) return;
    if (this.#leg) {
      const anew = this.#leg.receive(message);
      if (anew && message.kind === "offer") this.#call(message, to);
    } else if (message.kind === "offer") this.#call(message, to);
    else {
      // It has put itself back: the end of its call that it has not read yet would end its next one.
      if (message.kind === "bye") this.#line.forget?.();
      // What crossed the end of a call: it has been told of that.
      this.#services.log.debug(...wordsOfClient(message, "none"));
    }
  }

  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#services.legs.remove(this.#line.presence);
    this.#leg?.close(reason);
  }

  ring(invitation: Invitation, user: AgentLegUser): AgentLeg | undefined {
    if (this.#closed || this.#leg) return undefined;
    const leg = this.#makeLeg(user, peerOf(invitation.caller.number), "ringing");
    leg.ring(invitation);
    return leg;
  }

  /**
   * A hold or retrieve that crossed our BYE must not dial: with the BYE the client takes another PeerConnection. Nor
   * must anything as long as it may not have read it: the BYE ends whatever the client has begun.
   */
  #isOfEnded({ sdp }: Offer): boolean {
    if (this.#line.unread?.("bye")) return true;
    const { marks, until } = this.#ended;
    return this.#services.clock.now() < until && isSameConnection(marks, transportMarks(sdp));
  }

  #call(offer: Offer, to: string): void {
    const { b2bua, log } = this.#services;
    const { presence, anonymous } = this.#line;
    const peer = peerOf(to);
    if (this.#isOfEnded(offer)) return this.#line.send({ kind: "bye", reason: "that call is over" }, peer);
    const attached = new Attached();
    const { headers, info } = attached.forInvite(offer.attached);
    const makeLeg = (user: AgentLegUser): CallingLeg => {
      const leg = this.#makeLeg(user, peer, "offering", attached);
      leg.takeOffer(offer, info);
      return {
        leg,
        offer: offer.sdp,
        get pending() {
          return leg.pending;
        },
      };
    };
    const refused =
      to === "self"
        ? b2bua.echoToClient(presence, makeLeg)
        : b2bua.callFromClient(presence, { number: dialled(to), headers, withoutDn: anonymous }, makeLeg);
    if (!refused) return;
    log.debug({ dn: presence.dn, status: refused.status }, "client's call refused");
    this.#refuse(refused, peer);
  }

  #refuse({ status, reason }: LegEnd, peer: string): void {
    this.#line.send({ kind: "error", errorType: errorTypeOf(status), reason }, peer);
    this.#line.send({ kind: "bye", reason }, peer);
  }

  #makeLeg(
    user: AgentLegUser,
    peer: string,
    begins: "offering" | "ringing",
    attached = new Attached(),
  ): WrtcLeg {
    const leg = new WrtcLeg(
      this.#services,
      {
        line: this.#line,
        user,
        peer,
        attached,
        number: ++this.#number,
        firstNumber: this.#firstNumber,
        onOver: (told) => {
          if (this.#leg === leg) this.#leg = undefined;
          if (told) this.#ended = { marks: told, until: this.#services.clock.now() + crossingMs };
        },
      },
      begins,
    );
    return (this.#leg = leg);
  }
}

/** Nobody, or nothing that could be dialled, is the empty number, which is refused as such; apps that know none say null. */
function dialled(to: string): string {
  return to === "null" || to === "undefined" ? "" : (numberInText(to) ?? "");
}
