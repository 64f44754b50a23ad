import { randomId, type Clock, type Logger, type Random } from "../../core/index.ts";
import type { BrowserRemote, Direction, MediaStatistics, Payload, Side, TrunkRemote } from "../contract.ts";
import { digitOf, type TelephoneEvent } from "../dtmf/event.ts";
import type { EventStep } from "../dtmf/event-receiver.ts";
import { Leg, receives, sends } from "./leg.ts";
import { Outbound } from "./outbound.ts";
import { createReader } from "./readers.ts";
import type { OpenTransport, RelayTransport } from "./transport.ts";
import { TrunkGate } from "./trunk-gate.ts";
import type { TrunkSocket } from "./trunk-socket.ts";

/** A browser whose DTLS said goodbye is waited for so long, ms: the BYE by signalling is usually on its way. */
const farewellMs = 2000;

/** What a session tells its worker. */
export interface RelayListener {
  connected(): void;
  dtmf(side: Side, digit: string): void;
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
}

/**
 * One call's media: everything between its browser's transport and its pair of trunk sockets. Driven by
 * packets and by the worker's tick; a fault of the relay's own ends this session, not the worker.
 */
export class RelaySession {
  readonly #options: RelaySessionOptions;
  readonly #transport: RelayTransport;
  readonly #gate: TrunkGate;
  readonly #browser: Leg;
  readonly #trunk: Leg;
  #browserKnown = false;
  #connected = false;
  #connectedTold = false;
  #closed = false;
  #qualityAt = 0;
  #farewellAt = -1;
  #codecs = "";

  constructor(options: RelaySessionOptions) {
    const { trunk, random, clock } = options;
    this.#options = options;
    this.#gate = new TrunkGate(options.trunkSource);
    const toBrowser = new Outbound({
      ssrc: newSsrc(random),
      random,
      send: (packet, length) => this.#transport.sendRtp(packet, length),
    });
    const toTrunk = new Outbound({
      ssrc: newSsrc(random),
      random,
      send: (packet, length) => this.#sendTrunk(packet, length),
    });
    const common = { cname: randomId(random, 12), clock, random };
    this.#browser = new Leg({
      ...common,
      side: "browser",
      outbound: toBrowser,
      across: toTrunk,
      sendRtcp: (packet, length) => void this.#transport.sendRtcp(packet, length),
      onEvent: (step, event, samples, now) =>
        this.#onEvent(this.#browser, this.#trunk, step, event, samples, now),
    });
    this.#trunk = new Leg({
      ...common,
      side: "trunk",
      outbound: toTrunk,
      across: toBrowser,
      sendRtcp: (packet, length) => this.#sendTrunkRtcp(packet, length),
      onEvent: (step, event, samples, now) =>
        this.#onEvent(this.#trunk, this.#browser, step, event, samples, now),
    });
    this.#transport = options.openTransport({
      onRtp: (packet, length) => this.#onBrowserRtp(packet, length),
      onRtcp: (packet, length) => this.#onRtcp(this.#browser, packet, length),
      onConnected: () => this.#onConnected(),
      onFailed: (reason) => this.#onFailed(reason),
    });
    trunk.onRtp = (packet, length, address, port) => this.#onTrunkRtp(packet, length, address, port);
    trunk.onRtcp = (packet, length, address, port) => {
      if (this.#gate.admitsRtcp(address, port)) this.#onRtcp(this.#trunk, packet, length);
      else this.#trunk.inbound.dropped.add("stranger");
    };
  }

  get transport(): RelayTransport["local"] {
    return this.#transport.local;
  }

  /** SSRC of all we send to the browser. */
  get browserSsrc(): number {
    return this.#browser.outbound.line.ssrc;
  }

  setBrowserRemote(remote: BrowserRemote): void {
    this.#browserKnown = true;
    this.#farewellAt = -1;
    this.#transport.setRemote(remote);
    this.#describe(this.#browser, remote.payload, remote.direction);
  }

  setTrunkRemote(remote: TrunkRemote): void {
    this.#gate.setRemote(remote);
    this.#describe(this.#trunk, remote.payload, remote.direction);
  }

  setDirection(side: Side, direction: Direction): void {
    this.#leg(side).direction = direction;
    this.#regate();
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

  /** Characters outside `0-9*#A-D` are refused before they come here. */
  sendDtmf(side: Side, digits: string, durationMs: number | undefined): void {
    const leg = this.#leg(side);
    if (leg.payload?.telephoneEvent && leg.outbound.open) leg.outbound.events.send(digits, durationMs);
    else leg.inbound.dropped.add("dtmfUnsent", digits.length);
  }

  statistics(): MediaStatistics {
    return {
      browser: this.#browser.statistics(this.#transport.dropped),
      trunk: this.#trunk.statistics({}),
    };
  }

  /** What must happen without a packet: filling (unless told not to), events, reports, idle checks. Every 20 ms. */
  tick(now: number, fill = true): void {
    if (this.#closed) return;
    try {
      this.#tickLeg(this.#browser, now);
      this.#tickLeg(this.#trunk, now);
      if (fill) this.#trunk.outbound.fill(now);
      this.#tellQuality(now);
      if (this.#farewellAt >= 0 && now >= this.#farewellAt) this.#fail("browser closed its media connection");
    } catch (error) {
      this.#fault(error);
    }
  }

  /** Says BYE to both sides, frees codecs, transport and ports. Resolves when the ports are free. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const now = this.#options.clock.now();
    if (this.#connected && this.#transport.connected) this.#browser.rtcp.bye(now);
    if (this.#connected && this.#gate.reachable) this.#trunk.rtcp.bye(now);
    this.#closed = true;
    this.#browser.close();
    this.#trunk.close();
    this.#transport.close();
    await this.#options.trunk.close();
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
    this.#setCodecs();
  }

  /** Opens and shuts lines and ears after anything they hang on has changed. */
  #regate(): void {
    const now = this.#options.clock.now();
    const { direction: browserDirection } = this.#browser;
    const { direction: trunkDirection } = this.#trunk;
    const browserUp = this.#connected && this.#browserKnown;
    const trunkUp = this.#connected && this.#gate.reachable;
    this.#browser.outbound.setOpen(browserUp && this.#transport.connected && sends(browserDirection), now);
    this.#trunk.outbound.setOpen(trunkUp && sends(trunkDirection), now);
    // A browser that never comes up is silent too: it is listened for from the start.
    this.#browser.setListening(browserUp && receives(browserDirection), now);
    this.#trunk.setListening(trunkUp && receives(trunkDirection), now);
  }

  /** Puts readers and encoders in place for the pair of codecs; only what changed is made anew. */
  #setCodecs(): void {
    const browser = this.#browser.payload?.codec;
    const trunk = this.#trunk.payload?.codec;
    const codecs = `${browser} ${trunk}`;
    if (!browser || !trunk || codecs === this.#codecs) return;
    this.#codecs = codecs;
    this.#browser.way.setReader(undefined);
    this.#trunk.way.setReader(undefined);
    const transcoding = browser !== trunk;
    if (!transcoding) this.#browser.outbound.dropEncoder();
    // The module is loaded: this is done before the next packet is read.
    Promise.all([
      createReader(browser, trunk),
      createReader(trunk, browser),
      transcoding ? this.#browser.outbound.prepareEncoder() : undefined,
      // Needed for filled silence even where Opus passes as it is.
      this.#trunk.outbound.prepareEncoder(),
    ]).then(
      ([fromBrowser, fromTrunk]) => {
        const current = codecs === this.#codecs && !this.#closed;
        if (current) this.#browser.way.setReader(fromBrowser);
        else fromBrowser.close();
        if (current) this.#trunk.way.setReader(fromTrunk);
        else fromTrunk.close();
      },
      (error: unknown) => this.#fault(error),
    );
  }

  #onBrowserRtp(packet: Buffer, length: number): void {
    if (this.#closed) return;
    try {
      this.#receive(this.#browser, packet, length);
    } catch (error) {
      this.#fault(error);
    }
  }

  #onTrunkRtp(packet: Buffer, length: number, address: string, port: number): void {
    if (this.#closed) return;
    try {
      if (!this.#gate.admitsRtp(address, port, this.#options.clock.now()))
        this.#trunk.inbound.dropped.add("stranger");
      else this.#receive(this.#trunk, packet, length);
    } catch (error) {
      this.#fault(error);
    }
  }

  #receive(leg: Leg, packet: Buffer, length: number): void {
    if (leg.listening) leg.inbound.receive(packet, length, this.#options.clock.now());
    else leg.inbound.dropped.add(this.#connected ? "direction" : "unconnected");
  }

  #onRtcp(leg: Leg, packet: Buffer, length: number): void {
    if (this.#closed) return;
    try {
      if (!leg.rtcp.receive(packet, length)) leg.inbound.dropped.add("malformedRtcp");
    } catch (error) {
      this.#fault(error);
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
    const digit = digitOf(event.code);
    if (step === "pressed" && digit !== undefined) this.#options.listener.dtmf(from.side, digit);
    if (!to.payload?.telephoneEvent || !to.outbound.open) {
      if (step === "pressed") from.inbound.dropped.add("dtmfUnsent");
      return;
    }
    const { events } = to.outbound;
    if (step === "pressed") events.press(event.code, event.volume, samples, now);
    else if (step === "held") events.hold(samples, now);
    else if (step === "released") events.release(samples, now);
  }

  #onConnected(): void {
    this.#farewellAt = -1;
    this.#regate();
    if (this.#connectedTold) return;
    this.#connectedTold = true;
    this.#options.listener.connected();
  }

  #onFailed(reason: string): void {
    if (reason === "closed by peer") this.#farewellAt = this.#options.clock.now() + farewellMs;
    else this.#fail(`browser media failed: ${reason}`);
    this.#regate();
  }

  #sendTrunk(packet: Buffer, length: number): boolean {
    const remote = this.#gate.remote;
    return remote !== undefined && this.#options.trunk.sendRtp(packet, length, remote.port, remote.address);
  }

  #sendTrunkRtcp(packet: Buffer, length: number): void {
    const remote = this.#gate.remote;
    if (!remote || !this.#gate.reachable) return;
    const port = remote.rtcp?.port ?? remote.port + 1;
    if (port <= 0xffff)
      this.#options.trunk.sendRtcp(packet, length, port, remote.rtcp?.address ?? remote.address);
  }

  #tickLeg(leg: Leg, now: number): void {
    if (leg.outbound.events.busy) leg.outbound.events.tick(now);
    if (!this.#connected) return;
    if (leg.side === "browser" ? this.#transport.connected : this.#gate.reachable) leg.rtcp.tick(now);
    this.#checkIdle(leg, now);
  }

  /** Tells silence once; only of a side that is to send, so hold is no silence. */
  #checkIdle(leg: Leg, now: number): void {
    const { idleMs, listener } = this.#options;
    if (idleMs === 0 || !leg.listening) return;
    let silent = leg.silentMs(now);
    const consentAt = leg.side === "browser" ? this.#transport.lastConsentAt : undefined;
    if (consentAt !== undefined) silent = Math.max(silent, now - Math.max(consentAt, leg.listeningSince));
    const idle = silent >= idleMs;
    if (idle && !leg.idleTold) listener.idle(leg.side, Math.round(silent));
    leg.idleTold = idle;
  }

  #tellQuality(now: number): void {
    const { qualityMs, listener } = this.#options;
    if (!this.#connected || !this.#transport.connected || now - this.#qualityAt < qualityMs) return;
    this.#qualityAt = now;
    listener.quality(this.statistics());
  }

  #fail(reason: string): void {
    if (this.#closed) return;
    this.#farewellAt = -1;
    this.#options.listener.failed(reason);
  }

  #fault(error: unknown): void {
    this.#options.log.error({ err: error }, "media session fault");
    this.#fail("media session failed: internal error");
  }
}

function newSsrc(random: Random): number {
  return random.bytes(4).readUInt32BE(0);
}
