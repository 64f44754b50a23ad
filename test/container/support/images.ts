import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { root } from "../../house/support/files.ts";
import { bases } from "./base.ts";
import type { Podman } from "./podman.ts";

export const gatewayImage = "localhost/jackfield:test";
export const sandboxImage = "localhost/jackfield-sandbox:test";

/** Where this machine's npm has packages from. In no layer may it be seen. */
export function registry(): string {
  return execFileSync("npm", ["config", "get", "registry"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}

/** Builds both images from docker/Dockerfile; what did not change since the last run is not built again. */
export async function buildImages(podman: Podman): Promise<void> {
  const { base, runtime } = bases(podman);
  const secrets = mkdtempSync(join(tmpdir(), "jackfield-build-"));
  try {
    const npmrc = join(secrets, "npmrc");
    const authorities = join(secrets, "ca.pem");
    writeFileSync(npmrc, `registry=${registry()}\ncafile=/run/secrets/npm-ca\n`, { mode: 0o600 });
    const extra = process.env["NODE_EXTRA_CA_CERTS"];
    writeFileSync(
      authorities,
      [...rootCertificates, extra === undefined ? "" : readFileSync(extra, "utf8")].join("\n"),
    );
    const common = [
      "build",
      "--quiet",
      `--layers=${podman.keepsLayers}`,
      "--format=docker",
      "--isolation=chroot",
      `--secret=id=npmrc,src=${npmrc}`,
      `--secret=id=npm-ca,src=${authorities}`,
      `--build-arg=BASE=${base}`,
      `--build-arg=RUNTIME=${runtime}`,
      "--build-arg=REVISION=test",
      `--file=${join(root, "docker", "Dockerfile")}`,
    ];
    await podman.run(...common, "--tag", gatewayImage, root);
    await podman.run(...common, "--target", "sandbox", "--tag", sandboxImage, root);
  } finally {
    rmSync(secrets, { recursive: true, force: true });
  }
  // Layers of builds gone by; those of the last are kept for the next.
  podman.try("image", "prune", "--force", "--filter", "until=48h");
}
