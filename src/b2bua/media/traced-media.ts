import type {
  BrowserLocal,
  BrowserRemote,
  CaptureOptions,
  Direction,
  MediaSession,
  MediaStatistics,
  MediaStep,
  Payload,
  QualityOfWay,
  RunningCapture,
  Side,
  TrunkRemote,
} from "../../media/index.ts";
import type { CallTrace, TraceSide } from "../../trace/index.ts";

/** A media session that writes into the call's trace what it is told and what it tells. */
export class TracedMedia implements MediaSession {
  readonly id: string;
  readonly browser: BrowserLocal;
  readonly trunk: MediaSession["trunk"];
  readonly events: MediaSession["events"];
  readonly #session: MediaSession;
  readonly #trace: CallTrace;

  constructor(session: MediaSession, trace: CallTrace) {
    this.id = session.id;
    this.browser = session.browser;
    this.trunk = session.trunk;
    this.events = session.events;
    this.#session = session;
    this.#trace = trace;
    const { address, port } = session.trunk;
    this.#note(`opened, RTP port ${address}:${port} toward SIP Server`);
    this.events.on("step", (step) => this.#note(stepWords(step), stepSide(step)));
    this.events.on("connected", () => this.#note("ICE and DTLS are up", "browser"));
    this.events.on("dtmf", (side, digit) => this.#note(`DTMF heard: ${trace.digits(digit)}`, side));
    this.events.on("quality", (statistics) => this.#quality(statistics));
    this.events.on("idle", (side, silentMs) => this.#note(`silent for ${Math.round(silentMs)} ms`, side));
    this.events.on("closed", (reason) => this.#note(`closed: ${reason}`));
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

  #quality({ browser, trunk }: MediaStatistics): void {
    this.#note(`quality from ${qualityWords(browser.received)}, to ${qualityWords(browser.sent)}`, "browser");
    this.#note(`quality from ${qualityWords(trunk.received)}, to ${qualityWords(trunk.sent)}`, "trunk");
  }
}

function sideOf(side: Side): TraceSide {
  return side === "browser" ? "browser" : "sip-server";
}

function payloadWords({ codec, payloadType }: Payload): string {
  return `${codec} (${payloadType})`;
}

function qualityWords({ last }: QualityOfWay): string {
  if (!last) return "-";
  const trip = last.roundTripMs === undefined ? "" : `, round trip ${Math.round(last.roundTripMs)} ms`;
  return `MOS ${last.mos.toFixed(1)}, loss ${last.lossPercent.toFixed(1)} %, jitter ${Math.round(last.jitterMs)} ms${trip}`;
}

function stepSide(step: MediaStep): Side {
  return "side" in step ? step.side : "browser";
}

function stepWords(step: MediaStep): string {
  if (step.step === "ice") return `ICE: address ${step.address}:${step.port} chosen`;
  if (step.step === "dtls") return `DTLS handshake done, ${step.profile}`;
  if (step.step === "failed") return `failed: ${step.reason}`;
  return `first packet ${step.way} this side`;
}
