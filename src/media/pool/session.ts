import { TypedEvents, type Logger } from "../../core/index.ts";
import {
  CaptureRefusedError,
  type CaptureOptions,
  type CaptureOrder,
  type RunningCapture,
} from "../capture/contract.ts";
import type { CaptureDesk } from "../capture/desk.ts";
import type {
  BrowserLocal,
  BrowserRemote,
  Direction,
  MediaSession,
  MediaSessionEvents,
  MediaStatistics,
  Side,
  TrunkLocal,
  TrunkRemote,
} from "../contract.ts";
import { digitCodes } from "../dtmf/event-sender.ts";
import type { IceLocal, SessionNotice, WorkerCommand, WorkerReply } from "../worker/messages.ts";

/** What a session uses of its worker. */
export interface SessionLine {
  post(command: WorkerCommand): void;
  /** Resolves with the reply to the command `make` returns; rejects when the worker fails first. */
  ask(make: (request: number) => WorkerCommand): Promise<WorkerReply>;
}

/** What our SDP says of every session of a worker. */
export interface SessionPlace {
  /** Toward browsers, the preferred one first. */
  readonly addresses: readonly [string, ...string[]];
  /** Toward SIP Server's side. */
  readonly trunkAddress: string;
  /** See `TrunkLocal.ownAddress`. */
  readonly ownTrunkAddress: string;
  readonly browserPort: number;
  readonly rtcpXr: boolean;
}

type Opened = Extract<SessionNotice, { type: "opened" }>;

/** A media session as the main thread sees it: commands go to the worker, notices come back as events. */
export class PoolSession implements MediaSession {
  readonly id: string;
  readonly browser: BrowserLocal;
  readonly trunk: TrunkLocal;
  readonly events: TypedEvents<MediaSessionEvents>;
  readonly #line: SessionLine;
  readonly #desk: CaptureDesk;
  /** The capture under way: an object of its own from the asking on, so that no former one's end is taken for its. */
  #capturing: { running?: RunningCapture } | undefined;
  /** Reason given to `close`, once it was called. */
  #closing: string | undefined;
  #closed = false;

  constructor(opened: Opened, place: SessionPlace, line: SessionLine, desk: CaptureDesk, log: Logger) {
    const { addresses, trunkAddress, ownTrunkAddress, browserPort, rtcpXr } = place;
    const [address, ...otherAddresses] = addresses;
    this.id = opened.session;
    this.browser = {
      address,
      ...(otherAddresses.length > 0 ? { otherAddresses } : {}),
      port: browserPort,
      ...opened.ice,
      ssrc: opened.ssrc,
    };
    this.trunk = { address: trunkAddress, ownAddress: ownTrunkAddress, port: opened.trunkPort, rtcpXr };
    this.events = new TypedEvents(log);
    this.#line = line;
    this.#desk = desk;
  }

  setBrowserRemote(remote: BrowserRemote): void {
    this.#post({ type: "browserRemote", session: this.id, remote });
  }

  restartIce(): Promise<BrowserLocal> {
    return this.#newLocal("restartIce");
  }

  renewBrowser(): Promise<BrowserLocal> {
    return this.#newLocal("renewBrowser");
  }

  async #newLocal(type: "restartIce" | "renewBrowser"): Promise<BrowserLocal> {
    const reply = await this.#ask((request) => ({ type, session: this.id, request }));
    if (reply.type !== "iceRestarted")
      throw new Error("media session is closed, or the browsers' port is full");
    const ice: IceLocal = reply.ice;
    return { ...this.browser, ...ice };
  }

  setTrunkRemote(remote: TrunkRemote): void {
    this.#post({ type: "trunkRemote", session: this.id, remote });
  }

  setDirection(side: Side, direction: Direction): void {
    this.#post({ type: "direction", session: this.id, side, direction });
  }

  connect(): void {
    this.#post({ type: "connect", session: this.id });
  }

  sendDtmf(side: Side, digits: string, durationMs?: number): void {
    digitCodes(digits);
    this.#post({ type: "dtmf", session: this.id, side, digits, durationMs });
  }

  async statistics(): Promise<MediaStatistics> {
    const reply = await this.#ask((request) => ({ type: "statistics", session: this.id, request }));
    if (reply.type !== "statistics") throw new Error("media session is closed");
    return reply.statistics;
  }

  get capture(): RunningCapture | undefined {
    return this.#capturing?.running;
  }

  async startCapture(options: CaptureOptions): Promise<RunningCapture> {
    if (this.#closing !== undefined || this.#closed)
      throw new CaptureRefusedError("no-media", "the call's media is closed");
    if (this.#capturing) throw new CaptureRefusedError("running", "a capture of this call runs already");
    const mine: { running?: RunningCapture } = {};
    const over = (): void => {
      if (this.#capturing === mine) this.#capturing = undefined;
    };
    this.#capturing = mine;
    try {
      mine.running = await this.#desk.start(options, this.#captureLine(), over);
      return mine.running;
    } catch (error) {
      over();
      throw error;
    }
  }

  #captureLine() {
    const session = this.id;
    return {
      advertisedAddress: this.browser.address,
      trunkAdvertisedAddress: this.trunk.address,
      start: async (order: CaptureOrder) => {
        const reply = await this.#line.ask((request) => ({ type: "startCapture", session, request, order }));
        return reply.type === "captureStarted" ? reply.start : undefined;
      },
      result: async () => {
        const reply = await this.#line.ask((request) => ({ type: "captureResult", session, request }));
        return reply.type === "captureEnded" ? reply.result : undefined;
      },
      stop: () => this.#post({ type: "stopCapture", session }),
    };
  }

  close(reason: string): void {
    if (this.#closing !== undefined || this.#closed) return;
    this.#post({ type: "close", session: this.id, reason });
    this.#closing = reason;
  }

  /** A notice of the worker's about this session, but for its end. */
  receive(notice: Exclude<SessionNotice, { type: "opened" | "refused" | "closed" }>): void {
    // What crossed our close on its way is nobody's business any more.
    if (this.#closing !== undefined || this.#closed) return;
    switch (notice.type) {
      case "connected":
        return this.events.emit("connected");
      case "dtmf":
        return this.events.emit("dtmf", notice.side, notice.digit);
      case "step":
        return this.events.emit("step", notice.step);
      case "quality":
        return this.events.emit("quality", notice.statistics);
      case "idle":
        return this.events.emit("idle", notice.side, notice.silentMs);
    }
  }

  /** The session is over in the worker, or the worker itself is. */
  ownerClosed(reason: string, statistics: MediaStatistics | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.events.emit("closed", this.#closing ?? reason, statistics);
    this.events.removeAllListeners();
  }

  #post(command: WorkerCommand): void {
    if (this.#closing === undefined && !this.#closed) this.#line.post(command);
  }

  async #ask(make: (request: number) => WorkerCommand): Promise<WorkerReply> {
    if (this.#closing !== undefined || this.#closed) throw new Error("media session is closed");
    return this.#line.ask(make);
  }
}
