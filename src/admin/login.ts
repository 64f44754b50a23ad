import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock, Logger } from "../core/index.ts";

/** Wrong tokens taken from one address before it has to wait, and how long one of them counts, ms. */
const triesAtOnce = 5;
const tryCountsMs = 10_000;
/** Addresses remembered; beyond that the one whose first wrong token is longest ago is forgotten. */
const addressesKept = 1000;

export interface LoginOptions {
  /** What `Authorization: Bearer` must carry. */
  readonly token: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Lets requests through that carry the token; others get 401, and 429 when an address tries too often. */
export class Login {
  readonly #digest: Buffer;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** By address: `clock.now()` when its wrong tokens no longer count. */
  readonly #forgivenAt = new Map<string, number>();

  constructor({ token, clock, log }: LoginOptions) {
    this.#digest = digestOf(token);
    this.#clock = clock;
    this.#log = log;
  }

  /** For fastify's `onRequest`: answers here, before the body is read, where the request may go no further. */
  async check(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const { ip } = request;
    const waitMs = this.#waitMs(ip);
    // Not even looked at, or the token could be guessed all the same.
    if (waitMs > 0)
      return reply
        .status(429)
        .header("retry-after", Math.ceil(waitMs / 1000))
        .send({ error: "too many wrong tokens from this address: wait" });
    const given = /^Bearer +(\S{1,1024}) *$/i.exec(request.headers.authorization ?? "")?.[1];
    // Digests have one length, so the time to compare them tells nothing of the token.
    if (given !== undefined && timingSafeEqual(digestOf(given), this.#digest)) {
      this.#forgivenAt.delete(ip);
      return undefined;
    }
    if (given !== undefined) this.#countWrong(ip);
    return reply
      .status(401)
      .header("www-authenticate", 'Bearer realm="jackfield admin"')
      .send({ error: "send the admin token: Authorization: Bearer ..." });
  }

  #waitMs(ip: string): number {
    const counted = (this.#forgivenAt.get(ip) ?? 0) - this.#clock.now();
    return counted - (triesAtOnce - 1) * tryCountsMs;
  }

  #countWrong(ip: string): void {
    const now = this.#clock.now();
    this.#log.warn({ address: ip }, "wrong admin token");
    const forgivenAt = Math.max(now, this.#forgivenAt.get(ip) ?? 0) + tryCountsMs;
    this.#forgivenAt.set(ip, forgivenAt);
    const [oldest] = this.#forgivenAt.keys();
    if (this.#forgivenAt.size > addressesKept && oldest !== undefined) this.#forgivenAt.delete(oldest);
  }
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
