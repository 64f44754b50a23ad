import type { Clock, Timer } from "../../core/index.ts";
import { packRecords, writeRecord, type DtlsRecord } from "./records.ts";

/** First wait for flight 5 before flight 4 goes out again; doubles (RFC 6347 4.2.4.1 lets real-time be quicker). */
const firstRetransmitMs = 400;
const longestRetransmitMs = 3200;
/** Largest datagram of ours, bytes: passes every path WebRTC works on. */
export const datagramBytes = 1200;

export interface FlightFourOptions {
  /** ServerHello to ServerHelloDone as they go out first. */
  readonly records: readonly DtlsRecord[];
  /** Next unused record number of epoch 0: records sent again get new ones, or a replay check would drop them. */
  readonly nextSequence: () => number;
  readonly clock: Clock;
  readonly send: (datagram: Buffer) => void;
}

/** Our flight 4: sent, and sent again until the client goes on (RFC 6347 4.2.4). */
export class FlightFour {
  readonly #options: FlightFourOptions;
  #timer: Timer | undefined;
  #waitMs = firstRetransmitMs;
  #sentAt = 0;

  constructor(options: FlightFourOptions) {
    this.#options = options;
  }

  start(): void {
    this.#send((record) => record.sequenceNumber);
  }

  /** The client's hello came again. The fragments of one hello come together: one answer is enough. */
  repeat(): void {
    if (this.#options.clock.now() - this.#sentAt >= firstRetransmitMs / 4) this.#sendAgain();
  }

  stop(): void {
    this.#timer?.clear();
  }

  #sendAgain(): void {
    this.#send(() => this.#options.nextSequence());
  }

  #send(numberOf: (record: DtlsRecord) => number): void {
    const { records, clock, send } = this.#options;
    const written = records.map((record) =>
      writeRecord(record.contentType, 0, numberOf(record), record.fragment),
    );
    for (const datagram of packRecords(written, datagramBytes)) send(datagram);
    this.#sentAt = clock.now();
    this.#timer?.clear();
    this.#timer = clock.setTimer(this.#waitMs, () => this.#sendAgain());
    this.#waitMs = Math.min(longestRetransmitMs, this.#waitMs * 2);
  }
}
