import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { TestAuthority } from "../../support/certificates.ts";
import { testOrigin } from "../../support/test-gateway.ts";
import { gatewayImage, sandboxImage } from "./images.ts";
import { freeTcpPort, freeUdpPort } from "../../support/free-port.ts";
import type { Podman } from "./podman.ts";

/** As docker/compose.yaml runs them: no root to write to, no capability, no way to get one, as the image's own user. */
const confined = [
  "--network=host",
  "--read-only",
  "--read-only-tmpfs=false",
  "--cap-drop=all",
  "--security-opt=no-new-privileges",
  "--memory=512m",
  "--no-healthcheck",
  // Podman asks for more than a machine without CAP_SYS_RESOURCE may give.
  "--ulimit=nofile=4096:4096",
  "--ulimit=nproc=4096:4096",
];

/** Of this machine, as the containers share its network; two runs at a time do not meet. */
interface Ports {
  readonly http: number;
  readonly sip: number;
  readonly sandbox: number;
  readonly browser: number;
  readonly rtp: readonly [first: number, last: number];
}

async function freePorts(): Promise<Ports> {
  const [http, sip, sandbox, browser] = [
    await freeTcpPort(),
    await freeUdpPort(),
    await freeUdpPort(),
    await freeUdpPort(),
  ];
  // RTP needs a range; below those that the system gives out (from 32768).
  const first = 10_000 + (process.pid % 500) * 40;
  return { http, sip, sandbox, browser, rtp: [first, first + 39] };
}

/** A gateway and a sandbox SIP Server, each in its container, on the loopback of this machine. */
export class Site {
  readonly gateway = `jackfield-test-${process.pid}`;
  readonly url: string;
  readonly #sandbox = `jackfield-test-sandbox-${process.pid}`;
  readonly #podman: Podman;
  readonly #ports: Ports;
  readonly #folder = mkdtempSync(join(tmpdir(), "jackfield-site-"));
  readonly #authority = new TestAuthority();

  private constructor(podman: Podman, ports: Ports) {
    this.#podman = podman;
    this.#ports = ports;
    this.url = `wss://127.0.0.1:${ports.http}/ws`;
  }

  /** Of this machine's ports those that are free. */
  static async create(podman: Podman): Promise<Site> {
    return new Site(podman, await freePorts());
  }

  async open(): Promise<void> {
    const { certFile, keyFile } = this.#authority.issue("gateway", "IP:127.0.0.1");
    for (const [from, to] of [
      [certFile, "cert.pem"],
      [keyFile, "key.pem"],
    ] as const) {
      copyFileSync(from, join(this.#folder, to));
      // Another user's in the container.
      chmodSync(join(this.#folder, to), 0o644);
    }
    chmodSync(this.#folder, 0o755);
    writeFileSync(join(this.#folder, "jackfield.yaml"), configurationOf(this.#ports));
    const start = ["run", "--detach", ...confined];
    const here = ["sandbox", "--host=127.0.0.1", `--port=${this.#ports.sandbox}`];
    await this.#podman.run(...start, `--name=${this.#sandbox}`, sandboxImage, ...here);
    const volumes = [
      `--volume=${this.#folder}:/etc/jackfield:ro`,
      `--volume=${this.gateway}:/var/lib/jackfield`,
    ];
    await this.#podman.run(...start, `--name=${this.gateway}`, ...volumes, gatewayImage);
    await this.until("ready", () => this.health("--ready").code === 0);
  }

  /** `jackfield health` in the gateway's container. */
  health(...options: readonly string[]) {
    return this.#podman.try("exec", this.gateway, "node", "bin/jackfield.js", "health", ...options);
  }

  async until(what: string, done: () => boolean, patienceMs = 60_000): Promise<void> {
    const end = performance.now() + patienceMs;
    while (!done()) {
      if (performance.now() > end) throw new Error(`not ${what}: ${this.logs()}`);
      await wait(100);
    }
  }

  logs(): string {
    return this.#podman.try("logs", this.gateway).out + this.#podman.try("logs", this.#sandbox).out;
  }

  close(): void {
    this.#podman.try("rm", "--force", "--time", "0", this.gateway, this.#sandbox);
    this.#podman.try("volume", "rm", "--force", this.gateway);
    this.#authority.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function configurationOf(ports: Ports): string {
  return JSON.stringify({
    http: { host: "127.0.0.1", port: ports.http, tls: { cert: "cert.pem", key: "key.pem" } },
    websocket: { origins: [testOrigin] },
    sip: { host: "127.0.0.1", port: ports.sip },
    media: {
      host: "127.0.0.1",
      browserPort: ports.browser,
      rtpPorts: ports.rtp,
      workers: 1,
    },
    agents: { ranges: [{ from: 5001, to: 5099, password: "secret-{dn}" }] },
    sipServer: { addresses: [`127.0.0.1:${ports.sandbox}`] },
  });
}
