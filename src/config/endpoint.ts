import { tokenSecret, adminIsOn } from "./admin.ts";
import { isLoopback } from "./loopback.ts";
import type { Say } from "./rules/index.ts";
import type { ParsedConfig } from "./schema.ts";
import type { Config } from "./types.ts";

/** Checks that there is something to make tokens from, and that the names it is reached by are known. */
export function resolveEndpoint(
  endpoint: ParsedConfig["endpoint"],
  others: Pick<Config, "admin" | "agents" | "http"> | undefined,
  say: Say,
): Config["endpoint"] {
  if (!endpoint.enabled || !others) return endpoint;
  const { http } = others;
  if (!adminIsOn(others) || tokenSecret(others) === undefined)
    say.fault(
      ["endpoint", "enabled"],
      "needs somebody who issues tokens and a secret to make them from",
      "write admin.token or admin.tokenFile, or admin.users and agents.tokens.keyFile (openssl rand -hex 32)",
    );
  if (endpoint.hosts.length === 0 && !http.tls && !isLoopback(http.host))
    say.fault(
      ["endpoint", "hosts"],
      "is empty, and there is no certificate to take the gateway's names from",
      'write the names browsers reach the gateway by, e.g. ["gateway.example.com"]',
    );
  return endpoint;
}
