import type { Place, Section, Setting } from "./config-file.ts";

/** One step of an extension: `exten => PATTERN,PRIORITY,App(args)`. */
export interface Step {
  readonly context: string;
  /** As written, `_` of a pattern included. */
  readonly extension: string;
  /** Lower case. */
  readonly app: string;
  readonly args: string;
  readonly at: Place;
}

export interface DialPlan {
  readonly steps: readonly Step[];
  /** Names of the contexts a context includes. */
  readonly includes: ReadonlyMap<string, readonly string[]>;
  /** Lines that are neither; they may hold passwords. */
  readonly unread: readonly Pick<Setting, "key" | "at">[];
}

const mostGlobals = 10_000;
const mostReplacements = 20;

/** Reads the sections of extensions.conf; global variables are put in, others left. */
export function readDialPlan(sections: readonly Section[]): DialPlan {
  const globals = new Map(
    sections
      .filter(({ name }) => name.toLowerCase() === "globals")
      .flatMap(({ settings }) =>
        settings.slice(0, mostGlobals).map(({ key, value }) => [key.toUpperCase(), value] as const),
      ),
  );
  const steps: Step[] = [];
  const includes = new Map<string, string[]>();
  const unread: Pick<Setting, "key" | "at">[] = [];
  for (const { name, settings } of sections) {
    if (/^(?:general|globals)$/i.test(name)) continue;
    let extension = "";
    const included = includes.get(name) ?? [];
    includes.set(name, included);
    for (const { key, value, at } of settings) {
      if (key === "include") included.push(value.split(/[,|]/)[0]?.trim() ?? "");
      const parts =
        key === "exten"
          ? /^([^,]*),([^,]*),(.*)$/s.exec(value)
          : key === "same"
            ? /^()([^,]*),(.*)$/s.exec(value)
            : null;
      if (!parts) {
        if (key !== "include") unread.push({ key, at });
        continue;
      }
      // Behind a slash stands who calls: `exten => 100/5001,1,...`.
      if (key === "exten") extension = (parts[1] ?? "").split("/")[0]?.trim() ?? "";
      const call = /^([A-Za-z]\w*)\s*(?:\((.*))?$/s.exec(withGlobals(parts[3] ?? "", globals).trim());
      if (!call) {
        unread.push({ key, at });
        continue;
      }
      // A bracket that is not closed (behind `;` all is a comment) is closed by Asterisk too.
      const args = (call[2] ?? "").replace(/\)$/, "");
      steps.push({ context: name, extension, app: (call[1] ?? "").toLowerCase(), args, at });
    }
  }
  return { steps, includes, unread };
}

function withGlobals(text: string, globals: ReadonlyMap<string, string>): string {
  let result = text;
  for (let count = 0; count < mostReplacements; count++) {
    const found = /\$\{(\w+)\}/g;
    const next = result.replace(found, (whole, name: string) => globals.get(name.toUpperCase()) ?? whole);
    // Variables that name themselves twice over would grow without end.
    if (next === result || next.length > 8192) break;
    result = next;
  }
  return result;
}

/** A context and all it includes, each once. */
export function withIncluded(context: string, { includes }: DialPlan): ReadonlySet<string> {
  const all = new Set([context]);
  for (const name of all) for (const other of includes.get(name) ?? []) all.add(other);
  return all;
}
