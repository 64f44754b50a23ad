import { closeSync, openSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { checkTree, formatFaults } from "../../config/index.ts";
import {
  configText,
  importAsterisk,
  type ImportResult,
  type NamedText,
  type ReadIncluded,
} from "../../migration/index.ts";
import { digestHa1 } from "../../sip/index.ts";

const maxFileBytes = 16 * 1024 * 1024;
const mostFilesOfPattern = 200;

export interface ImportOptions {
  readonly files: readonly string[];
  /** Where the configuration goes; must not be there yet. Default jackfield.yaml. */
  readonly output: string | undefined;
  /** Where the report goes; default standard output. */
  readonly report: string | undefined;
}

/** Nothing is left to decide; something is; nothing was written. */
const codes = { done: 0, toDecide: 1, notWritten: 2 } as const;

/**
 * `jackfield import-asterisk`: reads Asterisk's files, writes our configuration, files of accounts and passwords where such are needed
 * (all readable for their owner only), and a report. Passwords go to no terminal and no report.
 */
export function runImportAsterisk({ files, output = "jackfield.yaml", report }: ImportOptions): number {
  const [first] = files;
  if (first === undefined)
    return fail("name pjsip.conf, and beside it extensions.conf, rtp.conf, http.conf where there are such");
  const texts: NamedText[] = [];
  for (const file of files) {
    const read = readText(file);
    if ("reason" in read) return fail(`${file} ${read.reason}`);
    texts.push({ name: file, text: read.text });
  }
  const folder = dirname(resolve(output));
  const result = importAsterisk({
    files: texts,
    readIncluded: includedFrom(dirname(resolve(first))),
    isReadable: (file) => "text" in readText(resolve(folder, file)),
    ha1Of: digestHa1,
    baseName: basename(output).replace(/\.ya?ml$/i, ""),
  });
  const written: string[] = [];
  try {
    for (const { name, lines } of result.passwordFiles)
      write(join(folder, name), `${lines.join("\n")}\n`, 0o600, written);
    write(output, configText(result.tree), 0o600, written);
    if (report !== undefined) write(report, result.report, 0o644, written);
  } catch (error) {
    for (const file of written) unlinkSync(file);
    return fail(reasonOf(error));
  }
  return tell(result, { output, folder, report, written });
}

interface Written {
  readonly output: string;
  readonly folder: string;
  readonly report: string | undefined;
  readonly written: readonly string[];
}

function tell(result: ImportResult, { output, folder, report, written }: Written): number {
  if (report === undefined) console.log(result.report);
  console.error(`written: ${written.join(", ")}`);
  const checked = checkTree(result.tree, () => undefined, folder, {});
  // What is wrong with it is ours to mend, but whoever stands here at night must know.
  if (!checked.ok) console.error(formatFaults(checked.faults, output));
  console.error(
    `${result.agents} agents, ${result.toDecide} points to decide; then: jackfield check --config ${output}`,
  );
  return checked.ok && result.toDecide === 0 ? codes.done : codes.toDecide;
}

function fail(words: string): number {
  console.error(`import-asterisk: ${words}; nothing was written`);
  return codes.notWritten;
}

function reasonOf(error: unknown): string {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === "EEXIST")
    return `${path ?? "the file"} is there already: move it away or name another with --output`;
  return error instanceof Error ? error.message : String(error);
}

/** Only a file that was not there before: a configuration that somebody edited is not lost. */
function write(file: string, text: string, mode: number, written: string[]): void {
  const handle = openSync(file, "wx", mode);
  written.push(file);
  try {
    writeFileSync(handle, text);
  } finally {
    closeSync(handle);
  }
}

function readText(file: string): { readonly text: string } | { readonly reason: string } {
  try {
    const facts = statSync(file);
    // A pipe or a device would be read for ever.
    if (!facts.isFile()) return { reason: "is no file" };
    if (facts.size > maxFileBytes) return { reason: "is too large" };
    return { text: readFileSync(file, "utf8") };
  } catch (error) {
    return unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): { readonly reason: string } {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return { reason: "does not exist" };
  if (code === "EACCES" || code === "EPERM")
    return {
      reason: `this user may not read (${file}): run it as one who may, or give a copy that he may read`,
    };
  return { reason: `cannot be read (${code ?? "unknown error"})` };
}

/** Asterisk's own folder stands for the one that the files given are in: they are often copies. */
const asteriskFolder = "/etc/asterisk";

/** Reads included files, those below `folder` only; `*` in a file's name stands for any text. */
function includedFrom(folder: string): ReadIncluded {
  return (name) => {
    const there = isAbsolute(name) && !inside(folder, name) && inside(asteriskFolder, name);
    const path = resolve(folder, there ? relative(asteriskFolder, name) : name);
    if (!inside(folder, path)) return { reason: "lies outside of the folder of the first file: not read" };
    const found: NamedText[] = [];
    const files = filesOf(path);
    if ("reason" in files) return files;
    for (const file of files) {
      const read = readText(file);
      if ("reason" in read) return read;
      found.push({ name: relative(folder, file), text: read.text });
    }
    return found.length > 0 ? found : { reason: "does not exist" };
  };
}

function inside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== "" && !way.startsWith("..") && !isAbsolute(way);
}

function filesOf(path: string): readonly string[] | { readonly reason: string } {
  if (!basename(path).includes("*")) return [path];
  const parts = basename(path).split("*");
  try {
    return readdirSync(dirname(path))
      .filter((name) => fits(name, parts))
      .toSorted()
      .slice(0, mostFilesOfPattern)
      .map((name) => join(dirname(path), name));
  } catch (error) {
    return unreadable(dirname(path), error);
  }
}

/** Whether a name has the parts of a pattern between its `*` in order. */
function fits(name: string, parts: readonly string[]): boolean {
  const [begin = "", ...rest] = parts;
  const end = rest.pop() ?? "";
  if (!name.startsWith(begin) || !name.endsWith(end) || name.length < begin.length + end.length) return false;
  let place = begin.length;
  for (const part of rest) {
    const found = name.indexOf(part, place);
    if (found === -1) return false;
    place = found + part.length;
  }
  return place <= name.length - end.length;
}
