import { adminIsOn, resolveToken } from "./admin.ts";
import { isLoopback } from "./loopback.ts";
import type { Say } from "./rules/index.ts";
import type { ParsedConfig } from "./schema.ts";
import type { Config } from "./types.ts";

/** Whether `/metrics` is served on the HTTP(S) port: not where nobody could be let in. */
export function metricsAreOn({ metrics, admin }: Pick<Config, "metrics" | "admin">): boolean {
  return metrics.token !== undefined || adminIsOn({ admin });
}

/** Whether the listener of its own asks for a token. */
export function listenerAsksForToken({ listen }: Pick<ParsedConfig["metrics"], "listen">): boolean {
  return listen !== undefined && !isLoopback(listen.host) && !listen.allowWithoutToken;
}

/** Reads the token; says where the listener would have to let everybody in. */
export function resolveMetrics(
  metrics: ParsedConfig["metrics"],
  admin: Config["admin"] | undefined,
  directory: string,
  say: Say,
): Config["metrics"] {
  const token = resolveToken("metrics", metrics, directory, say);
  const { listen } = metrics;
  const none = token === undefined && metrics.tokenFile === undefined && admin && admin.token === undefined;
  if (none && listenerAsksForToken(metrics))
    say.fault(
      ["metrics", "listen", "host"],
      "is not loopback, and there is no token to ask for",
      "write metrics.tokenFile, or host: 127.0.0.1, or allowWithoutToken: true where only Prometheus gets through",
    );
  return { ...(token === undefined ? {} : { token }), ...(listen ? { listen } : {}) };
}
