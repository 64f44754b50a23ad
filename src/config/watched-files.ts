import { resolve } from "node:path";
import type { ParsedConfig } from "./schema.ts";
import type { Config } from "./types.ts";

/** Absolute paths of the files that `rereadFiles` takes something from. */
export function watchedFilesOf({ agents, records }: Partial<ParsedConfig>, directory: string): string[] {
  const entries = [...(agents?.accounts ?? []), ...(agents?.ranges ?? [])];
  const { jwt } = agents ?? {};
  const { webhook } = records ?? {};
  const files = [
    ...entries.flatMap(({ passwordFile, trunkPasswordFile }) => [passwordFile, trunkPasswordFile]),
    jwt?.secretFile,
    jwt?.publicKeyFile,
    webhook?.secretFile,
    webhook?.ca,
  ];
  const named = files.filter((file) => file !== undefined);
  return Array.from(new Set(named.map((file) => resolve(directory, file))));
}

/** `current` with what the watched files hold now; what else differs in `loaded` waits for a reload. */
export function rereadFiles(current: Config, loaded: Config): Config {
  const { accounts, ranges } = loaded.agents;
  const jwt = renewed(current.agents.jwt, loaded.agents.jwt, ["secret", "publicKey"]);
  const webhook = renewed(current.records.webhook, loaded.records.webhook, ["secret", "ca"]);
  return {
    ...current,
    agents: { ...current.agents, accounts, ranges, ...(jwt ? { jwt } : {}) },
    records: { ...current.records, ...(webhook ? { webhook } : {}) },
  };
}

/** Only what is there before and after: a key of another kind is another configuration. */
function renewed<Section extends object>(
  current: Section | undefined,
  loaded: Section | undefined,
  keys: readonly (keyof Section)[],
): Section | undefined {
  if (!current || !loaded) return current;
  const next = { ...current };
  for (const key of keys)
    if (current[key] !== undefined && loaded[key] !== undefined) next[key] = loaded[key];
  return next;
}
