import type { Clock } from "./clock.ts";
import type { Logger } from "./logger.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Warnings that anybody may cause: 20 at once, one a second in the long run; the others are left out. */
export function limitedWarn(log: Logger, clock: Clock): Logger["warn"] {
  const lines = new TokenBucket(20, 1, clock.now());
  return (details, message) => {
    if (lines.take(clock.now())) log.warn(details, message);
  };
}
