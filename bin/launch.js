import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** First Node release line that runs Jackfield: strips types without a flag and has the APIs used. */
const NEEDED_MAJOR = 24;

/** Signals passed on to the Node that does the work. */
const SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"]);

/** Set for the Node started in our place, so that a wrong binary there ends in words and not in a loop. */
const RELAUNCHED = "JACKFIELD_RELAUNCHED";

/**
 * The program to run: the sources in a checkout, the emitted JavaScript in a package, where there are no sources.
 * @param {string} root folder of package.json
 * @param {(path: string) => boolean} [exists]
 */
export function programOf(root, exists = existsSync) {
  const source = join(root, "src", "main.ts");
  return exists(source) ? source : join(root, "dist", "main.js");
}

/** @param {string} version e.g. `20.20.2` */
export function isNewEnough(version) {
  return Number(version.split(".")[0]) >= NEEDED_MAJOR;
}

/**
 * The binary of the npm package `node`, looked for beside the program and then from the current folder.
 * @param {readonly string[]} starts files or folders (with a trailing slash) to resolve from
 * @param {(path: string) => boolean} [exists]
 * @returns {string | undefined}
 */
export function findNodePackage(starts, exists = existsSync) {
  for (const start of starts) {
    try {
      const manifest = createRequire(start).resolve("node/package.json");
      const binary = join(dirname(manifest), "bin", "node");
      if (exists(binary)) return binary;
    } catch {
      // Not installed there: the next place, and in the end the message of `launch`.
    }
  }
  return undefined;
}

/** @param {string} reason */
function refuse(reason) {
  process.stderr.write(
    `jackfield: ${reason}\n` +
      `Jackfield runs on Node ${NEEDED_MAJOR} or newer. Either start it with one, or put the npm package next to it:\n` +
      `  npm install node@${NEEDED_MAJOR}\n`,
  );
  process.exitCode = 1;
}

/**
 * Runs `program` under another Node with our arguments, passes signals on and ends as it ends.
 * @param {string} node
 * @param {string} program
 * @param {readonly string[]} args
 */
function relaunch(node, program, args) {
  const child = spawn(node, [...process.execArgv, program, ...args], {
    stdio: "inherit",
    env: { ...process.env, [RELAUNCHED]: "1" },
  });
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // On a terminal Ctrl-C reaches the whole foreground group: passing it on too would count as a second one.
      if (signal === "SIGINT" && process.stdin.isTTY) return;
      child.kill(signal);
    });
  }
  child.on("error", (error) => refuse(`${node} does not start: ${error.message}`));
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  });
}

/**
 * Runs the program in this process when its Node will do, else in a Node 24 found nearby.
 * @param {{ from: string, args: readonly string[] }} how `from`: module address of a file in the package's bin folder
 */
export async function launch({ from, args }) {
  const root = dirname(dirname(fileURLToPath(from)));
  const program = programOf(root);
  if (isNewEnough(process.versions.node)) {
    await import(pathToFileURL(program).href);
    return;
  }
  if (process.env[RELAUNCHED] !== undefined) {
    refuse(`the npm package "node" found holds Node ${process.versions.node}`);
    return;
  }
  const node = findNodePackage([from, join(process.cwd(), "/")]);
  if (node === undefined) refuse(`this is Node ${process.versions.node}`);
  else relaunch(node, program, args);
}
