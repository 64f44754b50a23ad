import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { allMetrics } from "../../src/admin/metrics/groups.ts";
import { isRecord, root } from "../house/support/files.ts";

const folder = join(root, "deploy", "kubernetes");
const execute = promisify(execFile);

interface Manifest {
  readonly file: string;
  readonly tree: Record<string, unknown>;
}

/** All documents of all files but those that are kustomize's or the gateway's own. */
function manifests(): Manifest[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    /(?<!kustomization|jackfield)\.yaml$/.test(name),
  );
  return files.flatMap((file) =>
    parseAllDocuments(readFileSync(join(folder, file), "utf8")).map((document) => {
      const tree: unknown = document.toJS();
      if (document.errors.length > 0 || !isRecord(tree))
        throw new Error(`${file}: ${document.errors.join()}`);
      return { file, tree };
    }),
  );
}

function containersOf(spec: unknown): unknown[] {
  const template = isRecord(spec) ? spec["template"] : undefined;
  const pod = isRecord(template) ? template["spec"] : undefined;
  const containers: unknown = isRecord(pod) ? pod["containers"] : undefined;
  return Array.isArray(containers) ? containers : [];
}

/** TypeScript that holds the manifests to Kubernetes' types, in which an unknown field or a wrong type is an error. */
function typed(all: readonly Manifest[]): string {
  const lines = all.map(({ file, tree }, index) => {
    const [group = "", version = group] = String(tree["apiVersion"]).split("/");
    const module = `kubernetes-types/${group === version ? "core" : group.replace(".k8s.io", "")}/${version}.d.ts`;
    const type = `import("${module}").${String(tree["kind"])}`;
    const wanted = file.startsWith("port-range/ports") ? `Patch<${type}>` : type;
    return `export const manifest${index}: ${wanted} = ${JSON.stringify(tree)}; // ${file}`;
  });
  return [
    "type Patch<T> = T extends readonly (infer E)[] ? Patch<E>[] : T extends object ? { [K in keyof T]?: Patch<T[K]> } : T;",
    ...lines,
  ].join("\n");
}

async function faults(text: string): Promise<string> {
  // Under the repository, or the types would not be found.
  const scratch = mkdtempSync(join(root, "node_modules", ".manifests-"));
  try {
    const file = join(scratch, "manifests.ts");
    writeFileSync(file, text);
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const options = [
      "--noEmit",
      "--strict",
      "--exactOptionalPropertyTypes",
      "--skipLibCheck",
      "--ignoreConfig",
      "--types",
      "",
      "--module",
      "preserve",
      file,
    ];
    return await execute(process.execPath, [tsc, ...options], { cwd: scratch }).then(
      () => "",
      (error: unknown) => (isRecord(error) ? String(error["stdout"]) : "") || String(error),
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

describe("the Kubernetes manifests", () => {
  it("keep to Kubernetes' types, with no field that it does not know", async () => {
    const all = manifests();
    expect(all.map(({ tree }) => String(tree["kind"])).sort()).toEqual(
      [
        "HorizontalPodAutoscaler",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "Service",
        "StatefulSet",
        "StatefulSet",
      ].sort(),
    );
    const text = typed(all);
    expect(await faults(text)).toBe("");
    expect(await faults(text.replace('"livenessProbe"', '"livelinessProbe"'))).toContain("livelinessProbe");
  });

  it("are all taken up by a kustomization, which names no file that is not there", () => {
    for (const overlay of ["base", "port-range"]) {
      const named = readFileSync(join(folder, overlay, "kustomization.yaml"), "utf8");
      for (const file of readdirSync(join(folder, overlay)))
        if (file !== "kustomization.yaml") expect([file, named.includes(file)]).toEqual([file, true]);
    }
  });

  it("confine the container, let load balancers know before SIGTERM, and take one gateway at a time", () => {
    const all = manifests();
    const specOf = (kind: string) => all.find(({ tree }) => tree["kind"] === kind)?.tree["spec"];
    const [container] = containersOf(specOf("StatefulSet"));
    expect(container).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
      resources: { limits: { memory: expect.any(String) } },
      startupProbe: { httpGet: { path: "/health/live" } },
      livenessProbe: { httpGet: { path: "/health/live" } },
      readinessProbe: { httpGet: { path: "/health/ready" } },
    });
    expect(specOf("StatefulSet")).toMatchObject({
      updateStrategy: { rollingUpdate: { maxUnavailable: 1 } },
      template: {
        spec: {
          hostNetwork: true,
          automountServiceAccountToken: false,
          securityContext: { seccompProfile: { type: "RuntimeDefault" } },
        },
      },
    });
    expect(specOf("PodDisruptionBudget")).toEqual({
      maxUnavailable: 1,
      selector: { matchLabels: { app: "jackfield" } },
    });
  });

  it("scale by a metric that there is", () => {
    const names = Array.from(
      JSON.stringify(manifests()).matchAll(/"metric":{"name":"(.+?)"/g),
      ([, name = ""]) => name,
    );
    expect(names).toHaveLength(1);
    expect(allMetrics.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  it("probe what the gateway serves, run as the image's user, and wait longer than it drains", () => {
    const [set] = manifests().filter(({ file }) => file === "base/statefulset.yaml");
    const text = JSON.stringify(set?.tree);
    expect(text.match(/"path":"[^"]+"/g)).toEqual([
      '"path":"/health/live"',
      '"path":"/health/live"',
      '"path":"/health/ready"',
    ]);
    const dockerfile = readFileSync(join(root, "docker", "Dockerfile"), "utf8");
    expect(dockerfile).toContain("USER 10001:10001");
    expect(set?.tree).toMatchObject({
      spec: {
        template: {
          spec: {
            terminationGracePeriodSeconds: 330,
            securityContext: { runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001 },
          },
        },
      },
    });
  });
});
