import { limits } from "./limits.ts";
import { withoutComments } from "./comments.ts";

/** Where something stands. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** `key = value` or `key => value`. */
export interface Setting {
  /** Lower case: Asterisk does not tell cases apart. */
  readonly key: string;
  readonly value: string;
  readonly at: Place;
}

/** `[name]`, with what its templates gave it before its own settings. */
export interface Section {
  readonly name: string;
  readonly at: Place;
  readonly isTemplate: boolean;
  readonly settings: readonly Setting[];
}

/** Something that could not be read. */
export interface Problem {
  readonly at: Place;
  /** A sentence; never quotes values, which may be secrets. */
  readonly text: string;
}

export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** Gives the files an `#include` names (a pattern may name several), or says why not. */
export type ReadIncluded = (name: string) => readonly NamedText[] | { readonly reason: string };

export interface ParsedFile {
  readonly sections: readonly Section[];
  readonly problems: readonly Problem[];
}

/**
 * Reads a file in Asterisk's configuration format, the files it includes in their place: sections with templates
 * `(!)`, `(base,other)` and additions `(+)`, settings, `;` and `;-- --;` comments, `\;`. Never throws, runs nothing.
 */
export function parseConfigFile(file: NamedText, readIncluded: ReadIncluded): ParsedFile {
  const reader = new Reader(readIncluded);
  reader.read(file, 0);
  return { sections: reader.sections, problems: reader.allProblems() };
}

interface OpenSection extends Section {
  readonly settings: Setting[];
}

class Reader {
  readonly sections: OpenSection[] = [];
  readonly #problems: Problem[] = [];
  readonly #readIncluded: ReadIncluded;
  /** Last section of a name, in lower case: what templates and `(+)` mean. */
  readonly #byName = new Map<string, OpenSection>();
  #current: OpenSection | undefined;
  #lines = 0;
  #files = 0;
  #settings = 0;
  #additions = 0;
  #untold = 0;

  constructor(readIncluded: ReadIncluded) {
    this.#readIncluded = readIncluded;
  }

  allProblems(): readonly Problem[] {
    const last = this.#problems.at(-1);
    if (this.#untold === 0 || !last) return this.#problems;
    return [
      ...this.#problems,
      { at: last.at, text: `and ${this.#untold} more lines that could not be read` },
    ];
  }

  read({ name, text }: NamedText, depth: number): void {
    const begin = { file: name, line: 1 };
    if (++this.#files > limits.files) return this.#problem(begin, "not read: too many files");
    if (text.includes("\0")) return this.#problem(begin, "not read: this is no text file");
    let depthOfComment = 0;
    let openedAt = begin;
    for (const [index, raw] of text.split(/\r?\n/).entries()) {
      const at = { file: name, line: index + 1 };
      if (++this.#lines > limits.lines) return this.#problem(at, "not read from here on: too many lines");
      if (raw.length > limits.lineCharacters) {
        this.#problem(at, `left out: longer than ${limits.lineCharacters} characters`);
        continue;
      }
      const line = withoutComments(raw, depthOfComment);
      if (depthOfComment === 0 && line.depth > 0) openedAt = at;
      depthOfComment = line.depth;
      this.#line(line.text.trim(), at, depth);
    }
    if (depthOfComment > 0) this.#problem(openedAt, "a comment begins here with ;-- and never ends with --;");
  }

  #line(text: string, at: Place, depth: number): void {
    if (text === "") return;
    if (text.startsWith("[")) return this.#header(text, at);
    if (text.startsWith("#")) return this.#directive(text, at, depth);
    const equals = text.indexOf("=");
    const appends = text[equals - 1] === "+";
    const key = text.slice(0, Math.max(0, appends ? equals - 1 : equals)).trim();
    const value = text.slice(text[equals + 1] === ">" ? equals + 2 : equals + 1).trim();
    if (key === "") return this.#problem(at, "is neither [section] nor key = value");
    if (!this.#current) return this.#problem(at, "stands before the first [section]");
    this.#add(this.#current, { key: key.toLowerCase(), value, at }, appends);
  }

  #add(section: OpenSection, setting: Setting, appends: boolean): void {
    if (++this.#settings > limits.settings) return this.#problem(setting.at, "left out: too many settings");
    if (appends && ++this.#additions > limits.additions)
      return this.#problem(setting.at, "left out: too many additions by +=");
    const before = appends ? section.settings.findLast(({ key }) => key === setting.key)?.value : undefined;
    section.settings.push(before === undefined ? setting : { ...setting, value: before + setting.value });
  }

  #header(text: string, at: Place): void {
    this.#current = undefined;
    const [, name = "", options = ""] = /^\[([^\]]+)\]\s*(?:\(([^)]*)\))?/.exec(text) ?? [];
    if (name === "") return this.#problem(at, "has no name between [ and ]");
    const words = options.split(",").flatMap((word) => word.trim() || []);
    const added = words.some((word) => word.startsWith("+"))
      ? this.#byName.get(name.toLowerCase())
      : undefined;
    if (this.sections.length >= limits.sections) return this.#problem(at, "left out: too many sections");
    const section = added ?? { name, at, isTemplate: words.includes("!"), settings: [] };
    for (const word of words) if (word !== "!" && !word.startsWith("+")) this.#inherit(section, word, at);
    if (!added) this.sections.push(section);
    this.#byName.set(name.toLowerCase(), section);
    this.#current = section;
  }

  /** A template gives what it has so far, so none can lead back to itself. */
  #inherit(section: OpenSection, name: string, at: Place): void {
    const base = this.#byName.get(name.toLowerCase());
    if (!base) return this.#problem(at, `asks for the template ${name}, which does not stand above it`);
    // Doubled again and again by templates of templates a few lines would fill the memory.
    if (this.#settings + base.settings.length > limits.settings)
      return this.#problem(at, "left out: too many settings by templates");
    this.#settings += base.settings.length;
    for (const setting of base.settings) section.settings.push(setting);
  }

  #directive(text: string, at: Place, depth: number): void {
    const [, directive = "", rest = ""] = /^#(\w*)(.*)$/s.exec(text) ?? [];
    const named = rest.trim().replace(/^["<]/, "").replace(/[">]$/, "");
    switch (directive) {
      case "include":
      case "tryinclude":
        return this.#include(named.trim(), { at, depth, mayBeMissing: directive === "tryinclude" });
      case "exec":
        return this.#problem(at, "#exec is never run: run it yourself and put what it prints in its place");
      default:
        return this.#problem(at, "is no #include, #tryinclude or #exec");
    }
  }

  #include(
    name: string,
    { at, depth, mayBeMissing }: { at: Place; depth: number; mayBeMissing: boolean },
  ): void {
    if (depth >= limits.includeDepth)
      return this.#problem(
        at,
        `not read: included more than ${limits.includeDepth} deep, perhaps in a circle`,
      );
    const found = this.#readIncluded(name);
    if ("reason" in found) {
      if (!mayBeMissing) this.#problem(at, `includes ${name}, which ${found.reason}`);
      return;
    }
    for (const file of found) this.read(file, depth + 1);
  }

  #problem(at: Place, text: string): void {
    if (this.#problems.length < limits.problems) this.#problems.push({ at, text });
    else this.#untold++;
  }
}
