import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesIn, fillPayload, type NodePackage } from "./payload.ts";
import { wxs } from "./wxs.ts";

export interface MsiSources {
  /** Our packed package (`npm pack`). */
  readonly tarball: string;
  readonly nodeTarball: string;
  readonly nodePackage: NodePackage;
  readonly checkout: string;
}

/** Writes the MSI to `output`, an absolute path. Needs tar and wixl. */
export async function buildMsi(output: string, { tarball, ...sources }: MsiSources): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), "jackfield-msi-"));
  try {
    const packed = join(work, "packed");
    mkdirSync(packed);
    execFileSync("tar", ["-xzf", tarball, "-C", packed, "--strip-components=1"]);
    const payload = join(work, "payload");
    await fillPayload(payload, { packed, ...sources });
    const { version } = JSON.parse(readFileSync(join(packed, "package.json"), "utf8")) as { version: string };
    const description = join(work, "bridge.wxs");
    writeFileSync(description, wxs(filesIn(payload), version));
    execFileSync("wixl", ["--arch", "x64", "--output", output, description], {
      cwd: payload,
      stdio: "inherit",
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The package that is pinned. */
export function pinnedNode(checkout: string): NodePackage {
  return JSON.parse(readFileSync(join(checkout, "packaging/msi/node-package.json"), "utf8")) as NodePackage;
}
