import { BoundedMap, TokenBucket, type Clock } from "../../core/index.ts";
import type { GatewayLink } from "../gateway/link.ts";

const mostKnown = 50;
const allowedMs = 10 * 60_000;
const refusedMs = 10_000;

/**
 * Which pages may ask: those of the settings, or, without any, those the gateway allows. It is asked once in ten minutes for
 * each, by a preflight of its own; what strangers make it be asked is limited.
 */
export class OriginRule {
  readonly #listed: readonly string[] | undefined;
  readonly #link: Pick<GatewayLink, "ask">;
  readonly #clock: Clock;
  readonly #known = new BoundedMap<{ readonly allowed: boolean; readonly until: number }>(mostKnown);
  readonly #asks: TokenBucket;

  constructor(listed: readonly string[] | undefined, link: Pick<GatewayLink, "ask">, clock: Clock) {
    this.#listed = listed;
    this.#link = link;
    this.#clock = clock;
    this.#asks = new TokenBucket(10, 1, clock.now());
  }

  async allows(origin: string): Promise<boolean> {
    if (this.#listed) return this.#listed.includes(origin);
    const known = this.#known.get(origin);
    if (known && known.until > this.#clock.now()) return known.allowed;
    if (!isOrigin(origin) || !this.#asks.take(this.#clock.now())) return false;
    const headers = { origin, "access-control-request-method": "GET" };
    const result = await this.#link.ask({ method: "OPTIONS", path: "/Ping", headers });
    // Who was allowed stays so while the gateway cannot be asked: WWE has to hear that it cannot.
    if ("fault" in result) return known?.allowed ?? false;
    const allowed = result.answer.headers["access-control-allow-origin"] === origin;
    const until = this.#clock.now() + (allowed ? allowedMs : refusedMs);
    this.#known.set(origin, { allowed, until });
    return allowed;
  }
}

function isOrigin(text: string): boolean {
  return text.length < 300 && URL.canParse(text) && new URL(text).origin === text;
}
