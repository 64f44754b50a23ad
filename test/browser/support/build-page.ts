import { join } from "node:path";
import { build } from "vite";

/** Builds the page into web/dist, once for all files of the browser project: none tests a page of yesterday. */
export default async function buildPage(): Promise<void> {
  const configFile = join(import.meta.dirname, "..", "..", "..", "web", "vite.config.ts");
  await build({ configFile, logLevel: "error" });
}
