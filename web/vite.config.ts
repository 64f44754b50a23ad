import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

// Relative addresses, so that the page works under any path; nothing inlined, so that it runs under a strict
// Content-Security-Policy (script-src 'self'; style-src 'self').
const root = dirname(fileURLToPath(import.meta.url));

/** The SDK for embedding pages: one file by a name that stays, that imports nothing, with its types beside it. */
const sdk: Plugin = {
  name: "sdk",
  apply: "build",
  async closeBundle() {
    const tsc = fileURLToPath(new URL("./bin/tsc", import.meta.resolve("typescript/package.json")));
    await promisify(execFile)(process.execPath, [tsc, "-p", join(root, "sdk")]);
  },
};

/** Each script and style sheet compressed beside it: the gateway sends that to browsers that take it. */
const compressed: Plugin = {
  name: "compressed",
  writeBundle: async ({ dir = "" }, bundle) => {
    const names = Object.keys(bundle).filter((one) => /\.(js|css)$/.test(one));
    await Promise.all(
      names.map(async (name) => {
        const content = await readFile(join(dir, name));
        await writeFile(join(dir, `${name}.br`), await promisify(brotliCompress)(content));
        await writeFile(join(dir, `${name}.gz`), await promisify(gzip)(content, { level: 9 }));
      }),
    );
  },
};

export default defineConfig({
  root,
  plugins: [sdk, compressed],
  base: "./",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      // Compressing takes most of the time, as it should.
      checks: { pluginTimings: false },
      input: {
        softphone: join(root, "index.html"),
        dashboard: join(root, "admin", "index.html"),
        example: join(root, "embed-example.html"),
      },
    },
    chunkSizeWarningLimit: 800,
  },
});
