import { spawn, type ChildProcess } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { TestAuthority, type TestCertificate } from "./certificates.ts";
import { freeTcpPort } from "./free-port.ts";

const host = "127.0.0.1";

/** Traffic of one TURN session as coturn's log has it when it is over; bytes and packets between coturn and the browser. */
export interface TurnUsage {
  readonly username: string;
  readonly receivedPackets: number;
  readonly sentPackets: number;
}

/** Debian's coturn on loopback, started as the compose file starts it: by docker/coturn/start.sh. */
export class Coturn {
  readonly secret = "a-secret-of-the-tests-0123456789";
  readonly port: number;
  readonly tlsPort: number;
  readonly #folder = mkdtempSync(join(tmpdir(), "jackfield-coturn-"));
  readonly #authority = new TestAuthority();
  readonly #certificate: TestCertificate;
  readonly #peers: string;
  #process: ChildProcess | undefined;
  #log = "";

  private constructor(port: number, tlsPort: number, peers: string) {
    this.port = port;
    this.tlsPort = tlsPort;
    this.#peers = peers;
    this.#certificate = this.#authority.issue("turn", `IP:${host}`);
    writeFileSync(join(this.#folder, "secret"), `${this.secret}\n`);
  }

  /** @param peers what it may relay to; the gateway's media address unless told */
  static async open(peers = host): Promise<Coturn> {
    const coturn = new Coturn(await freeTcpPort(), await freeTcpPort(), peers);
    await coturn.start();
    return coturn;
  }

  url(transport: "udp" | "tcp" | "tls"): string {
    if (transport === "tls") return `turns:${host}:${this.tlsPort}?transport=tcp`;
    return `turn:${host}:${this.port}?transport=${transport}`;
  }

  /** Starts it, or starts it again after `stop`. Resolves once it listens. */
  async start(): Promise<void> {
    const { certFile, keyFile } = this.#certificate;
    const child = spawn(
      join(import.meta.dirname, "..", "..", "docker", "coturn", "start.sh"),
      // The gateway of a test is on loopback, which coturn else never relays to.
      ["--allow-loopback-peers"],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          PATH: process.env["PATH"],
          TURN_SECRET_FILE: join(this.#folder, "secret"),
          TURN_PEERS: this.#peers,
          TURN_LISTEN_IP: host,
          TURN_PORT: String(this.port),
          TURN_TLS_PORT: String(this.tlsPort),
          TURN_CERT: certFile,
          TURN_KEY: keyFile,
          TURN_RUN_DIR: this.#folder,
        },
      },
    );
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (this.#log += chunk.toString()));
    const end = performance.now() + 10_000;
    while (!this.#log.includes("admin thread")) {
      if (child.exitCode !== null || performance.now() > end)
        throw new Error(`coturn does not start: ${this.#log}`);
      await wait(20);
    }
  }

  get log(): string {
    return this.#log;
  }

  /** Sessions that are over. */
  usages(): TurnUsage[] {
    const lines = this.#log.matchAll(
      / usage: realm=<[^>]*>, username=<([^>]*)>, rp=(\d+), rb=\d+, sp=(\d+), sb=\d+/g,
    );
    return Array.from(lines, ([, username = "", received, sent]) => ({
      username,
      receivedPackets: Number(received),
      sentPackets: Number(sent),
    }));
  }

  forgetLog(): void {
    this.#log = "";
  }

  /** Ends it at once, as a crash does. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const over = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGKILL");
    await over;
    this.#log = "";
  }

  async close(): Promise<void> {
    await this.stop();
    this.#authority.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Takes UDP packets and TCP connections and never says a word, as an address behind a firewall. */
export class Silence {
  readonly #udp: Socket;
  readonly #tcp: Server;
  readonly #connections = new Set<{ destroy(): void }>();

  private constructor(udp: Socket, tcp: Server) {
    this.#udp = udp;
    this.#tcp = tcp;
    tcp.on("connection", (connection) => {
      this.#connections.add(connection);
      connection.on("error", () => undefined);
    });
  }

  static async open(): Promise<Silence> {
    const udp = createSocket("udp4");
    await new Promise<void>((resolve) => udp.bind(0, host, resolve));
    const tcp = createServer();
    await new Promise<void>((resolve) => tcp.listen(0, host, resolve));
    return new Silence(udp, tcp);
  }

  get urls(): string[] {
    const address = this.#tcp.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return [`turn:${host}:${this.#udp.address().port}?transport=udp`, `turn:${host}:${port}?transport=tcp`];
  }

  close(): void {
    this.#udp.close();
    for (const connection of this.#connections) connection.destroy();
    this.#tcp.close();
  }
}
