import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { setTimeout as pause } from "node:timers/promises";

const host = "127.0.0.1";
const binMs = 100;

/** Datagrams of one phase of the bench. */
export interface PacketFigures {
  readonly seconds: number;
  readonly received: number;
  readonly sent: number;
  /** REGISTERs and OPTIONS among the received ones, repeats included. */
  readonly registers: number;
  readonly options: number;
  /** Both directions, a second. */
  readonly mean: number;
  /** Both directions, most within any second. */
  readonly peak: number;
  /** REGISTERs without their repeats, most within any second: what the pace bounds. */
  readonly peakRegisters: number;
}

/** Counts datagrams in bins of 100 ms. */
export class PacketMeter {
  #startedAt = performance.now();
  #counts = { received: 0, sent: 0, registers: 0, options: 0 };
  #packets: number[] = [];
  #registers: number[] = [];
  /** Of the REGISTERs seen: a repeat has the same branch (RFC 3261 17.1.2.2). */
  #branches = new Set<string>();

  restart(): void {
    this.#startedAt = performance.now();
    this.#counts = { received: 0, sent: 0, registers: 0, options: 0 };
    this.#packets = [];
    this.#registers = [];
    this.#branches = new Set();
  }

  received(method: string, branch: string): void {
    this.#counts.received++;
    this.#add(this.#packets);
    if (method === "OPTIONS") this.#counts.options++;
    if (method !== "REGISTER") return;
    this.#counts.registers++;
    if (!this.#branches.has(branch)) this.#add(this.#registers);
    this.#branches.add(branch);
  }

  sent(): void {
    this.#counts.sent++;
    this.#add(this.#packets);
  }

  get figures(): PacketFigures {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const { received, sent } = this.#counts;
    return {
      seconds,
      ...this.#counts,
      mean: (received + sent) / seconds,
      peak: peakOf(this.#packets),
      peakRegisters: peakOf(this.#registers),
    };
  }

  #add(bins: number[]): void {
    const bin = Math.floor((performance.now() - this.#startedAt) / binMs);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
}

/** Most within ten bins in a row. */
function peakOf(bins: readonly number[]): number {
  const perSecond = 1000 / binMs;
  let most = 0;
  for (let first = 0; first < bins.length; first++) {
    let sum = 0;
    for (let bin = first; bin < first + perSecond; bin++) sum += bins[bin] ?? 0;
    most = Math.max(most, sum);
  }
  return most;
}

/** A SIP Server that registers one contact a DN and answers OPTIONS; it can fall silent and come back. */
export class RegistrarDouble {
  readonly bindings = new Map<string, string>();
  dead = false;
  /** Clock time of the first REGISTER since `dead` or `bindings` last changed. */
  firstRegisterAt: number | undefined;
  readonly #socket: Socket;
  readonly #meter: PacketMeter;

  private constructor(socket: Socket, meter: PacketMeter) {
    this.#socket = socket;
    this.#meter = meter;
    socket.on("message", (datagram, from) => this.#receive(datagram.toString("latin1"), from));
  }

  static async open(meter: PacketMeter): Promise<RegistrarDouble> {
    const socket = createSocket({ type: "udp4", recvBufferSize: 4 << 20 });
    await new Promise<void>((resolve) => socket.bind(0, host, resolve));
    return new RegistrarDouble(socket, meter);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Resolves when so many DNs are bound. */
  async until(count: number): Promise<void> {
    while (this.bindings.size < count) await pause(5);
  }

  #receive(text: string, from: RemoteInfo): void {
    const method = text.slice(0, text.indexOf(" "));
    this.#meter.received(method, /;branch=([^;\r]*)/.exec(text)?.[1] ?? "");
    if (this.dead) return;
    const line = (name: string): string => new RegExp(`^${name}: .*$`, "m").exec(text)?.[0].trim() ?? "";
    const lines = [
      "SIP/2.0 200 OK",
      line("Via"),
      line("From"),
      `${line("To")};tag=1`,
      line("Call-ID"),
      line("CSeq"),
    ];
    if (method === "REGISTER") {
      this.firstRegisterAt ??= performance.now();
      lines.push(...this.#register(line("To"), line("Contact"), Number(line("Expires").split(" ")[1])));
    }
    this.#meter.sent();
    this.#socket.send([...lines, "Content-Length: 0", "", ""].join("\r\n"), from.port, from.address);
  }

  #register(to: string, contact: string, expires: number): string[] {
    const dn = /sip:([^@]+)@/.exec(to)?.[1] ?? "";
    if (expires === 0) this.bindings.delete(dn);
    else this.bindings.set(dn, contact);
    return expires === 0 ? ["Expires: 0"] : [`Expires: ${expires}`, `${contact};expires=${expires}`];
  }
}
