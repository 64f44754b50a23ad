import type { Say } from "./rules.ts";
import { readNamedFile, secretOf } from "./secrets.ts";
import type { Path } from "./walk.ts";

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
