import { TokenBucket, type Clock, type Logger } from "../../core/index.ts";

/** Warnings about what strangers do, 20 at once and one each five seconds: they must not fill the log. */
export function limitedWarn(log: Logger, clock: Clock): Logger["warn"] {
  const lines = new TokenBucket(20, 0.2, clock.now());
  return (details, message) => {
    if (lines.take(clock.now())) log.warn(details, message);
  };
}
