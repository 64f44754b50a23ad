import { readFileSync } from "node:fs";

/** Version in package.json, two folders up from here in a checkout (`src/cli`) and in a package (`dist/cli`) alike. */
export const version: string = readVersion();

function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const parsed: unknown = JSON.parse(text);
  const found =
    typeof parsed === "object" && parsed !== null && "version" in parsed ? parsed.version : undefined;
  if (typeof found !== "string") throw new Error("package.json has no version");
  return found;
}
