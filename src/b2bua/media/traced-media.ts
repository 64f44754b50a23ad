import type {
  BrowserLocal,
  BrowserRemote,
  CaptureOptions,
  Direction,
  MediaSession,
  MediaStatistics,
  MediaStep,
  Payload,
  RunningCapture,
  Side,
  TrunkRemote,
} from "../../media/index.ts";
import type { CallTrace, TraceSide, TracedWayQuality } from "../../trace/index.ts";

/** A media session that writes into the call's trace what it is told and what it tells. */
export class TracedMedia implements MediaSession {
  readonly id: string;
  readonly browser: BrowserLocal;
  readonly trunk: MediaSession["trunk"];
  readonly events: MediaSession["events"];
  readonly #session: MediaSession;
  readonly #trace: CallTrace;
  #addressKnown = false;

  constructor(session: MediaSession, trace: CallTrace) {
    this.id = session.id;
    this.browser = session.browser;
    this.trunk = session.trunk;
    this.events = session.events;
    this.#session = session;
    this.#trace = trace;
    const { address, port } = session.trunk;
    this.#note(`opened, RTP port ${address}:${port} toward SIP Server`);
    this.events.on("step", (step) => this.#step(step));
    this.events.on("connected", () => this.#note("ICE and DTLS are up", "browser"));
    this.events.on("dtmf", (side, digit) => this.#note(`DTMF heard: ${trace.digits(digit)}`, side));
    this.events.on("quality", (statistics) => this.#quality(statistics));
    this.events.on("idle", (side, silentMs) => this.#note(`silent for ${Math.round(silentMs)} ms`, side));
    this.events.on("closed", (reason, statistics) => {
      if (statistics) this.#counters(statistics);
      this.#note(`closed: ${reason}`);
    });
  }

  get capture(): RunningCapture | undefined {
    return this.#session.capture;
  }

  setBrowserRemote(remote: BrowserRemote): void {
    this.#note(`${payloadWords(remote.payload)} ${remote.direction}`, "browser");
    this.#session.setBrowserRemote(remote);
  }

  restartIce(): Promise<BrowserLocal> {
    this.#note("ICE restart", "browser");
    return this.#session.restartIce();
  }

  renewBrowser(): Promise<BrowserLocal> {
    this.#note("another page takes the browser's side over", "browser");
    return this.#session.renewBrowser();
  }

  setTrunkRemote(remote: TrunkRemote): void {
    const { address, port, payload, direction } = remote;
    this.#note(`${payloadWords(payload)} ${direction} to ${address}:${port}`, "trunk");
    this.#session.setTrunkRemote(remote);
  }

  setDirection(side: Side, direction: Direction): void {
    this.#note(direction, side);
    this.#session.setDirection(side, direction);
  }

  connect(): void {
    this.#note("sound may run");
    this.#session.connect();
  }

  sendDtmf(side: Side, digits: string, durationMs?: number): void {
    this.#note(`DTMF to send: ${this.#trace.digits(digits)}`, side);
    this.#session.sendDtmf(side, digits, durationMs);
  }

  statistics(): Promise<MediaStatistics> {
    return this.#session.statistics();
  }

  startCapture(options: CaptureOptions): Promise<RunningCapture> {
    this.#note("capture asked for");
    return this.#session.startCapture(options);
  }

  close(reason: string): void {
    this.#session.close(reason);
  }

  #note(text: string, side?: Side): void {
    this.#trace.note("media", text, side && sideOf(side));
  }

  #step(step: MediaStep): void {
    const again = this.#addressKnown;
    if (step.step === "ice") this.#addressKnown = true;
    this.#note(stepWords(step, again), stepSide(step));
  }

  #quality(statistics: MediaStatistics): void {
    const { browser, trunk } = statistics;
    const ways = {
      fromBrowser: browser.received.last,
      toBrowser: browser.sent.last,
      fromSipServer: trunk.received.last,
      toSipServer: trunk.sent.last,
    };
    const known = Object.entries(ways).filter(([, way]) => way !== undefined);
    if (known.length > 0) this.#trace.quality(Object.fromEntries<TracedWayQuality | undefined>(known));
    this.#counters(statistics);
  }

  #counters({ browser, trunk }: MediaStatistics): void {
    this.#trace.counters({ browser, sipServer: trunk });
  }
}

function sideOf(side: Side): TraceSide {
  return side === "browser" ? "browser" : "sip-server";
}

function payloadWords({ codec, payloadType }: Payload): string {
  return `${codec} (${payloadType})`;
}

function stepSide(step: MediaStep): Side {
  return "side" in step ? step.side : "browser";
}

/** `again`: an address of the browser's was chosen before. */
function stepWords(step: MediaStep, again: boolean): string {
  if (step.step === "ice")
    return `ICE: address ${step.address}:${step.port} chosen${again ? " in the place of the one before" : ""}`;
  if (step.step === "consent")
    return step.lost ? "ICE: lost, no check from the browser for 7 s" : "ICE: checks come again";
  if (step.step === "dtls-begun") return "DTLS handshake begins";
  if (step.step === "dtls") return `DTLS handshake done, ${step.profile}`;
  if (step.step === "failed") return `failed: ${step.reason}`;
  if (step.step === "first-packet") return `first packet ${step.way} this side`;
  return step.flows ? `RTP ${step.way} this side again` : `RTP ${step.way} this side stopped`;
}
