import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { settingKeys } from "../../src/bridge/settings/index.ts";
import { allMetrics } from "../../src/admin/metrics/groups.ts";
import { usage } from "../../src/cli/run.ts";
import { configKeys } from "../../src/config/index.ts";
import { filesUnder, isRecord, root } from "./support/files.ts";

/** What the pages for people name must be there: keys, files, headings, commands, metrics, alerts. */

interface Page {
  /** From the root, with `/`. */
  readonly file: string;
  readonly text: string;
}

const read = (file: string): Page => ({ file, text: readFileSync(join(root, file), "utf8") });
const guides = ["README.md", "CHANGELOG.md", "test/README.md", ...filesUnder("docs", ".md")].map(read);
/** Files that operators copy; they name keys, metrics and paths too, in comments and alerts. */
const deployed = [...filesUnder("docker"), ...filesUnder("deploy")].map(read);

/** What `pattern` finds in the pages and `isThere` does not know, each with its page. */
function unknown(
  pages: readonly Page[],
  pattern: RegExp,
  isThere: (named: string, file: string) => boolean,
): string[] {
  return pages.flatMap(({ file, text }) =>
    Array.from(text.matchAll(pattern), ([, named = ""]) => named)
      .filter((named) => !isThere(named, file))
      .map((named) => `${file}: ${named}`),
  );
}

/** Paths of keys and of the maps above them; `[]` left out. */
const pathsUnder = (key: string): string[] => {
  const parts = key.replaceAll("[]", "").split(".");
  return parts.map((_part, at) => parts.slice(0, at + 1).join("."));
};
const keys = new Set(configKeys().flatMap(({ key }) => pathsUnder(key)));
/** The bridge has settings of its own. */
const namedKeys = new Set([...keys, ...settingKeys.filter((key) => key.includes(".")).flatMap(pathsUnder)]);

it("every key that a guide names is there", () => {
  expect(keys.size).toBeGreaterThan(200);
  // Files, hosts, parameters of SIP's.
  const foreign = /\.(?:conf|com|js|json|md|ts|yaml|instance)$/;
  const isThere = (named: string): boolean => {
    const key = named.replaceAll("[]", "");
    return foreign.test(key) || !namedKeys.has(key.split(".")[0] ?? "") || namedKeys.has(key);
  };
  expect(unknown(guides, /`([a-z]\w*(?:\[\])?(?:\.\w+(?:\[\])?)+)(?::[^`]*)?`/g, isThere)).toEqual([]);
});

it("every example of a configuration has known keys alone", () => {
  const examples = guides.flatMap(({ file, text }) =>
    Array.from(text.matchAll(/^ *```yaml\n([\s\S]*?)^ *```/gm), ([, yaml = ""]) => ({ file, yaml })),
  );
  expect(examples.length).toBeGreaterThan(10);
  const faults = examples.flatMap(({ file, yaml }) =>
    pathsOf(parse(yaml))
      .filter((path) => !keys.has(path))
      .map((path) => `${file}: ${path}`),
  );
  expect(faults).toEqual([]);
});

function pathsOf(value: unknown, above = ""): string[] {
  if (Array.isArray(value)) return [above, ...value.flatMap((entry) => pathsOf(entry, above))];
  if (!isRecord(value)) return above === "" ? [] : [above];
  return Object.entries(value).flatMap(([key, inner]) =>
    pathsOf(inner, above === "" ? key : `${above}.${key}`),
  );
}

it("every file and heading that a guide leads to is there", () => {
  const headings = new Map(
    guides.map(({ file, text }) => [
      file,
      new Set(Array.from(text.matchAll(/^#+ (.*)$/gm), ([, title = ""]) => anchorOf(title))),
    ]),
  );
  const isThere = (link: string, file: string): boolean => {
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? file : join(dirname(file), path);
    return (
      existsSync(join(root, target)) && (anchor === undefined || headings.get(target)?.has(anchor) === true)
    );
  };
  expect(unknown(guides, /\]\((?!\w+:)([^)\s]+)\)/g, isThere)).toEqual([]);
});

/** As GitHub makes it. */
function anchorOf(title: string): string {
  return title
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");
}

it("every file that is named by its path is there", () => {
  const isThere = (named: string, file: string): boolean => {
    const path = named.replace(/[./]+$/, "");
    // Made by the build.
    if (path === "web/dist") return true;
    return existsSync(join(root, path)) || existsSync(join(root, dirname(file), path));
  };
  const paths =
    /(?<![\w./-])((?:\.ci|bench|bin|decisions|deploy|docker|docs|src|test|web)\/[\w./-]+)(?![*{\w])/g;
  expect(unknown([...guides, ...deployed], paths, isThere)).toEqual([]);
});

it("every metric that is named is there", () => {
  const names = new Set(allMetrics.map(({ name }) => name));
  const isThere = (named: string): boolean =>
    names.has(named) || names.has(named.replace(/_(?:bucket|sum|count)$/, ""));
  expect(unknown([...guides, ...deployed], /\b(jackfield_[a-z0-9_]+)/g, isThere)).toEqual([]);
});

it("every alert is in docs/metrics.md, and every alert that is named is there", () => {
  const rules = read("docker/prometheus/alerts.yml").text;
  const alerts = new Set(Array.from(rules.matchAll(/- alert: (\w+)/g), ([, name = ""]) => name));
  const metrics = read("docs/metrics.md").text;
  expect(alerts.size).toBeGreaterThan(10);
  expect([...alerts].filter((name) => !metrics.includes(`\`${name}\``))).toEqual([]);
  expect(unknown(guides, /`(Jackfield[A-Z]\w+)`/g, (name) => alerts.has(name))).toEqual([]);
});

it("every command is there, of jackfield and of npm", () => {
  const commands = new Set(Array.from(usage.matchAll(/^ {2}jackfield ([\w-]+)/gm), ([, name = ""]) => name));
  const scripts = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly scripts: Record<string, string>;
  };
  expect(commands).toContain("import-asterisk");
  expect(unknown(guides, /(?:`|^|npx )jackfield ([a-z0-9][\w-]*)/gm, (name) => commands.has(name))).toEqual(
    [],
  );
  expect(unknown(guides, /npm run (?:-s |--silent )?([\w:-]+)/g, (name) => name in scripts.scripts)).toEqual(
    [],
  );
});

it("every row of a table has a cell for each column", () => {
  const short = guides.flatMap(({ file, text }) => {
    let columns = 0;
    return text.split("\n").flatMap((line) => {
      const cells = line.startsWith("|") ? line.split(/(?<!\\)\|/).length : 0;
      const same = cells === 0 || columns === 0 || cells === columns;
      columns = cells === 0 ? 0 : columns || cells;
      return same ? [] : [`${file}: ${line.slice(0, 60)}`];
    });
  });
  expect(short).toEqual([]);
});
