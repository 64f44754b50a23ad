import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isPresent } from "../../setup/debian.ts";
import type { SipFront } from "./front.ts";
import { freeUdpPort } from "../../support/free-port.ts";

const host = "127.0.0.1";
const scenarios = fileURLToPath(new URL("../sipp/", import.meta.url));
/** What SIPp's own time limit gets on top before it is killed, ms. */
const killAfterMs = 3000;

export interface SippOptions {
  /** Name of the file in test/interop/sipp, without `.xml`. */
  readonly scenario: string;
  readonly front: Pick<SipFront, "address" | "admit">;
  /** `[name]` in the scenario. `front`, `gateway` are given by themselves. */
  readonly keys?: Readonly<Record<string, string | number>>;
  /** Port to send from and listen on. Default: a free one. */
  readonly port?: number;
  /** The gateway's `address:port`. */
  readonly gateway: string;
  /** SIPp's own time limit. Default 20. */
  readonly seconds?: number;
  /** SIP by one TCP connection for each run; SIPp then calls the gateway itself. Default UDP, by the front. */
  readonly tcp?: boolean;
  /** Echo RTP on this port. */
  readonly echoPort?: number;
}

/** One run of a SIPp scenario: one call, judged by SIPp's exit code. */
export class Sipp {
  readonly port: number;
  readonly #tcp: boolean;
  readonly #scenario: string;
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<number | undefined>;
  #exited = false;

  private constructor(options: SippOptions, port: number, mediaPort: number) {
    const { scenario, front, gateway, keys = {}, seconds = 20, echoPort, tcp = false } = options;
    this.port = port;
    this.#tcp = tcp;
    this.#scenario = scenario;
    this.#folder = mkdtempSync(join(tmpdir(), `jackfield-sipp-${scenario}-`));
    const settings = { front: front.address, gateway, ...keys };
    const words = [
      `${tcp ? `${gateway} -t t1` : front.address} -i ${host} -p ${port} -mi ${host} -mp ${echoPort ?? mediaPort}`,
      `-m 1 -nostdin -timeout ${seconds} -timeout_error -recv_timeout ${seconds * 1000} -deadcall_wait 0`,
      echoPort === undefined ? "" : "-rtp_echo",
      "-trace_msg -message_file messages -trace_err -error_file errors",
      ...Object.entries(settings).map(([name, value]) => `-key ${name} ${value}`),
    ];
    const args = words.flatMap((line) => line.split(" ")).filter((word) => word !== "");
    front.admit(port);
    this.#process = spawn("sipp", ["-sf", join(scenarios, `${scenario}.xml`), ...args], {
      cwd: this.#folder,
      stdio: ["ignore", "ignore", "ignore"],
    });
    const kill = setTimeout(() => this.#process.kill("SIGKILL"), seconds * 1000 + killAfterMs);
    this.#ended = new Promise((resolve) => {
      this.#process.once("error", () => resolve(undefined));
      this.#process.once("exit", (code) => {
        clearTimeout(kill);
        this.#exited = true;
        resolve(code ?? undefined);
      });
    });
  }

  /** Starts SIPp; a scenario that begins with `recv` listens within a few ms. */
  static async start(options: SippOptions): Promise<Sipp> {
    if (!isPresent("sipp"))
      throw new Error("sipp is missing: apt-get install -y --no-install-recommends sip-tester");
    const sipp = new Sipp(options, options.port ?? (await freeUdpPort()), await freeUdpPort());
    await sipp.#listening();
    return sipp;
  }

  /** The socket is there once the kernel lists it. */
  async #listening(): Promise<void> {
    const wanted = `:${this.port.toString(16).toUpperCase().padStart(4, "0")} `;
    for (let tries = 0; tries < 500 && !this.#exited; tries++) {
      if (readFileSync(this.#tcp ? "/proc/net/tcp" : "/proc/net/udp", "utf8").includes(wanted)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Runs `steps`, then waits for SIPp. Rejects with what SIPp saw as soon as the scenario fails. */
  async judge<T>(steps: () => Promise<T>): Promise<T> {
    const failed = this.success().then(() => new Promise<never>(() => {}));
    const result = await Promise.race([steps(), failed]);
    await this.success();
    return result;
  }

  /** Resolves when the scenario ran to its end as written; else rejects with what SIPp saw. */
  async success(): Promise<void> {
    const code = await this.#ended;
    if (code === 0) return;
    const read = (name: string): string => {
      const file = join(this.#folder, name);
      return existsSync(file) ? readFileSync(file, "utf8") : "(none)";
    };
    throw new Error(
      `SIPp scenario ${this.#scenario} failed with exit code ${code ?? "none"}\n` +
        `--- errors\n${read("errors").slice(0, 4000)}\n--- messages\n${read("messages").slice(-12_000)}`,
    );
  }

  /** Ends SIPp if it still runs. */
  async stop(): Promise<void> {
    if (!this.#exited) this.#process.kill("SIGKILL");
    await this.#ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
