import type { ParsedConfig } from "../schema.ts";
import { advertisedRule, httpRule, mediaAdvertisedRule, originsRule, reachableRule } from "./addresses.ts";
import { gwsRule, spansRule } from "./far-ends.ts";
import { mediaPortsRule, overlapRule } from "./ports.ts";
import type { Rule, Say } from "./rule.ts";
import { captureRule, tokensRule, wrtcRule } from "./secrets.ts";
import { sipServerRule, srtpKeysRule, transportRule } from "./sip-server.ts";

export { evenToOdd } from "./ports.ts";
export type { Say } from "./rule.ts";

const rules: readonly Rule[] = [
  httpRule,
  originsRule,
  advertisedRule,
  mediaAdvertisedRule,
  reachableRule,
  mediaPortsRule,
  overlapRule,
  sipServerRule,
  transportRule,
  srtpKeysRule,
  captureRule,
  tokensRule,
  wrtcRule,
  spansRule,
  gwsRule,
];

/** Runs every rule whose sections are there. */
export function applyRules(sections: Partial<ParsedConfig>, workers: number, say: Say): void {
  for (const { needs, check } of rules)
    // The rule reads no section but those it needs, and these are there.
    if (needs.every((name) => sections[name] !== undefined)) check(sections as ParsedConfig, say, workers);
}
