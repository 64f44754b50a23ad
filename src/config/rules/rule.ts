import type { ParsedConfig } from "../schema.ts";
import type { Path } from "../walk.ts";

/** Where a rule says what it found. */
export interface Say {
  fault(path: Path, reason: string, remedy: string): void;
  warn(path: Path, reason: string, remedy: string): void;
}

type Section = keyof ParsedConfig;

/** A check across keys. It runs when the sections it needs are sound by themselves. */
export interface Rule {
  readonly needs: readonly Section[];
  readonly check: (config: ParsedConfig, say: Say, workers: number) => void;
}

/** Stands for every address of the host. */
export function isAnyAddress(host: string): boolean {
  return host === "0.0.0.0";
}
