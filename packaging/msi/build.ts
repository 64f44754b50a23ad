/**
 * `node packaging/msi/build.ts [--output FILE.msi] [--node TARBALL] [--package TARBALL]`: the bridge as an MSI for Windows, made on
 * Debian (packages wixl and msitools) of our packed package and Node's npm package for Windows. docs/bridge-install.md.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildMsi, pinnedNode } from "./msi.ts";

const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values } = parseArgs({
  options: {
    output: { type: "string", default: "jackfield-bridge.msi" },
    node: { type: "string" },
    package: { type: "string" },
  },
});

const work = mkdtempSync(join(tmpdir(), "jackfield-tarballs-"));
try {
  const nodePackage = pinnedNode(checkout);
  const tarball = resolve(values.package ?? pack(checkout));
  const nodeTarball = resolve(values.node ?? pack(`${nodePackage.name}@${nodePackage.version}`));
  const output = resolve(values.output);
  await buildMsi(output, { tarball, nodeTarball, nodePackage, checkout });
  process.stdout.write(`${output}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** By npm, which asks the registry that is set, or its cache. */
function pack(what: string): string {
  const args = ["pack", "--silent", "--prefer-offline", "--pack-destination", work, what];
  const said = execFileSync("npm", args, { cwd: work, encoding: "utf8" });
  return join(work, said.trim().split("\n").at(-1) ?? "");
}
