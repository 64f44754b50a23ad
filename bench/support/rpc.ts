import { spawn, type ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What a child process can be asked for: methods of one argument that survives JSON. */
export type Handlers = Record<string, (argument: never) => unknown>;

interface Question {
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Answers the parent's questions, in the child; the process ends when the parent is gone. */
export function serve(handlers: Handlers): void {
  const answer = (message: Answer): void => void process.send?.(message);
  const ask = async ({ id, method, argument }: Question): Promise<void> => {
    try {
      const handler = handlers[method];
      if (!handler) throw new Error(`no method ${method}`);
      // Both ends are this repository's: the parent's call is checked against the same types.
      answer({ id, result: await handler(argument as never) });
    } catch (error) {
      answer({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
  process.on("message", (question) => void ask(question as Question));
  process.on("disconnect", () => process.exit(0));
}

export interface ChildOptions {
  /** Cores to hold the process to as `taskset` takes them, e.g. `0` or `0-1`; only where `canPin()`. */
  readonly cpus?: string | undefined;
  readonly nodeOptions?: readonly string[];
  /** How long a method may take, ms. Default 120000. */
  readonly patienceMs?: number;
}

/** Whether processes can be held to a core each. */
export function canPin(): boolean {
  return existsSync("/usr/bin/taskset") && availableParallelism() > 1;
}

/** A process of a bench and its methods. `H` is the type of the handlers its file serves. */
export class Child<H extends Handlers> {
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #patienceMs: number;
  readonly #pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #gone: Promise<void>;
  #next = 1;

  constructor(file: string, options: ChildOptions = {}) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const args = [...(options.nodeOptions ?? []), path];
    const [command, all] =
      options.cpus === undefined
        ? [process.execPath, args]
        : ["taskset", ["-c", options.cpus, process.execPath, ...args]];
    this.#process = spawn(command, all, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    if (this.#process.pid === undefined) throw new Error(`${file} did not start`);
    this.pid = this.#process.pid;
    this.#patienceMs = options.patienceMs ?? 120_000;
    this.#process.on("message", (message) => this.#settle(message as unknown as Answer));
    this.#gone = new Promise((resolve) => {
      this.#process.once("exit", (code, signal) => {
        for (const { reject } of this.#pending.values())
          reject(new Error(`${file} ended: ${signal ?? `code ${code}`}`));
        this.#pending.clear();
        resolve();
      });
    });
  }

  call<K extends keyof H & string>(
    method: K,
    ...[argument]: Parameters<H[K]>
  ): Promise<Awaited<ReturnType<H[K]>>> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => {
        this.#pending.delete(id);
        reject(new Error(`${method} took more than ${this.#patienceMs / 1000} s`));
      }, this.#patienceMs);
      this.#pending.set(id, {
        resolve: (value) => {
          clearTimeout(patience);
          resolve(value as Awaited<ReturnType<H[K]>>);
        },
        reject: (error) => {
          clearTimeout(patience);
          reject(error);
        },
      });
      const question: Question = { id, method, argument };
      this.#process.send(question);
    });
  }

  #settle({ id, result, error }: Answer): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(result);
    else pending?.reject(new Error(error));
  }

  /** Ends the process; it is killed when it does not go by itself. */
  async stop(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    const kill = setTimeout(() => this.#process.kill("SIGKILL"), 3000);
    await this.#gone;
    clearTimeout(kill);
  }
}
