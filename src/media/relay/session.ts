import { randomId, type Clock, type Logger, type Random } from "../../core/index.ts";
import type { PacketTap } from "../capture/tap.ts";
import {
  receives,
  sends,
  type BrowserRemote,
  type Direction,
  type GainDb,
  type MediaStatistics,
  type MediaStep,
  type Payload,
  type Side,
  type TrunkRemote,
} from "../contract.ts";
import { codeOf, digitOf, type TelephoneEvent } from "../dtmf/event.ts";
import type { EventStep } from "../dtmf/event-receiver.ts";
import { PressTwins } from "../dtmf/twins.ts";
import { BrowserEnd } from "./browser-end.ts";
import { CodecPair } from "./codec-pair.ts";
import { Leg } from "./leg.ts";
import { Outbound } from "./outbound.ts";
import { MediaSteps } from "./steps.ts";
import type { OpenTransport, RelayTransport } from "./transport.ts";
import { TrunkEnd } from "./trunk-end.ts";
import type { TrunkSocket } from "./trunk-socket.ts";

/** A browser whose DTLS said goodbye is waited for so long, ms: the BYE by signalling is usually on its way. */
const defaultFarewellMs = 2000;
/** While nothing is taken from either side, reports and figures are seen to so often instead of every tick, ms. */
const heldUpkeepMs = 200;

/** What a session tells its worker. */
export interface RelayListener {
  connected(): void;
  dtmf(side: Side, digit: string): void;
  step?(step: MediaStep): void;
  quality(statistics: MediaStatistics): void;
  idle(side: Side, silentMs: number): void;
  /** The session cannot go on; the worker closes it with this reason. */
  failed(reason: string): void;
}

export interface RelaySessionOptions {
  readonly openTransport: OpenTransport;
  readonly trunk: TrunkSocket;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly listener: RelayListener;
  readonly trunkSource: "address" | "strict";
  /** ms; 0 = never. */
  readonly idleMs: number;
  readonly qualityMs: number;
  /** Whether the encoder toward the browser may begin with in-band FEC now. Default: always. */
  readonly grantFec?: (() => boolean) | undefined;
  /** Send RTCP-XR VoIP metrics to SIP Server's side. Default false. */
  readonly rtcpXr?: boolean;
  /** Default: none. */
  readonly gainDb?: GainDb | undefined;
  /** Whether what the browser sends is played toward SIP Server at an even pace. */
  readonly jitterBuffer?: boolean;
}

/**
 * One call's media: everything between its browser's transport and its pair of trunk sockets. Driven by
 * packets and by the worker's tick; a fault of the relay's own ends this session, not the worker.
 */
export class RelaySession {
  readonly #options: RelaySessionOptions;
  readonly #browserEnd: BrowserEnd;
  readonly #trunkEnd: TrunkEnd;
  readonly #browser: Leg;
  readonly #trunk: Leg;
  readonly #codecs: CodecPair;
  readonly #steps: MediaSteps;
  /** By the side the digits go to. */
  readonly #twins: Readonly<Record<Side, PressTwins>> = {
    browser: new PressTwins(),
    trunk: new PressTwins(),
  };
  #browserKnown = false;
  #connected = false;
  #connectedTold = false;
  #closed = false;
  #qualityAt = 0;
  #farewellAt = -1;
  #farewellMs = defaultFarewellMs;
  #upkeepAt = 0;

  constructor(options: RelaySessionOptions) {
    const { trunk, random, clock, gainDb } = options;
    this.#options = options;
    this.#steps = new MediaSteps((step) => options.listener.step?.(step));
    const toBrowser = new Outbound({
      ssrc: newSsrc(random),
      random,
      grantFec: options.grantFec,
      send: (packet, length) => this.#steps.sent("browser", this.#transport.sendRtp(packet, length)),
      gainDb: gainDb?.toAgent ?? 0,
    });
    const toTrunk = new Outbound({
      ssrc: newSsrc(random),
      random,
      send: (packet, length) => this.#steps.sent("trunk", this.#trunkEnd.sendRtp(packet, length)),
      gainDb: gainDb?.toSipServer ?? 0,
    });
    const common = { cname: randomId(random, 12), clock, random };
    this.#browser = new Leg({
      ...common,
      side: "browser",
      rtcpXr: false,
      buffered: options.jitterBuffer ?? false,
      outbound: toBrowser,
      across: toTrunk,
      sendRtcp: (packet, length) => void this.#transport.sendRtcp(packet, length),
      onEvent: (step, event, samples, now) =>
        this.#onEvent(this.#browser, this.#trunk, step, event, samples, now),
    });
    this.#trunk = new Leg({
      ...common,
      side: "trunk",
      rtcpXr: options.rtcpXr ?? false,
      buffered: false,
      outbound: toTrunk,
      across: toBrowser,
      sendRtcp: (packet, length) => this.#trunkEnd.sendRtcp(packet, length),
      onEvent: (step, event, samples, now) =>
        this.#onEvent(this.#trunk, this.#browser, step, event, samples, now),
    });
    this.#codecs = new CodecPair(this.#browser, this.#trunk, (error) => this.fault(error));
    this.#browserEnd = new BrowserEnd(options.openTransport, options.log, {
      onRtp: (packet, length) => this.#onRtp(this.#browser, packet, length, clock.now()),
      onRtcp: (packet, length) => this.#onRtcp(this.#browser, packet, length),
      onStep: (step) => this.#steps.tell(step),
      onConnected: () => this.#onConnected(),
      onFailed: (reason) => this.#onFailed(reason),
    });
    this.#trunkEnd = new TrunkEnd(trunk, options.trunkSource, clock, {
      onRtp: (packet, length, now) => this.#onRtp(this.#trunk, packet, length, now),
      onRtcp: (packet, length) => this.#onRtcp(this.#trunk, packet, length),
      onDropped: (cause) => this.#trunk.inbound.dropped.add(cause),
    });
  }

  get transport(): RelayTransport["local"] {
    return this.#transport.local;
  }

  get #transport(): RelayTransport {
    return this.#browserEnd.transport;
  }

  /** SSRC of all we send to the browser. */
  get browserSsrc(): number {
    return this.#browser.outbound.line.ssrc;
  }

  setBrowserRemote(remote: BrowserRemote): void {
    this.#browserKnown = true;
    this.#farewellAt = -1;
    this.#farewellMs = remote.farewellMs ?? defaultFarewellMs;
    this.#transport.setRemote(remote);
    this.#browser.rtcp.reducedSize = remote.rtcpReducedSize ?? false;
    this.#describe(this.#browser, remote.payload, remote.direction);
  }

  setTrunkRemote(remote: TrunkRemote): void {
    this.#trunkEnd.setRemote(remote);
    this.#describe(this.#trunk, remote.payload, remote.direction);
  }

  setDirection(side: Side, direction: Direction): void {
    this.#leg(side).direction = direction;
    this.#regate();
  }

  /** What Opus encoders of this session, present and later ones, run at, 0-10. */
  setComplexity(complexity: number): void {
    this.#browser.outbound.setComplexity(complexity);
    this.#trunk.outbound.setComplexity(complexity);
  }

  connect(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.#qualityAt = this.#options.clock.now();
    this.#regate();
  }

  restartIce(): RelayTransport["local"] {
    return this.#transport.restartIce();
  }

  /**
   * A new transport in the place of the one that is: its browser page is gone, or has to give way. The lines to both
   * sides run on. Undefined, and nothing changed, when there is no room for one.
   */
  renewTransport(): RelayTransport["local"] | undefined {
    if (!this.#browserEnd.renew()) return undefined;
    this.#browserKnown = false;
    this.#farewellAt = -1;
    this.#regate();
    return this.transport;
  }

  /** Characters outside `0-9*#A-D` are refused before they come here. */
  sendDtmf(side: Side, digits: string, durationMs: number | undefined): void {
    const { payload, outbound, inbound } = this.#leg(side);
    // One digit may be a key the far end has told of by events too; several at once are a number being dialled.
    const code = codeOf(digits);
    if (code !== undefined && this.#twins[side].signal(code, durationMs ?? 0, this.#options.clock.now()))
      return inbound.dropped.add("dtmfTwice");
    const possible = payload?.telephoneEvent && outbound.open;
    const unsent = possible ? outbound.events.send(digits, durationMs) : digits.length;
    if (unsent > 0) inbound.dropped.add("dtmfUnsent", unsent);
  }

  /** Shows the packets of both sides to the taps from now on; undefined: to none any more. */
  setTaps(browser: PacketTap | undefined, trunk: PacketTap | undefined): void {
    this.#transport.tap = browser;
    this.#trunkEnd.tap = trunk;
  }

  statistics(): MediaStatistics {
    return {
      browser: this.#browser.statistics(this.#browserEnd.dropped),
      trunk: this.#trunk.statistics({}),
    };
  }

  /** RTP packets taken from each side so far. */
  get packetsReceived(): Readonly<Record<Side, number>> {
    return {
      browser: this.#browser.inbound.packetsReceived,
      trunk: this.#trunk.inbound.packetsReceived,
    };
  }

  /**
   * What must happen without a packet: filling, events, reports, idle checks. Every 20 ms. `caughtUp`: all that has
   * come was read, so silence is the sender's and not ours.
   */
  tick(now: number, caughtUp = true): void {
    if (this.#closed) return;
    try {
      this.#tickLeg(this.#browser, now, caughtUp);
      this.#tickLeg(this.#trunk, now, caughtUp);
      const { inbound, way } = this.#browser;
      if (caughtUp && !inbound.holding && !way.silent) this.#trunk.outbound.fill(now);
      const held = !this.#browser.listening && !this.#trunk.listening;
      if (held && now < this.#upkeepAt) return;
      this.#upkeepAt = now + heldUpkeepMs;
      this.#upkeep(now);
    } catch (error) {
      this.fault(error);
    }
  }

  /** Says BYE to both sides, frees codecs, transport and ports. Resolves when the ports are free. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#sayBye(this.#options.clock.now());
    } catch (error) {
      this.fault(error);
    }
    this.#codecs.close();
    try {
      this.#browser.close();
      this.#trunk.close();
      this.#transport.close();
    } finally {
      await this.#trunkEnd.close();
    }
  }

  /** Ends this session, not the worker: an error of the relay's own. */
  fault(error: unknown): void {
    this.#options.log.error({ err: error }, "media session fault");
    this.#fail("media session failed: internal error");
  }

  #leg(side: Side): Leg {
    return side === "browser" ? this.#browser : this.#trunk;
  }

  #describe(leg: Leg, payload: Payload, direction: Direction): void {
    leg.payload = payload;
    leg.direction = direction;
    leg.outbound.setPayload(payload, this.#options.clock.now());
    leg.inbound.setPayload(payload);
    this.#regate();
    this.#codecs.update();
  }

  /** Opens and shuts lines and ears after anything they hang on has changed. */
  #regate(): void {
    const now = this.#options.clock.now();
    const { direction: browserDirection } = this.#browser;
    const { direction: trunkDirection } = this.#trunk;
    const browserUp = this.#connected && this.#browserKnown;
    const trunkUp = this.#connected && this.#trunkEnd.reachable;
    this.#browser.outbound.setOpen(browserUp && this.#transport.connected && sends(browserDirection), now);
    this.#trunk.outbound.setOpen(trunkUp && sends(trunkDirection), now);
    // A browser that never comes up is silent too: it is listened for from the start.
    this.#browser.setListening(browserUp && receives(browserDirection), now);
    this.#trunk.setListening(trunkUp && receives(trunkDirection), now);
  }

  #onRtp(leg: Leg, packet: Buffer, length: number, now: number): void {
    if (this.#closed) return;
    try {
      if (!leg.listening) leg.inbound.dropped.add(this.#connected ? "direction" : "unconnected");
      else if (leg.packets.take(now)) {
        this.#steps.heard(leg.side);
        leg.inbound.receive(packet, length, now);
      } else leg.inbound.dropped.add("rate");
    } catch (error) {
      this.fault(error);
    }
  }

  #onRtcp(leg: Leg, packet: Buffer, length: number): void {
    if (this.#closed) return;
    try {
      leg.rtcp.receive(packet, length);
    } catch (error) {
      this.fault(error);
    }
  }

  #onEvent(
    from: Leg,
    to: Leg,
    step: EventStep,
    event: Readonly<TelephoneEvent>,
    samples: number,
    now: number,
  ): void {
    if (step === "pressed" && !from.presses.take(now)) return from.inbound.dropped.add("dtmfRate");
    const digit = digitOf(event.code);
    if (step === "pressed" && digit !== undefined) this.#options.listener.dtmf(from.side, digit);
    const twins = this.#twins[to.side];
    if (step === "pressed" && twins.press(event.code, now)) return from.inbound.dropped.add("dtmfTwice");
    if (twins.ignoring) return;
    twins.hold(now);
    if (!to.payload?.telephoneEvent || !to.outbound.open) {
      if (step === "pressed") from.inbound.dropped.add("dtmfUnsent");
      return;
    }
    to.outbound.events.follow(step, event, samples, now);
  }

  #onConnected(): void {
    this.#farewellAt = -1;
    this.#regate();
    if (this.#connectedTold) return;
    this.#connectedTold = true;
    this.#options.listener.connected();
  }

  #onFailed(reason: string): void {
    if (reason === "closed by peer") this.#farewellAt = this.#options.clock.now() + this.#farewellMs;
    else this.#fail(`browser media failed: ${reason}`);
    this.#regate();
  }

  #sayBye(now: number): void {
    if (!this.#connected) return;
    if (this.#transport.connected) this.#browser.rtcp.bye(now);
    if (this.#trunkEnd.reachable) this.#trunk.rtcp.bye(now);
  }

  #tickLeg(leg: Leg, now: number, caughtUp: boolean): void {
    leg.tick(now, caughtUp);
    if (leg.outbound.events.busy) leg.outbound.events.tick(now, caughtUp);
  }

  /** Reports, idle checks, figures: of a held call not every 20 ms, since there are many and little happens. */
  #upkeep(now: number): void {
    if (this.#farewellAt >= 0 && now >= this.#farewellAt) this.#fail("browser closed its media connection");
    if (!this.#connected) return;
    this.#steps.look(now, this.#transport.lastConsentAt);
    this.#transport.upkeep(now);
    if (this.#transport.connected) this.#browser.rtcp.tick(now);
    if (this.#trunkEnd.reachable) this.#trunk.rtcp.tick(now);
    this.#checkIdle(this.#browser, now);
    this.#checkIdle(this.#trunk, now);
    this.#tellQuality(now);
  }

  #checkIdle(leg: Leg, now: number): void {
    const { idleMs, listener } = this.#options;
    if (idleMs === 0) return;
    const consentAt = leg.side === "browser" ? this.#transport.lastConsentAt : undefined;
    const silentMs = leg.newlyIdle(now, idleMs, consentAt);
    if (silentMs !== undefined) listener.idle(leg.side, Math.round(silentMs));
  }

  #tellQuality(now: number): void {
    const { qualityMs, listener } = this.#options;
    if (!this.#connected || !this.#transport.connected || now - this.#qualityAt < qualityMs) return;
    this.#qualityAt = now;
    this.#browser.quality.endInterval();
    this.#trunk.quality.endInterval();
    listener.quality(this.statistics());
  }

  #fail(reason: string): void {
    if (this.#closed) return;
    this.#farewellAt = -1;
    this.#options.listener.failed(reason);
  }
}

function newSsrc(random: Random): number {
  return random.bytes(4).readUInt32BE(0);
}
