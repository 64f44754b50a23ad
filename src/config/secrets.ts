import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";

/** A configuration with 10,000 accounts has 600 kB; a larger file was named by mistake. */
const maxFileCharacters = 4 * 1024 * 1024;

/** Result of reading a file named in the configuration: the text, or why not. */
export type FileText = { readonly text: string } | { readonly reason: string };

/** Reads a file named relative to the configuration file's directory. Never throws. */
export function readNamedFile(directory: string, file: string): FileText {
  try {
    const path = resolve(directory, file);
    // Looked at before it is read: a reload must not stop all calls for a huge one. A character has 4 bytes at most.
    if (statSync(path).size > maxFileCharacters * 4) return { reason: "is too large" };
    const text = readFileSync(path, "utf8");
    return text.length > maxFileCharacters ? { reason: "is too large" } : { text };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    const words: Record<string, string> = {
      ENOENT: "does not exist",
      EACCES: "may not be read by this user",
      EISDIR: "is a directory",
    };
    return { reason: words[code] ?? `cannot be read (${code})` };
  }
}

/** What keeps files from being made in this folder, to be read after its name; undefined when nothing does. */
export function folderFault(path: string): string | undefined {
  try {
    if (!statSync(path).isDirectory()) return "is no folder";
    accessSync(path, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return missing ? "does not exist" : "may not be written to by this user";
  }
}

/** A file that is one secret: the text without the line end that editors put behind it. */
export function secretOf(text: string): string {
  return text.replace(/(\r?\n)+$/, "");
}

/** What a range's password file says: one secret for all, or one for each DN. */
export interface RangeSecrets {
  readonly password?: string;
  readonly passwords?: ReadonlyMap<string, string>;
  /** Numbers of lines that are neither. */
  readonly badLines: readonly number[];
}

/** Lines `dn:password`; or a single line, not of that form, for all. Empty lines and `#` lines do not count. */
export function readRangeSecrets(text: string, isInRange: (dn: string) => boolean): RangeSecrets {
  const passwords = new Map<string, string>();
  const other: { line: string; number: number }[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, dn = "", password = ""] = /^(\w+):(.+)$/.exec(line) ?? [];
    if (dn !== "" && isInRange(dn)) passwords.set(dn, password);
    else other.push({ line, number: index + 1 });
  }
  const [sole] = other;
  if (sole && other.length === 1 && passwords.size === 0) return { password: sole.line, badLines: [] };
  return { passwords, badLines: other.map(({ number }) => number) };
}
