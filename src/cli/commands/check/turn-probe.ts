import { createHash, createSecretKey, type KeyObject } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, getCACertificates } from "node:tls";
import { encodeStun, xorMappedAddress, type StunAttribute } from "../../../media/index.ts";
import type { CheckIo } from "./finding.ts";

/** Methods of TURN requests (RFC 8656 17); success sets 0x0100, error 0x0110. */
const allocate = 0x0003;
const refresh = 0x0004;
const createPermission = 0x0008;

const attribute = {
  username: 0x0006,
  errorCode: 0x0009,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  realm: 0x0014,
  nonce: 0x0015,
  requestedTransport: 0x0019,
} as const;

const udpProtocol = Buffer.from([17, 0, 0, 0]);
const repeatMs = 500;
const longestAnswer = 65_535 + 20;

/** Where a `turn:` or `turns:` URL leads (RFC 7065 3.2). */
export interface TurnTarget {
  readonly host: string;
  readonly port: number;
  readonly transport: "udp" | "tcp" | "tls";
}

/** A URL as the configuration lets it through. */
export function turnTarget(url: string): TurnTarget {
  const [, scheme, host = "", port, transport] =
    /^(turns?):([^:?]+)(?::(\d+))?(?:\?transport=(udp|tcp))?$/.exec(url) ?? [];
  const secure = scheme === "turns";
  return {
    host,
    port: port === undefined ? (secure ? 5349 : 3478) : Number(port),
    transport: secure ? "tls" : transport === "tcp" ? "tcp" : "udp",
  };
}

/** What a server answered: 0 for success, else STUN's error code with its words. */
export interface TurnAnswer {
  readonly code: number;
  readonly words: string;
  readonly attributes: ReadonlyMap<number, Buffer>;
}

/** One client of a TURN server, to try it out: asks one thing at a time, gives up after `io.answerMs`. */
export class TurnProbe {
  readonly #io: CheckIo;
  readonly #send: (message: Buffer) => void;
  readonly #shut: () => void;
  #received = Buffer.alloc(0);
  #onAnswer: ((packet: Buffer) => void) | undefined;
  #onError: ((error: Error) => void) | undefined;
  #failed: Error | undefined;
  readonly #repeats: boolean;
  #login: { readonly key: KeyObject; readonly attributes: readonly StunAttribute[] } | undefined;

  constructor({ host, port, transport }: TurnTarget, io: CheckIo) {
    this.#io = io;
    this.#repeats = transport === "udp";
    const failed = (error: Error): void => {
      this.#failed = error;
      this.#onError?.(error);
    };
    if (transport === "udp") {
      const socket = createSocket("udp4");
      socket.on("error", failed);
      socket.on("message", (packet) => this.#onAnswer?.(packet));
      this.#send = (message) => socket.send(message, port, host, (error) => error && failed(error));
      this.#shut = () => socket.close();
    } else {
      const ca = transport === "tls" ? [...getCACertificates("bundled"), ...getCACertificates("system")] : [];
      const socket =
        transport === "tls"
          ? connectTls({ host, port, servername: nameOf(host), ca })
          : connectTcp({ host, port });
      socket.on("error", failed);
      socket.on("close", () => failed(new Error("closed the connection")));
      socket.on("data", (chunk) => this.#collect(chunk));
      this.#send = (message) => void socket.write(message);
      this.#shut = () => void socket.destroy();
    }
  }

  /** Allocates a relayed address, which is given back with `close`. The first answer is the challenge. */
  async allocate(username: string, password: string): Promise<TurnAnswer> {
    const wanted = { type: attribute.requestedTransport, value: udpProtocol };
    const challenge = await this.#ask(allocate, [wanted]);
    const realm = challenge.attributes.get(attribute.realm);
    const nonce = challenge.attributes.get(attribute.nonce);
    if (challenge.code !== 401 || !realm || !nonce) return challenge;
    // RFC 8489 9.2.2: the key of the long-term mechanism.
    const text = `${username}:${realm.toString()}:${password}`;
    this.#login = {
      key: createSecretKey(createHash("md5").update(text).digest()),
      attributes: [
        { type: attribute.username, value: Buffer.from(username) },
        { type: attribute.realm, value: realm },
        { type: attribute.nonce, value: nonce },
      ],
    };
    return this.#ask(allocate, [wanted]);
  }

  /** Whether it would relay to that IPv4 address; nothing is sent there. */
  permission(address: string): Promise<TurnAnswer> {
    const peer = xorMappedAddress(address, 9, Buffer.alloc(12));
    return this.#ask(createPermission, [{ type: attribute.xorPeerAddress, value: peer }]);
  }

  /** Gives what was allocated back, without waiting. */
  close(): void {
    this.#onError = undefined;
    const lifetime = { type: attribute.lifetime, value: Buffer.alloc(4) };
    if (!this.#failed && this.#login) this.#send(this.#request(refresh, [lifetime]));
    // UDP looks the name up before it sends.
    this.#io.clock.setTimer(100, () => this.#shut());
  }

  #request(method: number, attributes: readonly StunAttribute[]): Buffer {
    const { key, attributes: login = [] } = this.#login ?? {};
    return encodeStun(method, this.#io.random.bytes(12), [...attributes, ...login], key);
  }

  #ask(method: number, attributes: readonly StunAttribute[]): Promise<TurnAnswer> {
    const { clock, answerMs } = this.#io;
    const request = this.#request(method, attributes);
    const began = clock.now();
    return new Promise<TurnAnswer>((resolve, reject) => {
      if (this.#failed) return reject(this.#failed);
      const repeat = (): void => {
        if (clock.now() - began >= answerMs) return fail(new Error(`gave no answer in ${answerMs} ms`));
        if (this.#repeats) this.#send(request);
        timer = clock.setTimer(repeatMs, repeat);
      };
      const fail = (error: Error): void => {
        timer?.clear();
        this.#onAnswer = undefined;
        reject(error);
      };
      let timer: ReturnType<typeof clock.setTimer> | undefined;
      this.#onError = fail;
      this.#onAnswer = (packet) => {
        if (packet.length < 20 || !packet.subarray(8, 20).equals(request.subarray(8, 20))) return;
        timer?.clear();
        this.#onAnswer = undefined;
        this.#onError = undefined;
        resolve(readAnswer(packet));
      };
      this.#send(request);
      timer = clock.setTimer(repeatMs, repeat);
    });
  }

  /** Cuts a stream into messages, each of which says how long it is. */
  #collect(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 20) {
      const length = 20 + this.#received.readUInt16BE(2);
      if (this.#received.length < length) break;
      const message = this.#received.subarray(0, length);
      this.#received = this.#received.subarray(length);
      this.#onAnswer?.(message);
    }
    if (this.#received.length > longestAnswer) this.#received = Buffer.alloc(0);
  }
}

/** SNI takes names only (RFC 6066 3). */
function nameOf(host: string): string {
  return /^[\d.]+$/.test(host) ? "" : host;
}

/** Attributes by type, the first of each; what is cut off is left out. */
function readAnswer(packet: Buffer): TurnAnswer {
  const attributes = new Map<number, Buffer>();
  for (let at = 20; at + 4 <= packet.length;) {
    const [type, size] = [packet.readUInt16BE(at), packet.readUInt16BE(at + 2)];
    if (at + 4 + size > packet.length) break;
    if (!attributes.has(type)) attributes.set(type, packet.subarray(at + 4, at + 4 + size));
    at += 4 + ((size + 3) & ~3);
  }
  const error = attributes.get(attribute.errorCode);
  if ((packet.readUInt16BE(0) & 0x0110) === 0x0100) return { code: 0, words: "", attributes };
  const code = error && error.length >= 4 ? 100 * ((error[2] ?? 0) & 7) + (error[3] ?? 0) : 400;
  const phrase =
    error
      ?.subarray(4)
      .toString("latin1")
      .replaceAll(/[^ -~]/g, "") ?? "";
  return { code, words: `${code} ${phrase}`.trim(), attributes };
}
