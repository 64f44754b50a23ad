import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** One rule broken at one place. */
interface Finding {
  readonly id: string;
  readonly impact: string | null;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly unknown[] }[];
}

declare global {
  interface Window {
    axe: { run(context: Document, options: object): Promise<{ readonly violations: readonly Finding[] }> };
  }
}

/**
 * What axe-core finds serious or critical on the page as it is, e.g. `color-contrast: Elements must ... (.hint)`. It runs
 * outside of the page's own scripts, so that the content security policy need not let it in.
 * @param rules those looked at, by their ids; all without
 */
export async function seriousFindings(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(source);
  const options = rules === undefined ? {} : { runOnly: rules };
  const found = await page.evaluate(async (how) => (await window.axe.run(document, how)).violations, options);
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ target }) => target.join(" ")).join("; ")})`,
    );
}
