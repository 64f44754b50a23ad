import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What keeps namespaces from being made here, in words; undefined when nothing does. */
export function namespacesFault(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const probe = `jf-probe-${randomBytes(3).toString("hex")}`;
  try {
    run("ip", "netns", "add", probe);
    run("ip", "netns", "exec", probe, "iptables", "-t", "nat", "-L", "-n");
    return undefined;
  } catch (error) {
    return `no network namespaces here: ${error instanceof Error ? error.message.split("\n", 1)[0] : "unknown"}`;
  } finally {
    try {
      run("ip", "netns", "del", probe);
    } catch {
      // It was never made.
    }
  }
}

function run(program: string, ...words: string[]): void {
  execFileSync(program, words, { stdio: "pipe" });
}

/** Namespaces of one test, with programs in them; all are gone after `close`, links and rules with them. */
export class Namespaces {
  readonly #tail = randomBytes(3).toString("hex");
  readonly #made = new Set<string>();
  readonly #programs: ChildProcess[] = [];
  #links = 0;

  #name(letter: string): string {
    return `jf-${letter}-${this.#tail}`;
  }

  add(letter: string): void {
    run("ip", "netns", "add", this.#name(letter));
    this.#made.add(letter);
    this.in(letter, "ip", "link", "set", "lo", "up");
  }

  /** Runs a program to its end. */
  in(letter: string, ...words: string[]): void {
    run("ip", "netns", "exec", this.#name(letter), ...words);
  }

  /** A cable between two namespaces: interface `to-B` in A and `to-A` in B, each with its address and net. */
  link([a, addressA]: readonly [string, string], [b, addressB]: readonly [string, string]): void {
    // Made in a namespace at once, so that nothing of it is seen outside.
    const near = `to-${b}`;
    const far = `to-${a}`;
    this.#links++;
    this.in(a, "ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", this.#name(b));
    for (const [letter, name, address] of [
      [a, near, addressA],
      [b, far, addressB],
    ] as const) {
      this.in(letter, "ip", "addr", "add", address, "dev", name);
      this.in(letter, "ip", "link", "set", name, "up");
    }
  }

  /** Starts a script of ours with Node and hands its lines on as they come. */
  start(letter: string, script: string, words: readonly string[] = []): Program {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const child = spawn("ip", ["netns", "exec", this.#name(letter), process.execPath, path, ...words], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#programs.push(child);
    return new Program(child);
  }

  async close(): Promise<void> {
    for (const program of this.#programs.toReversed()) {
      if (program.exitCode !== null || program.signalCode !== null) continue;
      const gone = new Promise((resolve) => program.once("exit", resolve));
      program.kill("SIGKILL");
      await gone;
    }
    for (const letter of this.#made) run("ip", "netns", "del", this.#name(letter));
    this.#made.clear();
  }
}

/** A program whose lines are read. */
export class Program {
  readonly lines: string[] = [];
  readonly ended: Promise<number | null>;
  #errors = "";
  #waiting: (() => void)[] = [];

  constructor(child: ChildProcess) {
    if (child.stdout) createInterface({ input: child.stdout }).on("line", (line) => this.#take(line));
    child.stderr?.on("data", (chunk: Buffer) => (this.#errors += chunk.toString()));
    this.ended = new Promise((resolve) => {
      child.once("exit", (code) => {
        resolve(code);
        this.#wake();
      });
    });
    void this.ended.then(() => (this.#over = true));
  }

  #over = false;

  /** The first line with this in it; rejects with what the program said when it ends without. */
  async line(part: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => line.includes(part));
      if (found !== undefined) return found;
      if (this.#over) throw new Error(`ended without "${part}":\n${this.lines.join("\n")}\n${this.#errors}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #take(line: string): void {
    this.lines.push(line);
    this.#wake();
  }

  #wake(): void {
    // Behind the last lines, which may come after the exit.
    setImmediate(() => {
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }
}
