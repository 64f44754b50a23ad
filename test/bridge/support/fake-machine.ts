import type { Machine, StartedProgram } from "../../../src/bridge/index.ts";

/** A program that a `FakeMachine` started; it ends when told. */
export class FakeProgram implements StartedProgram {
  readonly path: string;
  readonly args: readonly string[];
  readonly exited: StartedProgram["exited"];
  killed = 0;
  end: (how: { code: number | null; failed?: string }) => void = () => {};

  constructor(path: string, args: readonly string[]) {
    this.path = path;
    this.args = args;
    this.exited = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  kill(): void {
    this.killed++;
    this.end({ code: null });
  }
}

/** A machine that is none: programs are noted, not run. */
export class FakeMachine implements Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Record<string, string> = {};
  readonly home: string;
  readonly files = new Set<string>();
  /** What `run` answers, by the whole command line. */
  readonly outputs = new Map<string, string>();
  readonly started: FakeProgram[] = [];

  constructor(platform: NodeJS.Platform = "linux", home = "/there/anna") {
    this.platform = platform;
    this.home = home;
  }

  isFile(path: string): boolean {
    return this.files.has(path);
  }

  start(path: string, args: readonly string[]): FakeProgram {
    const program = new FakeProgram(path, args);
    this.started.push(program);
    return program;
  }

  run(program: string, args: readonly string[]): Promise<string | undefined> {
    return Promise.resolve(this.outputs.get([program, ...args].join(" ")));
  }
}
