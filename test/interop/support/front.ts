import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";

const host = "127.0.0.1";

/** One datagram that passed the front. `at`: ms of `performance.now`. */
export interface Passed {
  readonly at: number;
  readonly from: "gateway" | "far";
  readonly text: string;
}

/**
 * The one address behind which the far programs (SIPp, baresip) stand as SIP Server, as a real one sends everything
 * from its port 5060. It passes bytes on unchanged and writes nothing of its own but the answers to OPTIONS and to
 * the REGISTERs of DNs that no program has asked for. Where nothing is lost it passes each message of the gateway's once:
 * a repetition only says that this machine is slow, and SIPp may take it for something else.
 */
export class SipFront {
  /** Registrar programs by DN: port on 127.0.0.1. */
  readonly registrars = new Map<string, number>();
  /** Programs that take the gateway's new dialogs, by user part of the request URI. */
  readonly phones = new Map<string, number>();
  readonly trace: Passed[] = [];
  /** Messages to the gateway that the network doubles; the answer to the second is kept from the far program. */
  doubles: (text: string) => boolean = () => false;
  /** Messages that the network loses, in both directions; asked once for each copy. */
  loses: (text: string) => boolean = () => false;
  readonly #socket: Socket;
  readonly #far = new Set<number>();
  readonly #byCallId = new Map<string, number>();
  readonly #answersToKeep = new Set<string>();
  /** What the far programs have got from the gateway. */
  readonly #delivered = new Set<string>();
  #hasLost = false;
  #gateway: number | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (bytes, from) => this.#receive(bytes, from));
  }

  static async open(): Promise<SipFront> {
    const socket = createSocket("udp4");
    socket.bind(0, host);
    await once(socket, "listening");
    return new SipFront(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** `127.0.0.1:PORT`: SIP Server's address. */
  get address(): string {
    return `${host}:${this.port}`;
  }

  /** Says that a far program sends from `port`; everything else counts as the gateway. */
  admit(port: number): void {
    this.#far.add(port);
  }

  /** Messages of one dialog or registration, oldest first. */
  messages(callId: string, from?: Passed["from"]): Passed[] {
    return this.trace.filter(
      (passed) => headerOf(passed.text, "Call-ID") === callId && (from === undefined || passed.from === from),
    );
  }

  /** Requests of the gateway, by method and the DN in To. */
  requests(method: string, dn: string): Passed[] {
    return this.trace.filter(
      ({ from, text }) =>
        from === "gateway" && text.startsWith(`${method} `) && headerOf(text, "To").includes(`sip:${dn}@`),
    );
  }

  #receive(bytes: Buffer, from: RemoteInfo): void {
    const text = bytes.toString("utf8");
    const callId = headerOf(text, "Call-ID");
    const fromFar = this.#far.has(from.port);
    if (this.loses(text)) {
      this.#hasLost = true;
      return;
    }
    this.trace.push({ at: performance.now(), from: fromFar ? "far" : "gateway", text });
    if (fromFar) {
      this.#byCallId.set(callId, from.port);
      this.#toGateway(bytes);
      if (!this.doubles(text)) return;
      this.trace.push({ at: performance.now(), from: "far", text });
      this.#answersToKeep.add(answerKey(text));
      this.#toGateway(bytes);
      return;
    }
    this.#gateway = from.port;
    if (this.#isSecondAnswer(text)) return;
    const known = this.#byCallId.get(callId) ?? this.#backendFor(text);
    if (known !== undefined) this.#deliver(bytes, text, known);
    else if (/^(REGISTER|OPTIONS) /.test(text)) this.#answer(text, from.port);
  }

  #deliver(bytes: Buffer, text: string, port: number): void {
    const id = `${port} ${text}`;
    if (!this.#hasLost && this.#delivered.has(id)) return;
    this.#delivered.add(id);
    this.#socket.send(bytes, port, host);
  }

  #toGateway(bytes: Buffer): void {
    if (this.#gateway !== undefined) this.#socket.send(bytes, this.#gateway, host);
  }

  #isSecondAnswer(text: string): boolean {
    if (!text.startsWith("SIP/2.0 ") || !this.#answersToKeep.has(answerKey(text))) return false;
    return this.trace.filter((passed) => passed.from === "gateway" && passed.text === text).length > 1;
  }

  #backendFor(text: string): number | undefined {
    if (text.startsWith("REGISTER "))
      return this.registrars.get(/sip:([^@>]+)@/.exec(headerOf(text, "To"))?.[1] ?? "");
    return this.phones.get(/^[A-Z]+ sip:([^@ ]+)@/.exec(text)?.[1] ?? "");
  }

  /** In the forms of the trace: `rport` echoed without a value, `received` added (genesys-sip-server.md 3). */
  #answer(request: string, port: number): void {
    const contact = headerOf(request, "Contact");
    const registers = request.startsWith("REGISTER ");
    const expires = headerOf(request, "Expires");
    const lines = [
      "SIP/2.0 200 OK",
      `From: ${headerOf(request, "From")}`,
      `To: ${headerOf(request, "To")};tag=5D3C2A41-0A3B-4F0E-9C1D-7E5B0C6D8E21-1`,
      `Call-ID: ${headerOf(request, "Call-ID")}`,
      `CSeq: ${headerOf(request, "CSeq")}`,
      "Content-Length: 0",
      `Via: ${headerOf(request, "Via").replace(/;rport(=\d+)?/, ";rport")};received=${host}`,
      ...(registers ? [`Expires: ${expires}`, `Contact: ${contact};expires=${expires}`] : []),
      "",
      "",
    ];
    const text = lines.join("\r\n");
    this.trace.push({ at: performance.now(), from: "far", text });
    this.#socket.send(text, port, host);
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, "close");
  }
}

function answerKey(text: string): string {
  return `${headerOf(text, "Call-ID")} ${headerOf(text, "CSeq")}`;
}

/** Value of the first header line of that name; empty when there is none. */
export function headerOf(text: string, name: string): string {
  const head = text.split("\r\n\r\n", 1)[0] ?? "";
  return new RegExp(`^${name}[ \\t]*:[ \\t]*(.*)$`, "im").exec(head)?.[1]?.trim() ?? "";
}
