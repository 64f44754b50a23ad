import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { after } from "./rtp-phone.ts";
import { freeTcpPort } from "../../support/free-port.ts";

export const dockerFolder = join(import.meta.dirname, "../../../docker");

/** One sample of an instant query. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

interface Answer<Data> {
  readonly status: "success" | "error";
  readonly error?: string;
  readonly data: Data;
}

interface Target {
  readonly health: string;
  readonly lastError: string;
}

/** Debian's Prometheus with the configuration and the rules we give away, but for where it scrapes and how often. */
export class Prometheus {
  readonly #url: string;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(port: number, directory: string) {
    this.#url = `http://127.0.0.1:${port}`;
    this.#directory = directory;
    this.#process = spawn(
      "prometheus",
      [
        `--config.file=${join(directory, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(directory, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=error",
      ],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
  }

  static async open(target: string, token: string): Promise<Prometheus> {
    const directory = mkdtempSync(join(tmpdir(), "jackfield-prometheus-"));
    const config = parse(readFileSync(join(dockerFolder, "prometheus/prometheus.yml"), "utf8"));
    const [scrape] = config.scrape_configs;
    config.global = { scrape_interval: "1s", evaluation_interval: "1s" };
    scrape.scheme = "http";
    scrape.authorization.credentials_file = join(directory, "token");
    scrape.static_configs = [{ targets: [target] }];
    config.rule_files = [join(dockerFolder, "prometheus/alerts.yml")];
    writeFileSync(join(directory, "token"), token);
    writeFileSync(join(directory, "prometheus.yml"), stringify(config));
    const prometheus = new Prometheus(await freeTcpPort(), directory);
    await eventually("Prometheus is ready", () => prometheus.isReady());
    return prometheus;
  }

  async isReady(): Promise<boolean> {
    return fetch(`${this.#url}/-/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** @throws Error with Prometheus' words when it cannot evaluate it. */
  async query(expression: string): Promise<readonly Sample[]> {
    const body = new URLSearchParams({ query: expression });
    const { data } = await this.#ask<{ result: readonly Sample[] }>("/api/v1/query", {
      method: "POST",
      body,
    });
    return data.result;
  }

  async targets(): Promise<readonly Target[]> {
    return (await this.#ask<{ activeTargets: readonly Target[] }>("/api/v1/targets")).data.activeTargets;
  }

  /** The alert rules as Prometheus took them. */
  async rules(): Promise<readonly { name: string; query: string; health: string; lastError?: string }[]> {
    type Groups = {
      groups: readonly { rules: readonly { name: string; query: string; health: string }[] }[];
    };
    return (await this.#ask<Groups>("/api/v1/rules")).data.groups.flatMap(({ rules }) => rules);
  }

  async #ask<Data>(path: string, init: RequestInit = {}): Promise<Answer<Data>> {
    const response = await fetch(this.#url + path, init);
    const answer = (await response.json()) as Answer<Data>;
    if (answer.status !== "success") throw new Error(answer.error);
    return answer;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null) {
      const gone = new Promise((resolve) => this.#process.once("exit", resolve));
      this.#process.kill("SIGTERM");
      await gone;
    }
    rmSync(this.#directory, { recursive: true });
  }
}

/** Resolves when `done` holds; rejects with `what` after 15 s. */
export async function eventually(what: string, done: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000;
  while (!(await done())) {
    if (performance.now() > end) throw new Error(`${what}: did not come about`);
    await after(100);
  }
}
