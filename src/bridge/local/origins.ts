import { BoundedMap, TokenBucket, type Clock } from "../../core/index.ts";
import type { GatewayLink } from "../gateway/link.ts";

const mostKnown = 50;
const allowedMs = 10 * 60_000;
const refusedMs = 10_000;

/**
 * Which pages may ask: those of the settings, or, without any, those the gateway allows. It is asked once in ten minutes for
 * each, by a preflight of its own; what strangers make it be asked is limited, and takes nothing from who was allowed.
 */
export class OriginRule {
  readonly #listed: readonly string[] | undefined;
  readonly #link: Pick<GatewayLink, "ask">;
  readonly #clock: Clock;
  /** Until when the gateway's answer holds, monotonic ms. Two maps: strangers do not drive WWE out of its own. */
  readonly #allowed = new BoundedMap<number>(mostKnown);
  readonly #refused = new BoundedMap<number>(mostKnown);
  readonly #asks: TokenBucket;

  constructor(listed: readonly string[] | undefined, link: Pick<GatewayLink, "ask">, clock: Clock) {
    this.#listed = listed;
    this.#link = link;
    this.#clock = clock;
    this.#asks = new TokenBucket(10, 1, clock.now());
  }

  async allows(origin: string): Promise<boolean> {
    if (this.#listed) return this.#listed.includes(origin);
    const now = this.#clock.now();
    const allowedUntil = this.#allowed.get(origin);
    if (allowedUntil !== undefined && allowedUntil > now) return true;
    if (allowedUntil === undefined) {
      if ((this.#refused.get(origin) ?? 0) > now) return false;
      if (!isOrigin(origin) || !this.#asks.take(now)) return false;
    }
    const headers = { origin, "access-control-request-method": "GET" };
    const result = await this.#link.ask({ method: "OPTIONS", path: "/Ping", headers });
    // Who was allowed stays so while the gateway cannot be asked: WWE has to hear that it cannot.
    if ("fault" in result) return allowedUntil !== undefined;
    const allowed = result.answer.headers["access-control-allow-origin"] === origin;
    if (allowed) this.#allowed.set(origin, this.#clock.now() + allowedMs);
    else {
      this.#allowed.delete(origin);
      this.#refused.set(origin, this.#clock.now() + refusedMs);
    }
    return allowed;
  }
}

function isOrigin(text: string): boolean {
  return text.length < 300 && URL.canParse(text) && new URL(text).origin === text;
}
