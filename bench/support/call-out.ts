import { randomBytes } from "node:crypto";

/** How long a call may take from INVITE to the answer of its BYE, ms. */
const patienceMs = 5000;

/** From INVITE sent, ms. */
export interface CallOutTimes {
  /** To the 180. */
  readonly ringMs: number;
  /** To the 200. */
  readonly answerMs: number;
}

export interface CallOutOptions {
  readonly dn: string;
  readonly sdp: string;
  /** host:port of the caller. */
  readonly here: string;
  /** host:port of the gateway. */
  readonly there: string;
  readonly send: (text: string) => void;
}

/** One call of SIP Server's to a DN, with NOTIFY talk, in its own wire text; it sends nothing twice. */
export class CallOut {
  readonly callId = `${randomBytes(8).toString("hex")}@bench`;
  readonly done: Promise<CallOutTimes | string>;
  readonly #options: CallOutOptions;
  readonly #resolve: (outcome: CallOutTimes | string) => void;
  readonly #patience: NodeJS.Timeout;
  readonly #began = performance.now();
  #ringMs: number | undefined;
  #answerMs: number | undefined;

  constructor(options: CallOutOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<CallOutTimes | string>();
    this.done = promise;
    this.#resolve = resolve;
    const waitsFor = (): string =>
      this.#ringMs === undefined ? "180" : this.#answerMs === undefined ? "200" : "200 to BYE";
    this.#patience = setTimeout(() => resolve(`no ${waitsFor()}`), patienceMs);
    this.#send("INVITE", 1, "", options.sdp);
  }

  /** A response of this call. */
  receive(text: string): void {
    const status = Number(text.slice(8, 11));
    const method = /^CSeq:\s*\d+\s+(\S+)/im.exec(text)?.[1];
    const to = /^To:[^\r]*(;tag=[^;\r]+)/im.exec(text)?.[1] ?? "";
    if (method === "BYE") return this.#end();
    if (method !== "INVITE") return;
    if (status === 180 && this.#ringMs === undefined) {
      this.#ringMs = performance.now() - this.#began;
      this.#send("NOTIFY", 2, to);
    } else if (status === 200 && this.#answerMs === undefined) {
      this.#answerMs = performance.now() - this.#began;
      this.#send("ACK", 1, to);
      this.#send("BYE", 3, to);
    } else if (status >= 300) {
      this.#send("ACK", 1, to);
      this.#finish(`INVITE: ${status}`);
    }
  }

  #end(): void {
    if (this.#ringMs === undefined || this.#answerMs === undefined) return;
    this.#finish({ ringMs: this.#ringMs, answerMs: this.#answerMs });
  }

  #finish(outcome: CallOutTimes | string): void {
    clearTimeout(this.#patience);
    this.#resolve(outcome);
  }

  #send(method: string, sequence: number, toTag: string, sdp = ""): void {
    const { dn, here, there, send } = this.#options;
    send(
      [
        `${method} sip:${dn}@${there} SIP/2.0`,
        `From: sip:1003@${here};tag=${this.callId.slice(0, 8)}`,
        `To: <sip:${dn}@${here}>${toTag}`,
        `Call-ID: ${this.callId}`,
        `CSeq: ${sequence} ${method}`,
        `Content-Length: ${Buffer.byteLength(sdp)}`,
        ...(sdp === "" ? [] : ["Content-Type: application/sdp"]),
        `Via: SIP/2.0/UDP ${here};branch=z9hG4bK-${this.callId.slice(0, 16)}-${method}`,
        `Contact: <sip:1003@${here}>`,
        ...(method === "NOTIFY" ? ["Event: talk", "Subscription-State: active"] : []),
        "X-Genesys-CallUUID: BENCH",
        "",
        sdp,
      ].join("\r\n"),
    );
  }
}
