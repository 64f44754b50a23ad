import type { MediaStep, Side } from "../contract.ts";

/** Steps told of one session, those of RTP apart: a browser may change its address as often as it likes. */
const maximumSteps = 32;
/** Stops and starts of RTP told of one session. */
const maximumStops = 64;
/** A way without a packet for so long has stopped, ms: what is sent in silence (DTX) comes more often. */
const stoppedMs = 2000;
/** Consent checks come every 4 to 6 s (RFC 7675 5.1): without one for longer the browser's address is lost, ms. */
const consentLostMs = 7000;

/** One way of RTP; `flows` undefined before its first packet. */
interface Way {
  readonly side: Side;
  readonly way: "from" | "to";
  flows: boolean | undefined;
  /** A packet since the last look. */
  fresh: boolean;
  freshAt: number;
}

/** What is told of a session's way up, and of what stops and comes back, for traces: never one per packet. */
export class MediaSteps {
  readonly #tell: (step: MediaStep) => void;
  #told = 0;
  #stops = 0;
  #consentLost = false;
  readonly #from: Readonly<Record<Side, Way>> = {
    browser: way("browser", "from"),
    trunk: way("trunk", "from"),
  };
  readonly #to: Readonly<Record<Side, Way>> = { browser: way("browser", "to"), trunk: way("trunk", "to") };
  readonly #ways = [...Object.values(this.#from), ...Object.values(this.#to)];

  constructor(tell: (step: MediaStep) => void) {
    this.#tell = tell;
  }

  tell(step: MediaStep): void {
    if (++this.#told <= maximumSteps) this.#tell(step);
  }

  /** A packet of the side was taken. */
  heard(side: Side): void {
    this.#packet(this.#from[side]);
  }

  /** A packet to the side was sent, or not. */
  sent(side: Side, sent: boolean): boolean {
    if (sent) this.#packet(this.#to[side]);
    return sent;
  }

  /** Looks whether something stopped; several times a second. `consentAt`: see `BrowserTransport.lastConsentAt`. */
  look(now: number, consentAt: number | undefined): void {
    for (const one of this.#ways) {
      if (one.fresh) one.freshAt = now;
      else if (one.flows === true && now - one.freshAt >= stoppedMs) this.#flows(one, false);
      one.fresh = false;
    }
    if (consentAt === undefined) return;
    const lost = now - consentAt > consentLostMs;
    if (lost === this.#consentLost) return;
    this.#consentLost = lost;
    this.tell({ step: "consent", lost });
  }

  #packet(one: Way): void {
    one.fresh = true;
    if (one.flows === true) return;
    if (one.flows === false) return this.#flows(one, true);
    one.flows = true;
    this.#tell({ step: "first-packet", side: one.side, way: one.way });
  }

  #flows(one: Way, flows: boolean): void {
    one.flows = flows;
    if (++this.#stops <= maximumStops) this.#tell({ step: "rtp", side: one.side, way: one.way, flows });
  }
}

function way(side: Side, direction: "from" | "to"): Way {
  return { side, way: direction, flows: undefined, fresh: false, freshAt: 0 };
}
