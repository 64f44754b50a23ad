import type { Say } from "./rules/index.ts";
import { readNamedFile, secretOf } from "./secrets.ts";
import { pathText, type Path } from "./walk.ts";

/** A key that holds a secret, and its twin `...File`, which names a file that does. */
export interface SecretKeys {
  /** Of the section they stand in. */
  readonly section: Path;
  readonly name: string;
  readonly value: string | undefined;
  readonly file: string | undefined;
}

/** The secret of either; a fault where both are written or the file has none, undefined where there is none. */
export function eitherSecret(
  { section, name, value, file }: SecretKeys,
  directory: string,
  say: Say,
): string | undefined {
  const path = [...section, `${name}File`];
  if (value !== undefined && file !== undefined)
    say.fault(path, `stands beside ${pathText([...section, name])}`, "write one of the two");
  return value ?? fileSecret(path, file, directory, say);
}

/** The secret in a file named by a key; a fault and undefined when it cannot be had. */
export function fileSecret(
  path: Path,
  file: string | undefined,
  directory: string,
  say: Say,
): string | undefined {
  const text = namedText(path, file, directory, say);
  if (text === undefined) return undefined;
  const secret = secretOf(text);
  if (secret.length > 0 && secret.length <= 256) return secret;
  say.fault(path, secret === "" ? "is empty" : "has more than 256 characters", "write the password into it");
  return undefined;
}

/** The text of such a file; a fault and undefined when it cannot be read. */
export function namedText(
  path: Path,
  file: string | undefined,
  directory: string,
  say: Say,
): string | undefined {
  if (file === undefined) return undefined;
  const read = readNamedFile(directory, file);
  if ("text" in read) return read.text;
  say.fault(path, read.reason, "name a readable file; relative names count from the configuration file");
  return undefined;
}
