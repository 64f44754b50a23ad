import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, Server as TlsServer } from "node:tls";
import type { TestCertificate } from "../../support/certificates.ts";
import { headerOf } from "./front.ts";

const host = "127.0.0.1";

/**
 * A SIP Server on TCP or TLS that writes its text itself: takes every REGISTER and OPTIONS, calls by the gateway's own
 * connection, and answers BYE.
 */
export class StreamServer {
  readonly connections: Socket[] = [];
  /** All that came, oldest first, by whichever connection. */
  readonly heard: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on(server instanceof TlsServer ? "secureConnection" : "connection", (socket: Socket) => {
      this.connections.push(socket);
      this.#listen(socket);
    });
  }

  static async open(tls?: TestCertificate & { readonly ca: string }): Promise<StreamServer> {
    const server = tls
      ? createTlsServer({
          cert: tls.cert,
          key: tls.key,
          ca: tls.ca,
          requestCert: true,
          rejectUnauthorized: true,
        })
      : createServer();
    server.listen(0, host);
    await once(server, "listening");
    return new StreamServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The connection the gateway has now. */
  get gateway(): Socket | undefined {
    return this.connections.findLast((socket) => !socket.destroyed);
  }

  /** Sends by the gateway's connection. */
  send(lines: readonly string[], body = ""): void {
    this.gateway?.write([...lines, `Content-Length: ${Buffer.byteLength(body)}`, "", body].join("\r\n"));
  }

  /** Cuts the gateway's connection without a word. */
  cut(): void {
    this.gateway?.resetAndDestroy();
  }

  /** A connection of our own to the gateway. */
  dial(port: number): Socket {
    const socket = connect(port, host);
    this.connections.push(socket);
    this.#listen(socket);
    return socket;
  }

  find(start: string, cseq = ""): string | undefined {
    return this.heard.find((text) => text.startsWith(start) && headerOf(text, "CSeq").startsWith(cseq));
  }

  #listen(socket: Socket): void {
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      for (;;) {
        text = text.replace(/^(?:\r\n)+/, "");
        const head = text.indexOf("\r\n\r\n");
        const length = head + 4 + Number(headerOf(text, "Content-Length"));
        if (head < 0 || text.length < length) return;
        this.#take(socket, text.slice(0, length));
        text = text.slice(length);
      }
    });
  }

  #take(socket: Socket, message: string): void {
    this.heard.push(message);
    if (!/^(?:REGISTER|OPTIONS|BYE) /.test(message)) return;
    const copied = ["Via", "From", "To", "Call-ID", "CSeq"].map(
      (name) => `${name}: ${headerOf(message, name)}`,
    );
    const register = message.startsWith("REGISTER ");
    const contact = register ? [`Contact: ${headerOf(message, "Contact")};expires=300`] : [];
    socket.write(["SIP/2.0 200 OK", ...copied, ...contact, "Content-Length: 0", "", ""].join("\r\n"));
  }

  async close(): Promise<void> {
    for (const socket of this.connections) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** A call of the server's to `dn`; each request is given by its method and CSeq number. */
export class StreamCall {
  readonly #server: StreamServer;
  readonly #dn: string;
  readonly #callId: string;
  readonly #contact: string;
  #toTag = "";

  constructor(server: StreamServer, dn: string, protocol: "TCP" | "TLS") {
    this.#server = server;
    this.#dn = dn;
    this.#callId = `${dn}-${performance.now()}`;
    this.#contact = `<sip:1003@${host}:${server.port};transport=${protocol.toLowerCase()}>`;
    this.#protocol = protocol;
  }
  readonly #protocol: "TCP" | "TLS";

  request(method: string, cseq: number, headers: readonly string[] = [], sdp = ""): void {
    this.#toTag ||= /;tag=[^;]+/.exec(headerOf(this.#server.find("SIP/2.0 180") ?? "", "To"))?.[0] ?? "";
    this.#server.send(
      [
        `${method} sip:${this.#dn}@${host} SIP/2.0`,
        `Via: SIP/2.0/${this.#protocol} ${host}:${this.#server.port};branch=z9hG4bK-${this.#callId}-${method}-${cseq}`,
        `From: <sip:1003@${host}>;tag=far`,
        `To: <sip:${this.#dn}@${host}>${this.#toTag}`,
        `Call-ID: ${this.#callId}`,
        `CSeq: ${cseq} ${method}`,
        `Contact: ${this.#contact}`,
        ...headers,
        ...(sdp === "" ? [] : ["Content-Type: application/sdp"]),
      ],
      sdp,
    );
  }
}
