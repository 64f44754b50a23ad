import type { RTCSession } from "jssip/lib/RTCSession.js";
import { rtcConfiguration, type IceSetup } from "./ice-setup.ts";
import { outliveLostRequests } from "./lost-requests.ts";
import { PathWatch } from "./path-watch.ts";
import { RelayWatch } from "./relay-watch.ts";

export interface CallPathOwner {
  /** The call is answered and not over. */
  talks(): boolean;
  /** Whether the gateway can be told something. */
  reachable(): boolean;
  /** How the call is to find its way to the gateway. */
  ice(): IceSetup;
  /** The sound finds no way there; why, in words. */
  hopeless(why: string): void;
}

/** The way of a call's sound to the gateway: renewed where it breaks, and where an offer was lost with the connection. */
export class CallPath {
  readonly #session: RTCSession;
  readonly #owner: CallPathOwner;
  #watch: PathWatch | undefined;
  #relay: RelayWatch | undefined;
  #requestLost = false;

  constructor(session: RTCSession, owner: CallPathOwner) {
    this.#session = session;
    this.#owner = owner;
    outliveLostRequests(session, () => {
      this.#requestLost = true;
      return owner.talks();
    });
  }

  /** A request was under way when the connection was lost: whether the gateway has heard it is not known. */
  get requestLost(): boolean {
    return this.#requestLost;
  }

  watch(connection: RTCPeerConnection): void {
    const owner = this.#owner;
    if (owner.ice().iceTransportPolicy === "relay")
      this.#relay = new RelayWatch(connection, (why) => owner.hopeless(why));
    this.#watch = new PathWatch(connection, () => {
      if (owner.talks() && owner.reachable()) this.#offer();
    });
  }

  /** The gateway can be reached again: a path that broke meanwhile is renewed, an offer that was lost is made anew. */
  renew(): void {
    this.#watch?.renew();
    if (this.#requestLost && this.#offer()) this.#requestLost = false;
  }

  close(): void {
    this.#watch?.close();
    this.#relay?.close();
  }

  #offer(): boolean {
    // Until the call is answered there is none, other than JsSIP's types say.
    const connection: RTCPeerConnection | undefined = this.#session.connection ?? undefined;
    // The credentials of the call's beginning may have expired, and its TURN server may be another by now.
    connection?.setConfiguration({
      ...connection.getConfiguration(),
      ...rtcConfiguration(this.#owner.ice()),
    });
    return this.#session.renegotiate({ rtcOfferConstraints: { iceRestart: true } });
  }
}
