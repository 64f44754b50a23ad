import type { DialPlan, Step } from "./dial-plan.ts";
import { withIncluded } from "./dial-plan.ts";
import type { Findings } from "./report.ts";

/** As `calls.outbound.rules` takes it. */
export interface NumberRule {
  readonly match: string;
  readonly action?: "deny";
  readonly strip?: number;
  readonly prefix?: string;
}

const mostRules = 200;
/** Extensions that nobody dials. */
const special = /^(?:[hitsoae]|fax|talk|failed)$/i;

/** Number rules out of what the agents' contexts do with numbers they dial. */
export function planRules(
  contexts: readonly string[],
  plan: DialPlan,
  trunks: readonly string[],
  findings: Findings,
): NumberRule[] {
  const dialled = dialledContexts(contexts, plan);
  const rules = new Map<string, NumberRule>();
  for (const steps of extensionsOf(plan.steps.filter(({ context }) => dialled.has(context)))) {
    const rule = ruleOf(steps, trunks, findings);
    const first = steps[0];
    if (!rule || !first) continue;
    for (const match of patternsOf(first.extension) ?? [])
      if (!rules.has(match)) rules.set(match, { match, ...rule });
  }
  return inOrder([...rules.values()], findings);
}

/** The contexts that numbers dialled in these are looked for in. */
export function dialledContexts(contexts: readonly string[], plan: DialPlan): ReadonlySet<string> {
  return new Set(contexts.flatMap((context) => [...withIncluded(context, plan)]));
}

/** Steps of one extension of one context together. */
function extensionsOf(steps: readonly Step[]): Step[][] {
  const all = new Map<string, Step[]>();
  for (const step of steps) {
    if (special.test(step.extension)) continue;
    const id = `${step.context}\n${step.extension}`;
    const known = all.get(id);
    if (known) known.push(step);
    else all.set(id, [step]);
  }
  return [...all.values()];
}

type Rule = Omit<NumberRule, "match">;

function ruleOf(steps: readonly Step[], trunks: readonly string[], findings: Findings): Rule | undefined {
  const dial = steps.find(({ app }) => app === "dial");
  const step = dial ?? steps[0];
  if (!step) return undefined;
  const what = `exten ${step.extension}`;
  if (patternsOf(step.extension) === undefined) {
    findings.add(
      "decide",
      what,
      "its pattern cannot be written as a rule: see calls.outbound.rules",
      step.at,
    );
    return undefined;
  }
  if (!dial) {
    if (!steps.every(({ app }) => refusals.has(app))) return undefined;
    findings.add(
      "mapped",
      what,
      "calls.outbound.rules: deny. Check that no emergency number is denied by it",
      step.at,
    );
    return { action: "deny" };
  }
  const target = targetOf(dial.args, step.extension);
  if (!target) {
    if (!/^\s*(?:PJSIP|SIP)\/\$\{EXTEN\}\s*(?:,|$)/i.test(dial.args))
      findings.add(
        "decide",
        what,
        "its Dial is too much for a number rule (calls.outbound.rules): strip, prefix and deny",
        dial.at,
      );
    return undefined;
  }
  if (trunks.length > 0 && !trunks.includes(target.trunk)) {
    findings.add(
      "lost",
      what,
      `went to ${target.trunk}, which is not SIP Server: every call goes to SIP Server now, which routes it`,
      dial.at,
    );
    return undefined;
  }
  const { strip, prefix } = target;
  findings.add(
    "mapped",
    what,
    strip === 0 && prefix === ""
      ? "goes to SIP Server as dialled"
      : `calls.outbound.rules: strip ${strip}, prefix "${prefix}", to SIP Server`,
    dial.at,
  );
  return { ...(strip === 0 ? {} : { strip }), ...(prefix === "" ? {} : { prefix }) };
}

/** What only tells the caller that the number is none. */
const refusals = new Set([
  "hangup",
  "congestion",
  "busy",
  "playback",
  "answer",
  "noop",
  "wait",
  "playtones",
  "verbose",
  "progress",
]);

interface Target {
  readonly trunk: string;
  readonly strip: number;
  readonly prefix: string;
}

/** `PJSIP/+${EXTEN:2}@trunk` and `PJSIP/trunk/sip:+${EXTEN:2}@host`; undefined for anything else. */
function targetOf(args: string, extension: string): Target | undefined {
  const written = args.split(",")[0]?.trim() ?? "";
  // A number of its own written out again is the number dialled.
  const isNumber = /^[0-9*#+]+$/.test(extension);
  const first = isNumber ? written.replace(`/${extension}@`, () => "/${EXTEN}@") : written;
  if (first.includes("&")) return undefined;
  const number = String.raw`([0-9+*#]*)\$\{EXTEN(?::(\d{1,2}))?\}`;
  const byName = new RegExp(String.raw`^(?:PJSIP|SIP)/${number}@([\w.-]+)$`, "i").exec(first);
  const byUri = new RegExp(String.raw`^(?:PJSIP|SIP)/([\w.-]+)/(?:sips?:)?${number}(?:@.*)?$`, "i").exec(
    first,
  );
  const [prefix, strip, trunk] = byName ? byName.slice(1) : byUri ? [byUri[2], byUri[3], byUri[1]] : [];
  if (trunk === undefined || Number(strip ?? 0) > 32 || (prefix ?? "").length > 32) return undefined;
  return { trunk, strip: Number(strip ?? 0), prefix: prefix ?? "" };
}

const mostAlternatives = 50;

/** Patterns of ours that match what an extension of Asterisk's matches; undefined where none can. */
export function patternsOf(extension: string): string[] | undefined {
  if (extension.length > 80) return undefined;
  if (!extension.startsWith("_")) return /^[0-9a-z+*#_-]{1,32}$/.test(extension) ? [extension] : undefined;
  let patterns = [""];
  // Dashes stand there for the eye only.
  const parts =
    extension
      .slice(1)
      .replaceAll("-", (dash, at: number) => (isInClass(extension, at + 1) ? dash : ""))
      .match(/\[[^\]]*\]|./g) ?? [];
  for (const part of parts) {
    const letters = part.startsWith("[")
      ? lettersOf(part)
      : [/^[xzn]$/.test(part) ? part.toUpperCase() : part];
    if (letters.length === 0 || patterns.length * letters.length > mostAlternatives) return undefined;
    patterns = patterns.flatMap((begin) => letters.map((letter) => begin + letter));
  }
  return patterns.every((pattern) => /^(?=.)[XZN0-9a-z+*#_-]{0,32}[.!]?$/.test(pattern))
    ? patterns
    : undefined;
}

function isInClass(text: string, place: number): boolean {
  return text.lastIndexOf("[", place) > text.lastIndexOf("]", place);
}

/** `[1-35]` is 1, 2, 3 and 5. */
function lettersOf(part: string): string[] {
  const letters = new Set<string>();
  for (const [, from = "", to = from] of part.slice(1, -1).matchAll(/(.)(?:-(.))?/g))
    for (let code = from.charCodeAt(0); code <= to.charCodeAt(0) && letters.size <= mostAlternatives; code++)
      letters.add(String.fromCharCode(code));
  return [...letters];
}

/** How many numbers each letter of a pattern lets in; the fewer first, as Asterisk prefers. */
function width(letter: string): number {
  return ({ X: 10, N: 8, Z: 9, ".": 100, "!": 101 } as Readonly<Record<string, number>>)[letter] ?? 1;
}

/** Most particular first, since our first match decides and Asterisk's best one does. None where all go as dialled. */
function inOrder(rules: readonly NumberRule[], findings: Findings): NumberRule[] {
  if (
    rules.every(
      ({ action, strip, prefix }) => action === undefined && strip === undefined && prefix === undefined,
    )
  )
    return [];
  const sorted = rules.toSorted(({ match: one }, { match: other }) => {
    for (let place = 0; place < Math.max(one.length, other.length); place++) {
      const [left, right] = [one[place], other[place]];
      // Where one is at its end the other is longer, thus more particular, unless it only has a wildcard left.
      const difference = (left === undefined ? 99 : width(left)) - (right === undefined ? 99 : width(right));
      if (difference !== 0) return difference;
    }
    return 0;
  });
  if (sorted.length > mostRules)
    findings.add(
      "decide",
      "calls.outbound.rules",
      `only the first ${mostRules} of ${sorted.length} number rules were taken over`,
    );
  return sorted.slice(0, mostRules);
}
