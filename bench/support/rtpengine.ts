import { spawn, type ChildProcess } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { existsSync } from "node:fs";
import { bdecode, bencode, type Bencoded } from "./bencode.ts";
import type { CallDescription, EndDescription } from "./load-process.ts";
import type { ServerCounts } from "./media-process.ts";
import type { RelayServer } from "./relay-server.ts";
import type { BenchCodec } from "./voices.ts";

const host = "127.0.0.1";
const path = "/usr/bin/rtpengine";
const commandPatienceMs = 500;
const startPatienceMs = 10_000;

/** Whether Debian's package `rtpengine-daemon` is installed. */
export function hasRtpengine(): boolean {
  return existsSync(path);
}

export interface RtpengineOptions {
  readonly codec: BenchCodec;
  readonly rtpPorts: readonly [number, number];
  readonly controlPort: number;
  readonly cpus: string | undefined;
  readonly threads: number;
}

/** One request and its answer at a time, over UDP, numbered by a cookie (rtpengine's NG protocol). */
class NgControl {
  readonly #socket: Socket = createSocket("udp4");
  readonly #port: number;
  readonly #pending = new Map<string, (answer: Bencoded) => void>();
  #next = 1;

  constructor(port: number) {
    this.#port = port;
    this.#socket.on("message", (datagram) => {
      const text = datagram.toString("latin1");
      const space = text.indexOf(" ");
      const cookie = text.slice(0, space);
      this.#pending.get(cookie)?.(bdecode(text.slice(space + 1)));
      this.#pending.delete(cookie);
    });
    // Nobody listens yet: asked again.
    this.#socket.on("error", () => {});
  }

  /** The answer's dictionary; undefined when there was none in time. */
  ask(
    command: string,
    rest: Readonly<Record<string, Bencoded>>,
    patienceMs = commandPatienceMs,
  ): Promise<unknown> {
    const cookie = `${process.pid}_${this.#next++}`;
    const datagram = Buffer.from(`${cookie} ${bencode({ command, ...rest })}`);
    return new Promise((resolve) => {
      // The same cookie again is answered again, not done twice.
      const repeat = setInterval(() => this.#socket.send(datagram, this.#port, host), 200);
      const patience = setTimeout(() => done(undefined), patienceMs);
      const done = (answer: unknown): void => {
        clearInterval(repeat);
        clearTimeout(patience);
        this.#pending.delete(cookie);
        resolve(answer);
      };
      this.#pending.set(cookie, done);
      this.#socket.send(datagram, this.#port, host);
    });
  }

  close(): void {
    this.#socket.close();
  }
}

function sdp(protocol: string, port: number, payload: string, attributes: readonly string[]): string {
  const [number = ""] = payload.split(" ");
  return [
    "v=0",
    `o=- 1 1 IN IP4 ${host}`,
    "s=-",
    `c=IN IP4 ${host}`,
    "t=0 0",
    `m=audio ${port} ${protocol} ${number}`,
    `a=rtpmap:${payload}`,
    "a=ptime:20",
    "a=sendrecv",
    ...attributes,
    "",
  ].join("\r\n");
}

const rtpmap = { opus: "111 opus/48000/2", pcmu: "0 PCMU/8000" } as const;

function portOf(description: unknown): number {
  const port = Number(/^m=audio (\d+)/m.exec(String(description))?.[1]);
  if (!(port > 0)) throw new Error(`rtpengine answered without a port: ${String(description)}`);
  return port;
}

/**
 * rtpengine in user space (no kernel module), as a peer to compare with. Browser side DTLS-SRTP without ICE, the load
 * being DTLS client; trunk side plain RTP.
 */
export class Rtpengine implements RelayServer {
  readonly name = "rtpengine";
  readonly pid: number;
  /** All of its threads work. */
  readonly workThreads = [""];
  readonly #options: RtpengineOptions;
  readonly #process: ChildProcess;
  readonly #control: NgControl;
  readonly #gone: Promise<void>;
  readonly #calls: string[] = [];
  #next = 1;
  #said = "";

  private constructor(options: RtpengineOptions) {
    this.#options = options;
    const { rtpPorts, controlPort, cpus, threads } = options;
    const args = [
      "--config-file=none",
      "--foreground",
      "--log-stderr",
      "--log-level=3",
      "--table=-1",
      `--interface=${host}`,
      `--listen-ng=${host}:${controlPort}`,
      `--port-min=${rtpPorts[0]}`,
      `--port-max=${rtpPorts[1]}`,
      `--num-threads=${threads}`,
      "--delete-delay=0",
    ];
    const [command, all] = cpus === undefined ? [path, args] : ["taskset", ["-c", cpus, path, ...args]];
    this.#process = spawn(command, all, { stdio: ["ignore", "ignore", "pipe"] });
    if (this.#process.pid === undefined) throw new Error("rtpengine did not start");
    this.pid = this.#process.pid;
    this.#process.stderr?.on(
      "data",
      (text: Buffer) => (this.#said = (this.#said + text.toString()).slice(-2000)),
    );
    this.#gone = new Promise((resolve) => this.#process.once("exit", () => resolve()));
    this.#control = new NgControl(controlPort);
  }

  static async open(options: RtpengineOptions): Promise<Rtpengine> {
    const server = new Rtpengine(options);
    const answer = await server.#control.ask("ping", {}, startPatienceMs);
    if (answer !== undefined) return server;
    const { exitCode } = server.#process;
    await server.close();
    throw new Error(`rtpengine does not answer (exit code ${exitCode}): ${server.#said}`);
  }

  async openCalls(ends: readonly EndDescription[]): Promise<CallDescription[]> {
    const opened: CallDescription[] = [];
    for (const end of ends) opened.push(await this.#openCall(end));
    return opened;
  }

  async #openCall(end: EndDescription): Promise<CallDescription> {
    const { codec } = this.#options;
    const call = `bench-${this.#next++}`;
    const { algorithm, value } = end.fingerprint;
    const browser = sdp("UDP/TLS/RTP/SAVPF", end.browserPort, rtpmap[codec], [
      "a=rtcp-mux",
      "a=setup:active",
      `a=fingerprint:${algorithm} ${value}`,
    ]);
    const common = { "call-id": call, "from-tag": "browser", ICE: "remove", flags: ["SDES-off"] };
    const toTrunk = await this.#ask("offer", {
      ...common,
      sdp: browser,
      "transport-protocol": "RTP/AVP",
      "rtcp-mux": ["demux"],
      ...(codec === "opus" ? { codec: { mask: ["opus"], transcode: ["PCMU"] } } : {}),
    });
    const trunk = sdp("RTP/AVP", end.trunkPort, rtpmap.pcmu, [`a=rtcp:${end.rtcpPort}`]);
    const toBrowser = await this.#ask("answer", { ...common, "to-tag": "trunk", sdp: trunk });
    this.#calls.push(call);
    return { browser: { address: host, port: portOf(toBrowser) }, trunk: { port: portOf(toTrunk) } };
  }

  async #ask(command: string, rest: Readonly<Record<string, Bencoded>>): Promise<unknown> {
    const answer = await this.#control.ask(command, rest, 5000);
    if (typeof answer === "object" && answer !== null && "sdp" in answer) return answer.sdp;
    throw new Error(`rtpengine refused ${command}: ${JSON.stringify(answer)} ${this.#said}`);
  }

  async closeCalls(count: number): Promise<void> {
    for (const call of this.#calls.splice(this.#calls.length - count))
      await this.#control.ask("delete", { "call-id": call, "from-tag": "browser" }, 2000);
  }

  whenConnected(): Promise<void> {
    return Promise.resolve();
  }

  setActive(): Promise<void> {
    return Promise.resolve();
  }

  /** Nothing is asked of it: what it lost the load sees. */
  counts(): Promise<ServerCounts> {
    return Promise.resolve({
      framesRecovered: 0,
      framesConcealed: 0,
      packetsReceived: 0,
      packetsSent: 0,
      dropped: {},
      refused: {},
      receiveBufferBytes: 0,
      restarts: 0,
      loadStates: [],
    });
  }

  async close(): Promise<void> {
    this.#process.kill("SIGTERM");
    const kill = setTimeout(() => this.#process.kill("SIGKILL"), 3000);
    await this.#gone;
    clearTimeout(kill);
    this.#control.close();
  }
}
