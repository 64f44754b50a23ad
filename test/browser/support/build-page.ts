import { join } from "node:path";
import { build } from "vite";

/** Builds the page into web/dist, once for all files of a project, unless the gate has: none tests a page of yesterday. */
export default async function buildPage(): Promise<void> {
  if (process.env["JACKFIELD_PAGE_BUILT"] === "1") return;
  const configFile = join(import.meta.dirname, "..", "..", "..", "web", "vite.config.ts");
  await build({ configFile, logLevel: "error" });
}
