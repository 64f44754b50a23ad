import { readdirSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** Folders that hold nothing of ours. */
const FOREIGN = new Set(["node_modules", "dist", ".git", "coverage", "results"]);

/** Files under `folder` (from the root, `.` for all) whose name ends as told, as paths from the root with `/`. */
export function filesUnder(folder: string, ending = ""): string[] {
  const found: string[] = [];
  const walk = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (FOREIGN.has(entry.name)) continue;
      const full = join(path, entry.name);
      if (entry.isDirectory()) walk(full);
      else if (entry.isFile() && entry.name.endsWith(ending))
        found.push(relative(root, full).split(sep).join("/"));
    }
  };
  walk(join(root, folder));
  return found.sort();
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
