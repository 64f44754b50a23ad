/**
 * `node packaging/msi/build.ts [--output FILE.msi] [--node TARBALL] [--package TARBALL]`: the bridge as an MSI for Windows, made on
 * Debian (packages wixl and msitools) of our packed package and Node's npm package for Windows. docs/bridge-install.md.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { filesIn, fillPayload, type NodePackage } from "./payload.ts";
import { wxs } from "./wxs.ts";

const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values } = parseArgs({
  options: {
    output: { type: "string", default: "jackfield-bridge.msi" },
    node: { type: "string" },
    package: { type: "string" },
  },
});

const nodePackage = JSON.parse(
  readFileSync(join(checkout, "packaging/msi/node-package.json"), "utf8"),
) as NodePackage;
const work = mkdtempSync(join(tmpdir(), "jackfield-msi-"));
try {
  const packed = join(work, "packed");
  mkdirSync(packed);
  execFileSync("tar", ["-xzf", values.package ?? pack(checkout), "-C", packed, "--strip-components=1"]);
  const nodeTarball = values.node ?? pack(`${nodePackage.name}@${nodePackage.version}`);
  const payload = join(work, "payload");
  await fillPayload(payload, { packed, nodeTarball, nodePackage, checkout });
  const { version } = JSON.parse(readFileSync(join(packed, "package.json"), "utf8")) as { version: string };
  const description = join(payload, "..", "bridge.wxs");
  writeFileSync(description, wxs(filesIn(payload), version));
  const output = resolve(values.output);
  execFileSync("wixl", ["--arch", "x64", "--output", output, description], { cwd: payload, stdio: "inherit" });
  process.stdout.write(`${output}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** By npm, which asks the registry that is set, or its cache. */
function pack(what: string): string {
  const args = ["pack", "--silent", "--prefer-offline", "--pack-destination", work, what];
  const name = execFileSync("npm", args, { cwd: work, encoding: "utf8" }).trim().split("\n").at(-1) ?? "";
  return join(work, name);
}
