import type { Clock, Logger, Random } from "../../core/index.ts";
import type { CaptureOrder } from "../capture/contract.ts";
import { WorkerCaptures } from "../capture/worker-captures.ts";
import { RelaySession } from "../relay/session.ts";
import type { OpenTransport } from "../relay/transport.ts";
import { openTrunkSocket, type TrunkSocket } from "../relay/trunk-socket.ts";
import { LoadWatch, type LoadReadings } from "./load-watch.ts";
import { answer, direct, type SessionCommand } from "./session-commands.ts";
import type { WorkerCommand, WorkerMessage, WorkerReply, WorkerSettings } from "./messages.ts";
import { PortPairs } from "./port-pairs.ts";
import { SoundShare } from "./sound-share.ts";
import { Ticker } from "./ticker.ts";

/** A tick so late means that the thread did not run; afterwards it is given time to read what has piled up, ms. */
const stallMs = 60;
const afterStallMs = 200;

/** The shared port of a worker's browsers, as the worker uses it. */
export interface WorkerBrowserPort {
  readonly port: number;
  readonly receiveBufferBytes: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly open: OpenTransport;
  close(): Promise<void>;
}

export interface MediaWorkerOptions {
  readonly settings: WorkerSettings;
  readonly browserPort: WorkerBrowserPort;
  readonly readings: LoadReadings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly post: (message: WorkerMessage) => void;
  /** Told of each packet that a trunk socket reads. */
  readonly onRead?: () => void;
}

interface SessionEntry {
  readonly relay: RelaySession;
  readonly trunkPort: number;
  readonly sound: SoundShare;
  /** When it was told to relay; undefined before. */
  connectedAt: number | undefined;
}

/** The sessions of one worker thread: does what the main thread commands, tells it what happens. */
export class MediaWorker {
  readonly #options: MediaWorkerOptions;
  readonly #sessions = new Map<string, SessionEntry>();
  #opening = 0;
  readonly #pairs: PortPairs;
  readonly #ticker: Ticker;
  readonly #captures: WorkerCaptures;
  readonly #load: LoadWatch;
  #stopping = false;
  /** No silence is filled in before this time. */
  #fillFrom = 0;

  constructor(options: MediaWorkerOptions) {
    const { settings, clock } = options;
    this.#options = options;
    this.#pairs = new PortPairs(...settings.rtpPorts, settings.portRestMs);
    this.#captures = new WorkerCaptures(clock, options.log);
    this.#ticker = new Ticker(clock, (now, lateMs) => this.#tick(now, lateMs));
    this.#load = this.#watchLoad();
  }

  #watchLoad(): LoadWatch {
    const { settings, readings, clock, log, post } = this.#options;
    return new LoadWatch({
      now: clock.now(),
      readings,
      limits: settings,
      log,
      listen: (elapsedMs) => {
        for (const { relay, sound } of this.#sessions.values()) sound.look(relay.packetsReceived, elapsedMs);
      },
      count: (since, until) => this.#count(since, until),
      portsLeft: () => this.#pairs.free > 0,
      onLoad: (load) => post({ type: "load", load }),
      onComplexity: (complexity) => {
        for (const { relay } of this.#sessions.values()) relay.setComplexity(complexity);
      },
    });
  }

  #count(since: number, until: number): { sessions: number; sounding: number; setUps: number } {
    let sounding = 0;
    let setUps = 0;
    for (const { connectedAt, sound } of this.#sessions.values()) {
      sounding += sound.share;
      if (connectedAt !== undefined && connectedAt > since && connectedAt <= until) setUps++;
    }
    return { sessions: this.#sessions.size + this.#opening, sounding, setUps };
  }

  /** Carries out one command; those of sessions that are gone are void, as they crossed the `closed` on the way. */
  async handle(command: WorkerCommand): Promise<void> {
    switch (command.type) {
      case "open":
        await this.#open(command.session);
        return;
      case "close":
        await this.#close(command.session, command.reason);
        return;
      case "workerStatistics":
        this.#reply(this.#workerStatistics(command.request));
        return;
      case "stop":
        await this.#stop();
        return;
      case "startCapture":
        await this.#startCapture(command.session, command.request, command.order);
        return;
      case "captureResult": {
        const { session, request } = command;
        const result = await this.#captures.result(session);
        this.#reply(result ? { type: "captureEnded", request, result } : { type: "gone", request });
        return;
      }
      case "stopCapture":
        this.#captures.end(command.session, "stopped");
        return;
      case "restartIce":
      case "renewBrowser":
      case "statistics":
      case "browserRemote":
      case "trunkRemote":
      case "direction":
      case "connect":
      case "dtmf":
        this.#perform(command);
    }
  }

  async #startCapture(session: string, request: number, order: CaptureOrder): Promise<void> {
    const { settings, browserPort } = this.#options;
    const entry = this.#sessions.get(session);
    if (!entry) return this.#reply({ type: "gone", request });
    const { host, trunkHost } = settings;
    const ends = { host, trunkHost, browserPort: browserPort.port, trunkPort: entry.trunkPort };
    const start = await this.#captures.start(session, entry.relay, ends, order);
    this.#reply({ type: "captureStarted", request, start });
  }

  /** A fault on the way ends the session concerned, not the worker. */
  #perform(command: SessionCommand): void {
    const entry = this.#sessions.get(command.session);
    const relay = entry?.relay;
    try {
      if ("request" in command) this.#reply(answer(relay, command));
      else if (relay) direct(relay, command);
      if (entry && command.type === "connect") entry.connectedAt ??= this.#options.clock.now();
    } catch (error) {
      if ("request" in command) this.#reply({ type: "gone", request: command.request });
      relay?.fault(error);
    }
  }

  /**
   * After a stall of the thread packets wait in the sockets, and timers run before they are read: silence that
   * is only ours is not filled.
   */
  #tick(now: number, lateMs: number): void {
    if (lateMs >= stallMs) this.#fillFrom = now + afterStallMs;
    for (const { relay } of this.#sessions.values()) relay.tick(now, now >= this.#fillFrom);
    this.#load.tick(now, lateMs);
  }

  async #open(session: string): Promise<void> {
    const { post } = this.#options;
    // Before anything is made: a session refused leaves nothing behind.
    const refusal = this.#load.refusal();
    if (refusal) return post({ type: "refused", session, ...refusal });
    this.#opening++;
    try {
      await this.#openAdmitted(session);
    } finally {
      this.#opening--;
    }
    if (this.#stopping) await this.#close(session, "media worker stopped");
  }

  async #openAdmitted(session: string): Promise<void> {
    const { post, log, clock } = this.#options;
    let trunk: TrunkSocket | undefined;
    try {
      trunk = await this.#bindPair();
      if (!trunk) return post({ type: "refused", session, cause: "ports", reason: "no free RTP port pair" });
      const relay = this.#createRelay(session, trunk);
      relay.setComplexity(this.#load.complexity);
      this.#startTicks();
      const sound = new SoundShare();
      this.#sessions.set(session, { relay, trunkPort: trunk.port, sound, connectedAt: undefined });
      const { transport: ice, browserSsrc: ssrc } = relay;
      post({ type: "opened", session, ice, ssrc, trunkPort: trunk.port });
    } catch (error) {
      log.error({ err: error }, "media session not opened");
      await trunk?.close();
      if (trunk) this.#pairs.give(trunk.port, clock.now());
      const full = error instanceof Error && error.name === "BrowserPortFullError";
      post({ type: "refused", session, cause: full ? "ports" : undefined, reason: String(error) });
    }
  }

  #startTicks(): void {
    if (this.#sessions.size > 0) return;
    this.#load.start(this.#options.clock.now());
    this.#ticker.start();
  }

  #stopTicks(): void {
    if (this.#sessions.size > 0) return;
    this.#ticker.stop();
    this.#load.rest();
  }

  #createRelay(session: string, trunk: TrunkSocket): RelaySession {
    const { browserPort, clock, random, log, post, settings } = this.#options;
    return new RelaySession({
      openTransport: (handlers) => browserPort.open(handlers),
      trunk,
      clock,
      random,
      log: log.child({ session }),
      trunkSource: settings.trunkSource,
      jitterBuffer: settings.jitterBuffer === "adaptive",
      idleMs: settings.idleMs,
      qualityMs: settings.qualityMs,
      grantFec: () => this.#load.grantFec(clock.now()),
      rtcpXr: settings.rtcpXr,
      gainDb: settings.gainDb,
      listener: {
        connected: () => post({ type: "connected", session }),
        dtmf: (side, digit) => post({ type: "dtmf", session, side, digit }),
        ...(settings.tellSteps ? { step: (step) => post({ type: "step", session, step }) } : {}),
        quality: (statistics) => post({ type: "quality", session, statistics }),
        idle: (side, silentMs) => post({ type: "idle", session, side, silentMs }),
        failed: (reason) => void this.#close(session, reason),
      },
    });
  }

  /**
   * A bound pair of the slice, undefined when there is none; ports that some other program holds are passed over.
   * Throws what no other port would cure: no such address, no file descriptors left.
   */
  async #bindPair(): Promise<TrunkSocket | undefined> {
    const { settings, clock, log, onRead } = this.#options;
    for (let tries = this.#pairs.free; tries > 0 && !this.#stopping; tries--) {
      const port = this.#pairs.take(clock.now());
      if (port === undefined) return undefined;
      try {
        return await openTrunkSocket(settings.trunkHost, port, log, onRead);
      } catch (error) {
        log.warn({ err: error, port }, "RTP port pair not bound");
        this.#pairs.give(port, clock.now());
        if (!isTaken(error)) throw error;
      }
    }
    return undefined;
  }

  async #close(session: string, reason: string): Promise<void> {
    const entry = this.#sessions.get(session);
    if (!entry) return;
    this.#sessions.delete(session);
    this.#stopTicks();
    const statistics = entry.relay.statistics();
    try {
      await entry.relay.close();
    } catch (error) {
      this.#options.log.error({ err: error, session }, "media session not closed cleanly");
    }
    // Not waited for: a slow disk keeps no call.
    this.#captures.end(session, "call ended");
    this.#pairs.give(entry.trunkPort, this.#options.clock.now());
    this.#options.post({ type: "closed", session, reason, statistics });
  }

  async #stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(
      Array.from(this.#sessions.keys(), (session) => this.#close(session, "media pool closed")),
    );
    await this.#captures.allEnded();
    await this.#options.browserPort.close();
  }

  #workerStatistics(request: number): WorkerReply {
    const { settings, browserPort, readings } = this.#options;
    return {
      type: "workerStatistics",
      request,
      statistics: {
        index: settings.index,
        sessions: this.#sessions.size,
        browserPort: browserPort.port,
        receiveBufferBytes: browserPort.receiveBufferBytes,
        refused: { ...browserPort.refused },
        cpuMs: readings.cpuMs(),
        ...this.#load.statistics,
      },
    };
  }

  #reply(reply: WorkerReply): void {
    this.#options.post({ type: "reply", reply });
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
