import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// Relative addresses, so that the page works under any path; nothing inlined, so that it runs under a strict
// Content-Security-Policy (script-src 'self'; style-src 'self').
const root = dirname(fileURLToPath(import.meta.url));

export default defineConfig({
  root,
  base: "./",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      input: { softphone: join(root, "index.html"), dashboard: join(root, "admin", "index.html") },
    },
    chunkSizeWarningLimit: 800,
  },
});
