import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testOrigin } from "../../support/test-gateway.ts";
import { until } from "./rtp-phone.ts";

const main = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));

export interface LogLine {
  readonly msg: string;
  readonly [key: string]: unknown;
}

/** `jackfield start` as a process of its own, with a configuration file of its own. */
export class StartedGateway {
  readonly folder: string;
  readonly lines: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  httpPort = 0;
  sipPort = 0;
  #rest = "";

  private constructor(folder: string) {
    this.folder = folder;
    const { JACKFIELD_CONFIG: _unset, ...env } = process.env;
    const args = [main, "start", "--config", join(folder, "jackfield.yaml")];
    this.#child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
    this.#child.stdout?.on("data", (data: Buffer) => this.#read(data.toString()));
    this.#ended = once(this.#child, "exit");
  }

  /** `sections` over a configuration for loopback, JSON being YAML; `files` beside it. */
  static begin(
    sipServer: string,
    sections: Readonly<Record<string, object>> = {},
    files: Readonly<Record<string, string>> = {},
  ): StartedGateway {
    const folder = mkdtempSync(join(tmpdir(), "jackfield-started-"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    writeConfig(folder, sipServer, sections);
    return new StartedGateway(folder);
  }

  /** As `begin`; resolves when it is up. */
  static async start(...how: Parameters<typeof StartedGateway.begin>): Promise<StartedGateway> {
    const started = StartedGateway.begin(...how);
    try {
      await Promise.race([started.line("gateway is up"), started.#ended]);
    } catch (error) {
      await started.end();
      throw error;
    }
    const line = started.lines.find(({ msg }) => msg === "gateway is up");
    const [http, sip] = [line?.["http"], line?.["sip"]];
    if (typeof http !== "number" || typeof sip !== "number") throw new Error("the gateway did not start");
    started.httpPort = http;
    started.sipPort = sip;
    return started;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The exit code; null when a signal killed it. */
  async exited(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  /** Resolves with the first line of that message, from the `from`th on. */
  async line(message: string, from = 0): Promise<LogLine> {
    const find = (): LogLine | undefined => this.lines.slice(from).find(({ msg }) => msg === message);
    await until(`log line "${message}"`, () => find() !== undefined, 50_000);
    return find() ?? { msg: message };
  }

  count(message: string): number {
    return this.lines.filter(({ msg }) => msg === message).length;
  }

  async get(path: string, init?: RequestInit): Promise<{ status: number; body: unknown }> {
    const answer = await fetch(`http://127.0.0.1:${this.httpPort}${path}`, init);
    return { status: answer.status, body: await answer.json() };
  }

  /** Kills it if it still runs, and removes its folder. */
  async end(): Promise<void> {
    if (this.running) this.#child.kill("SIGKILL");
    await this.#ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const parsed: LogLine = JSON.parse(line);
      this.lines.push(parsed);
    }
  }
}

/** Writes `jackfield.yaml` anew. */
export function writeConfig(
  folder: string,
  sipServer: string,
  sections: Readonly<Record<string, object>> = {},
): void {
  const host = "127.0.0.1";
  const tree: Record<string, object> = {
    http: { host, port: 0 },
    websocket: { origins: [testOrigin] },
    sip: { host, port: 0 },
    media: { host, browserPort: 0, rtpPorts: [24_000, 24_399], workers: 1 },
    agents: { ranges: [{ from: "5001", to: "5999", password: "secret-{dn}" }], minExpires: 10 },
    sipServer: { addresses: [sipServer] },
  };
  for (const [section, values] of Object.entries(sections))
    tree[section] = Array.isArray(values) ? values : { ...tree[section], ...values };
  writeFileSync(join(folder, "jackfield.yaml"), JSON.stringify(tree));
}
