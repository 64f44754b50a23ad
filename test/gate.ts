/**
 * `npm test`: everything that must hold before a change lands, in one run: what the tests need from Debian, the
 * page's build, types, lint, format, unit, interop and browser tests. Without what they need, or with code that does not
 * build, no test runs; of the test steps each runs, so that one run tells all that fails. The last line printed is
 * `N passed, N failed, N skipped` over all test runs; the exit code is 0 only when tests ran and nothing failed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { add, countsOf, inWords, NOTHING, readIfThere, type Counts } from "./setup/counts.ts";
import { installMissing } from "./setup/debian.ts";
import { runCommand } from "./setup/run-step.ts";

const MINUTE = 60_000;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const reports = mkdtempSync(join(tmpdir(), "jackfield-gate-"));
// Some hundred Node processes load the same modules: each would strip and compile them anew, a second of CPU time.
process.env["NODE_COMPILE_CACHE"] ??= join(reports, "compiled");

interface Outcome {
  readonly ok: boolean;
  /** Of a step that runs tests. */
  readonly counts?: Counts;
}

interface Step {
  readonly name: string;
  /** `log`: a file that takes what the step prints; without it this process's own output does. */
  run(log?: string): Promise<Outcome>;
}

/** Several scripts of package.json at a time. */
function scripts(name: string, ...npmScripts: string[]): Step {
  const run = async (npmScript: string): Promise<boolean> => {
    const { code, timedOut } = await runCommand("npm", ["run", "--silent", npmScript], 3 * MINUTE);
    if (timedOut) process.stderr.write(`${npmScript}: took more than 3 minutes, ended\n`);
    else if (code !== 0) process.stderr.write(`${npmScript}: failed\n`);
    return code === 0;
  };
  return {
    name,
    async run() {
      const ok = await Promise.all(npmScripts.map(run));
      return { ok: ok.every(Boolean) };
    },
  };
}

function tests(project: string, limitMinutes: number, ...options: string[]): Step {
  return {
    name: `${project} tests`,
    async run(log) {
      const report = join(reports, `${project}.json`);
      const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
      const { code, timedOut } = await runCommand(
        process.execPath,
        [
          vitest,
          "run",
          "--project",
          project,
          "--reporter=default",
          "--reporter=json",
          `--outputFile.json=${report}`,
          ...options,
        ],
        limitMinutes * MINUTE,
        log,
      );
      if (timedOut) process.stderr.write(`${project} tests: took more than ${limitMinutes} minutes, ended\n`);
      return { ok: code === 0 && !timedOut, counts: countsOf(readIfThere(report), timedOut ? 1 : code) };
    },
  };
}

const setup: Step = {
  name: "what the tests need from Debian",
  async run() {
    const remedy = installMissing();
    if (remedy !== undefined) process.stderr.write(`${remedy}\n`);
    return await Promise.resolve({ ok: remedy === undefined });
  },
};

/** Two steps at a time; what the second prints comes after the first's. Neither may judge what takes real time. */
function together(first: Step, second: Step): Step {
  return {
    name: `${first.name}, ${second.name}`,
    async run() {
      const log = join(reports, "second.log");
      const [one, other] = await Promise.all([first.run(), second.run(log)]);
      process.stdout.write(readIfThere(log) ?? "");
      return { ok: one.ok && other.ok, counts: add(one.counts ?? NOTHING, other.counts ?? NOTHING) };
    },
  };
}

const steps: readonly Step[] = [
  setup,
  scripts("web build, type check, lint, format check", "build:web", "typecheck", "lint", "format:check"),
  // vitest leaves a core to whoever sits before the machine; here nobody does.
  together(tests("unit", 6, "--maxWorkers=100%"), tests("container", 8)),
  tests("interop", 5),
  tests("timed", 6),
  tests("pages", 5),
  tests("browser", 8),
];

async function gate(): Promise<number> {
  let total = NOTHING;
  const times: string[] = [];
  const failed: string[] = [];
  for (const step of steps) {
    process.stdout.write(`\n=== ${step.name} ===\n`);
    const begin = performance.now();
    const outcome = await step.run();
    const line = `${((performance.now() - begin) / 1000).toFixed(1).padStart(7)} s  ${step.name}`;
    process.stdout.write(`--- ${outcome.ok ? "ok" : "FAILED"}: ${line.trim()}\n`);
    times.push(line + (outcome.ok ? "" : "  FAILED"));
    // A step that is no test run counts as one failure: the last line must not read as if all were well.
    total = add(total, outcome.counts ?? (outcome.ok ? NOTHING : { ...NOTHING, failed: 1 }));
    if (outcome.ok) continue;
    failed.push(step.name);
    if (outcome.counts === undefined) break;
  }
  const verdict = failed.length === 0 ? "all steps passed" : `failed: ${failed.join("; ")}`;
  process.stdout.write(`\n=== ${verdict} ===\n${times.join("\n")}\n\n${inWords(total)}\n`);
  return failed.length === 0 && total.failed === 0 && total.passed > 0 ? 0 : 1;
}

process.chdir(root);
// No step goes on without the web build before it; the browser tests need not build again.
process.env["JACKFIELD_PAGE_BUILT"] = "1";
try {
  process.exitCode = await gate();
} finally {
  rmSync(reports, { recursive: true, force: true, maxRetries: 3 });
}
