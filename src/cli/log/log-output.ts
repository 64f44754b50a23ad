import { fstatSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import type { Clock } from "../../core/index.ts";

/** What waits at most for a reader that does not read, bytes: some thousand lines. */
const mostWaiting = 4_000_000;

/** Takes the log's lines to a descriptor, without ever waiting for who reads them. */
export interface LogOutput {
  write(line: string): void;
  /** Lines that are lost, because nobody read, nobody is left to read, or the disk is full. */
  readonly lost: number;
  /** Gives a slow reader `patienceMs` for what still waits. */
  close(patienceMs: number): Promise<void>;
}

/**
 * Standard output. A pipe or socket is written as its reader reads; when it stops, lines wait in memory (4 MB), then
 * they are lost and counted, and a line says so once it reads again. A reader that is gone costs its lines alone. Files
 * and terminals are written at once.
 */
export function openLogOutput(clock: Clock, descriptor = 1): LogOutput {
  const kind = fstatSync(descriptor);
  return kind.isFIFO() || kind.isSocket() ? new PipeOutput(clock, descriptor) : new FileOutput(descriptor);
}

class PipeOutput implements LogOutput {
  readonly #socket: Socket;
  readonly #clock: Clock;
  lost = 0;
  /** Of them those that no line has told of. */
  #untold = 0;
  #gone = false;

  constructor(clock: Clock, descriptor: number) {
    this.#clock = clock;
    this.#socket = new Socket({ fd: descriptor, readable: false, writable: true });
    this.#socket.on("error", () => (this.#gone = true));
    this.#socket.on("drain", () => this.#tell());
    // It keeps nothing running but what still has to be written.
    this.#socket.unref();
  }

  write(line: string): void {
    if (this.#gone || this.#socket.writableLength > mostWaiting) {
      this.lost++;
      this.#untold++;
    } else this.#socket.write(line);
  }

  #tell(): void {
    if (this.#untold === 0 || this.#gone) return;
    const line = {
      level: 40,
      time: this.#clock.wallClock(),
      lines: this.#untold,
      msg: "log lines were lost",
    };
    this.#untold = 0;
    this.#socket.write(`${JSON.stringify(line)}\n`);
  }

  async close(patienceMs: number): Promise<void> {
    const written = new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(patienceMs, resolve);
      this.#socket.once("close", () => {
        timer.clear();
        resolve();
      });
      if (this.#gone) this.#socket.destroy();
      else this.#socket.end(() => this.#socket.destroy());
    });
    await written;
    this.#gone = true;
    this.#socket.destroy();
  }
}

class FileOutput implements LogOutput {
  readonly #descriptor: number;
  lost = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(line: string): void {
    try {
      writeSync(this.#descriptor, line);
    } catch {
      this.lost++;
    }
  }

  async close(): Promise<void> {}
}
