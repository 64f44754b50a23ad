import { createHash, createHmac } from "node:crypto";
import { request as requestHttp, Agent as HttpAgent, type IncomingMessage } from "node:http";
import { request as requestHttps, Agent as HttpsAgent } from "node:https";
import { getCACertificates } from "node:tls";
import type { Clock } from "../../core/index.ts";

export interface Receiver {
  /** `http:` or `https:`. */
  readonly url: string;
  /** Signs what is sent; undefined: nothing is signed. */
  readonly secret?: string | undefined;
  /** Certificates (PEM) that are trusted beside the system's. */
  readonly ca?: string | undefined;
  readonly timeoutMs: number;
}

/** The receiver's answer, or why there was none. */
export type Outcome =
  | { readonly status: number; readonly retryAfterMs: number }
  | { readonly status: undefined; readonly error: Error };

/** What is read of an answer before the connection is dropped, bytes; its status is all that counts. */
const longestAnswer = 65_536;

/**
 * `t=UNIX-SECONDS,v1=HEX`: HMAC-SHA256 of `UNIX-SECONDS.BODY`, so that neither the body nor the time can be changed and
 * an old request can be told.
 */
export function signature(secret: string, body: string, wallClockMs: number): string {
  const seconds = Math.floor(wallClockMs / 1000);
  const hmac = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return `t=${seconds},v1=${hmac}`;
}

/** Posts bodies to one receiver over connections that are kept. Redirects are not followed. */
export class Poster {
  #receiver: Receiver;
  readonly #clock: Clock;
  #agent: HttpAgent;
  /** Other certificates are trusted than `#agent` knows of. */
  #stale = false;

  constructor(receiver: Receiver, clock: Clock) {
    this.#receiver = receiver;
    this.#clock = clock;
    this.#agent = agentFor(receiver);
  }

  /** From the next request on. */
  use({ secret, ca }: Pick<Receiver, "secret" | "ca">): void {
    this.#stale ||= ca !== this.#receiver.ca;
    this.#receiver = { ...this.#receiver, secret, ca };
  }

  /** One at a time. Resolves within the time allowed; never rejects. */
  post(body: string): Promise<Outcome> {
    if (this.#stale) this.#renew();
    const { url, secret, timeoutMs } = this.#receiver;
    const headers = {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
      "User-Agent": "jackfield",
      "Idempotency-Key": createHash("sha256").update(body).digest("hex"),
      ...(secret === undefined
        ? {}
        : { "X-Jackfield-Signature": signature(secret, body, this.#clock.wallClock()) }),
    };
    return new Promise((resolve) => {
      const send = isSecure(url) ? requestHttps : requestHttp;
      const request = send(url, { method: "POST", headers, agent: this.#agent });
      const timer = this.#clock.setTimer(timeoutMs, () =>
        request.destroy(new Error(`no whole answer within ${timeoutMs / 1000} s`)),
      );
      const end = (outcome: Outcome): void => {
        timer.clear();
        resolve(outcome);
      };
      request.on("response", (response) => readAnswer(response, this.#clock, end));
      request.on("error", (error) => end({ status: undefined, error }));
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Connections made with other certificates go; no request is on them now. */
  #renew(): void {
    this.#stale = false;
    this.#agent.destroy();
    this.#agent = agentFor(this.#receiver);
  }
}

function agentFor({ url, ca }: Receiver): HttpAgent {
  const kept = { keepAlive: true, maxSockets: 1 };
  return isSecure(url) ? new HttpsAgent({ ...kept, ca: trusted(ca) }) : new HttpAgent(kept);
}

function isSecure(url: string): boolean {
  return url.startsWith("https:");
}

/** An answer counts when it is whole, or longer than anybody needs. */
function readAnswer(response: IncomingMessage, clock: Clock, end: (outcome: Outcome) => void): void {
  const { statusCode: status = 0, headers } = response;
  const answer = { status, retryAfterMs: retryAfter(headers["retry-after"], clock.wallClock()) };
  let read = 0;
  response.on("data", ({ length }: Buffer) => {
    read += length;
    if (read <= longestAnswer) return;
    end(answer);
    response.destroy();
  });
  response.on("end", () => end(answer));
  response.on("error", (error) => end({ status: undefined, error }));
}

/** Seconds or a date (RFC 9110 10.2.3), in ms from now; 0 where it says nothing. */
function retryAfter(value: string | undefined, now: number): number {
  if (value === undefined) return 0;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

function trusted(ca: string | undefined): string[] {
  return [...getCACertificates("default"), ...getCACertificates("system"), ...(ca === undefined ? [] : [ca])];
}
