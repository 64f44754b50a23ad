import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** A command that is over. */
export interface EndedCommand {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `jackfield bridge` as an agent's PC has it: a settings file, a folder, a home of its own. */
export class BridgeProgram {
  readonly home = mkdtempSync(join(tmpdir(), "jackfield-bridge-"));
  readonly folder = join(this.home, "state");
  readonly #settings = join(this.home, "bridge.json");
  #child: ChildProcess | undefined;
  #said = "";
  port = 0;

  constructor(settings: object) {
    this.set(settings);
  }

  /** The settings file anew; `folder` is this one's. */
  set(settings: object): void {
    writeFileSync(this.#settings, JSON.stringify({ folder: this.folder, ...settings }));
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get address(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Of the certificate that the bridge made for itself, PEM. */
  get authority(): string {
    const pair = readFileSync(join(this.folder, "certificate", "localhost.pem"), "utf8");
    return pair.slice(pair.lastIndexOf("-----BEGIN CERTIFICATE-----"));
  }

  get log(): string {
    return readFileSync(join(this.folder, "bridge.log"), "utf8");
  }

  /** Runs `jackfield bridge ...` to its end. */
  async run(...words: readonly string[]): Promise<EndedCommand> {
    const child = this.#spawn(words);
    const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout: stdout(), stderr: stderr() };
  }

  /** Starts the service; resolves when it listens. */
  async start(): Promise<void> {
    const child = this.#spawn([]);
    this.#child = child;
    this.#said = "";
    const stderr = textOf(child.stderr);
    child.stdout?.on("data", (chunk: Buffer) => (this.#said += chunk.toString()));
    const up = (): RegExpExecArray | null => /https:\/\/127\.0\.0\.1:(\d+)\/dashboard\n/.exec(this.#said);
    while (up() === null) {
      await Promise.race([once(child.stdout ?? child, "data"), once(child, "exit")]);
      if (child.exitCode !== null) throw new Error(`the bridge did not start: ${stderr()}`);
    }
    this.port = Number(up()?.[1]);
  }

  /** How often it came to listen since `start`. */
  get starts(): number {
    return this.#said.split("/dashboard\n").length - 1;
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    child.kill();
    const [code] = (await once(child, "exit")) as [number | null];
    return code;
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }

  #spawn(words: readonly string[]): ChildProcess {
    const args = [main, "bridge", ...words, "--settings", this.#settings];
    const env = { ...process.env, HOME: this.home };
    return spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  }
}

function textOf(stream: NodeJS.ReadableStream | null): () => string {
  let text = "";
  stream?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}
