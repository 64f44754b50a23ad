import { Totals } from "../../src/media/pool/totals.ts";
import { TypedEvents } from "../../src/core/index.ts";
import {
  CaptureRefusedError,
  MediaExhaustedError,
  type BrowserLocal,
  type BrowserRemote,
  type CaptureOptions,
  type Direction,
  type ExhaustedCause,
  type MediaPool,
  type MediaPoolEvents,
  type MediaSession,
  type MediaSessionEvents,
  type MediaStatistics,
  type Side,
  type TrunkRemote,
} from "../../src/media/index.ts";

/** A relay session that writes down what it is told; for the rules of calls, not for their sound. */
export class FakeMediaSession implements MediaSession {
  readonly events = new TypedEvents<MediaSessionEvents>();
  readonly id: string;
  readonly browser: BrowserLocal;
  readonly trunk: { address: string; port: number };
  readonly told: string[] = [];
  browserRemote: BrowserRemote | undefined;
  trunkRemote: TrunkRemote | undefined;
  closed = false;
  /** Told with `closed`. */
  finalStatistics: MediaStatistics | undefined;
  readonly #onClose: () => void;

  constructor(index: number, onClose: () => void) {
    this.id = `media-${index}`;
    this.#onClose = onClose;
    this.browser = this.#local("ufrg");
    this.trunk = { address: "192.0.2.20", port: 10_000 + 2 * index };
  }

  #local(iceUfrag: string): BrowserLocal {
    return {
      address: "203.0.113.10",
      port: 20_100,
      iceUfrag,
      icePwd: "p".repeat(24),
      fingerprint: { algorithm: "sha-256", value: Array.from({ length: 32 }, () => "AB").join(":") },
      ssrc: 1234,
    };
  }

  setBrowserRemote(remote: BrowserRemote): void {
    this.browserRemote = remote;
    this.told.push(`browser ${remote.payload.codec} ${remote.direction}`);
  }
  restartIce(): Promise<BrowserLocal> {
    this.told.push("restart ICE");
    return Promise.resolve(this.#local("new-ufrag"));
  }
  /** Set: there is no room for another browser. */
  noRoom = false;
  renewBrowser(): Promise<BrowserLocal> {
    if (this.noRoom) return Promise.reject(new Error("the browsers' port is full"));
    this.told.push("renew browser");
    return Promise.resolve(this.#local("renewed-ufrag"));
  }
  setTrunkRemote(remote: TrunkRemote): void {
    this.trunkRemote = remote;
    this.told.push(`trunk ${remote.address}:${remote.port} ${remote.payload.codec} ${remote.direction}`);
  }
  setDirection(side: Side, direction: Direction): void {
    this.told.push(`${side} direction ${direction}`);
  }
  connect(): void {
    this.told.push("connect");
  }
  sendDtmf(side: Side, digits: string, durationMs?: number): void {
    this.told.push(`dtmf ${side} ${digits} ${durationMs}`);
  }
  statistics(): Promise<MediaStatistics> {
    return Promise.reject(new Error("not counted here"));
  }
  readonly capture = undefined;
  startCapture({ label }: CaptureOptions): Promise<never> {
    this.told.push(`capture ${label}`);
    return Promise.reject(new CaptureRefusedError("off", "no captures here"));
  }
  close(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    this.#onClose();
    this.events.emit("closed", reason, this.finalStatistics);
  }
}

export class FakeMediaPool implements MediaPool {
  readonly events = new TypedEvents<MediaPoolEvents>();
  readonly opened: FakeMediaSession[] = [];
  sessions = 0;
  exhausted = false;
  why: ExhaustedCause = "ports";
  words = "no free RTP port pair";
  full = false;
  admissionRefusals = 0;
  readonly totals = new Totals().all;

  open(): Promise<MediaSession> {
    if (this.exhausted) return Promise.reject(new MediaExhaustedError(this.why, this.words));
    this.sessions++;
    const session = new FakeMediaSession(this.opened.length, () => this.sessions--);
    this.opened.push(session);
    return Promise.resolve(session);
  }
  workers(): Promise<[]> {
    return Promise.resolve([]);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }

  get last(): FakeMediaSession {
    const session = this.opened.at(-1);
    if (!session) throw new Error("no media was opened");
    return session;
  }
}
