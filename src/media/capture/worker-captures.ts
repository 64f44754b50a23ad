import type { Clock, Logger } from "../../core/index.ts";
import type { CaptureOrder, CaptureResult } from "./contract.ts";
import { openCaptureFile, type OpenCaptureFile } from "./file.ts";
import { errorCode, PacketCapture } from "./packet-capture.ts";
import { ipv4Number } from "./pcap.ts";
import { SideTap, type PacketTap } from "./tap.ts";

/** A session's packets, as far as a capture needs them. */
export interface CapturedSession {
  /** Shows the packets of both sides to the taps from now on; undefined: to none any more. */
  setTaps(browser: PacketTap | undefined, trunk: PacketTap | undefined): void;
}

/** Our ends of one session, as bound. */
export interface SessionEnds {
  /** Toward the browser, and toward SIP Server's side. Both may be `0.0.0.0`. */
  readonly host: string;
  readonly trunkHost: string;
  readonly browserPort: number;
  /** RTP; RTCP is on the next. */
  readonly trunkPort: number;
}

export type CaptureStart = { readonly ok: true } | { readonly ok: false; readonly reason: string };

interface Entry {
  capture: PacketCapture | undefined;
  /** Why to end as soon as the file is open. */
  endWith: string | undefined;
  /** Undefined when it never began. */
  readonly result: Promise<CaptureResult | undefined>;
}

/** The captures of one worker, at most one of each session. */
export class WorkerCaptures {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #openFile: OpenCaptureFile;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, log: Logger, openFile: OpenCaptureFile = openCaptureFile) {
    this.#clock = clock;
    this.#log = log;
    this.#openFile = openFile;
  }

  /** Makes the file, then captures. Resolves when packets are taken, or with why none are. */
  async start(
    session: string,
    relay: CapturedSession,
    ends: SessionEnds,
    order: CaptureOrder,
  ): Promise<CaptureStart> {
    if (this.#entries.has(session)) return { ok: false, reason: "a capture of this call runs" };
    let settle: (result: Promise<CaptureResult> | undefined) => void = () => {};
    const result = new Promise<CaptureResult | undefined>((resolve) => {
      settle = resolve;
    });
    const entry: Entry = { capture: undefined, endWith: undefined, result };
    this.#entries.set(session, entry);
    try {
      const file = await this.#openFile(order.path);
      const capture = new PacketCapture(order, file, this.#clock, () => relay.setTaps(undefined, undefined));
      entry.capture = capture;
      settle(capture.ended);
      void capture.ended.then(() => this.#entries.delete(session));
      if (entry.endWith === undefined) tap(relay, capture, ends, order);
      else capture.end(entry.endWith);
      return { ok: true };
    } catch (error) {
      this.#entries.delete(session);
      settle(undefined);
      this.#log.warn({ err: error, session }, "capture file not made");
      return { ok: false, reason: errorCode(error) };
    }
  }

  /** Resolves with the result of the session's capture when it has ended; undefined when there is none. */
  async result(session: string): Promise<CaptureResult | undefined> {
    return this.#entries.get(session)?.result;
  }

  /** Ends the session's capture, if there is one; its file is written out behind this call. */
  end(session: string, reason: string): void {
    const entry = this.#entries.get(session);
    if (!entry) return;
    entry.endWith ??= reason;
    entry.capture?.end(reason);
  }

  /** Resolves when all files are closed. */
  async allEnded(): Promise<void> {
    await Promise.all(Array.from(this.#entries.values(), ({ result }) => result));
  }
}

function tap(relay: CapturedSession, capture: PacketCapture, ends: SessionEnds, order: CaptureOrder): void {
  const { host, trunkHost, browserPort, trunkPort } = ends;
  const address = addressOf(host, order.advertisedAddress);
  const trunkAddress = addressOf(trunkHost, order.trunkAdvertisedAddress);
  relay.setTaps(
    new SideTap(capture, { address, rtpPort: browserPort, rtcpPort: browserPort }, order.payload),
    new SideTap(
      capture,
      { address: trunkAddress, rtpPort: trunkPort, rtcpPort: trunkPort + 1 },
      order.payload,
    ),
  );
}

function addressOf(host: string, advertised: string): number {
  return Math.max(0, ipv4Number(host === "0.0.0.0" ? advertised : host));
}
