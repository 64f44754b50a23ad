import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesUnder, isRecord, root } from "./support/files.ts";

function readJson(file: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(readFileSync(join(root, file), "utf8"));
  if (!isRecord(parsed)) throw new Error(`${file} is not an object`);
  return parsed;
}

/** Exact version, no range: what the lock file alone could promise, said where a person looks. */
const EXACT = /^\d+\.\d+\.\d+$/;

describe("package.json and its lock", () => {
  const manifest = readJson("package.json");
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");

  it("pins every package exactly", () => {
    const versions = ["dependencies", "devDependencies"].flatMap((key) =>
      Object.entries(manifest[key] ?? {}),
    );
    expect(versions.length).toBeGreaterThan(10);
    expect(versions.filter(([, version]) => typeof version !== "string" || !EXACT.test(version))).toEqual([]);
  });

  it("names no registry, so that any registry can serve it", () => {
    expect(lock).not.toMatch(/https?:\/\/[^"]*\.tgz/);
    expect(lock).not.toMatch(/"resolved": "(?!file:)/);
  });

  it("takes no package from a folder of the machine", () => {
    expect(lock).not.toMatch(/"(?:resolved|version)": "(?:file|link):/);
  });

  it("locks every optional dependency, for other platforms too: npm ci refuses a lock file without them", () => {
    const packages = readJson("package-lock.json")["packages"];
    if (!isRecord(packages)) throw new Error("the lock file has no packages");
    const missing = Object.values(packages).flatMap((entry) => {
      const optional = isRecord(entry) ? entry["optionalDependencies"] : undefined;
      return isRecord(optional)
        ? Object.keys(optional).filter((name) => !(`node_modules/${name}` in packages))
        : [];
    });
    expect(missing).toEqual([]);
  });

  it("locks what the manifest asks for", () => {
    const packages = readJson("package-lock.json")["packages"];
    const top = isRecord(packages) ? packages[""] : undefined;
    if (!isRecord(top)) throw new Error("the lock file has no root package");
    expect(top["dependencies"]).toEqual(manifest["dependencies"]);
    expect(top["devDependencies"]).toEqual(manifest["devDependencies"]);
    expect(top["version"]).toBe(manifest["version"]);
  });

  it("ships the launcher, the emitted JavaScript and nothing of the tests", () => {
    expect(manifest["files"]).toEqual(expect.arrayContaining(["bin", "dist"]));
    expect(manifest["bin"]).toEqual({ jackfield: "bin/jackfield.js" });
  });
});

describe("the repository", () => {
  it("names no path of one machine", () => {
    const text = /\.(?:ts|js|mjs|json|md|html|css|ya?ml|sh|xml)$|^\.ci\/run$|^docker\//;
    const files = filesUnder(".").filter((file) => text.test(file) && file !== "package-lock.json");
    // Written apart, or this file would find itself.
    const homes = new RegExp(["(?<![\\w.-])/(?:work", "root", "home/\\w+", "Users/\\w+)/"].join("|"));
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => homes.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
  });

  it("tests with one command, the one of the README", () => {
    const ci = readFileSync(join(root, ".ci", "run"), "utf8");
    expect(ci).toMatch(/^#!.*bash\n(?:#.*\n)*set -euo pipefail\n/);
    expect(ci).toContain("npm ci && npm test");
  });
});
