import { createHash, randomBytes } from "node:crypto";
import { WebSocket } from "ws";
import { testOrigin } from "./test-gateway.ts";

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

export interface Credentials {
  readonly dn: string;
  /** Of the digest; the DN unless told. */
  readonly user?: string;
  readonly ha1: string;
}

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

/** A page that knows no more than HA1, over a real WebSocket; all by hand. */
export class RawPage {
  readonly #socket: WebSocket;
  readonly #id = randomBytes(8).toString("hex");
  #sequence = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<RawPage> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, ["sip"], { origin: testOrigin });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    return new RawPage(socket);
  }

  /** Requests sent. */
  get asked(): number {
    return this.#sequence;
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** One REGISTER with that Authorization, whatever it is. */
  registerWith(dn: string, authorization: string): Promise<RawAnswer> {
    return this.#send(dn, authorization);
  }

  /** REGISTER, and once more with the digest; the last answer. */
  async register(credentials: Credentials): Promise<RawAnswer> {
    const first = await this.#send(credentials.dn);
    const challenge = /WWW-Authenticate: (Digest .*algorithm=MD5.*)/i.exec(first.text)?.[1];
    if (first.status !== 401 || challenge === undefined) return first;
    return this.#send(credentials.dn, answerTo(challenge, credentials));
  }

  close(): void {
    this.#socket.close();
  }

  #send(dn: string, authorization?: string): Promise<RawAnswer> {
    const lines = [
      "REGISTER sip:jackfield SIP/2.0",
      `Via: SIP/2.0/WS ${this.#id}.invalid;branch=z9hG4bK${this.#id}${++this.#sequence}`,
      "Max-Forwards: 70",
      `To: <sip:${dn}@jackfield>`,
      `From: <sip:${dn}@jackfield>;tag=${this.#id}`,
      `Call-ID: ${this.#id}`,
      `CSeq: ${this.#sequence} REGISTER`,
      `Contact: <sip:x@${this.#id}.invalid;transport=ws>;+sip.instance="<urn:uuid:${this.#id}>";expires=300`,
      ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
      "Content-Length: 0\r\n\r\n",
    ];
    const own = `CSeq: ${this.#sequence} REGISTER`;
    return new Promise((resolve) => {
      const listen = (data: Buffer): void => {
        const text = data.toString();
        if (!text.startsWith("SIP/2.0") || !text.includes(own)) return;
        this.#socket.off("message", listen);
        resolve({ status: Number(text.split(" ")[1]), text });
      };
      this.#socket.on("message", listen);
      this.#socket.send(lines.join("\r\n"));
    });
  }
}

function answerTo(challenge: string, { dn, user = dn, ha1 }: Credentials): string {
  const field = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? "";
  const uri = "sip:jackfield";
  const response = md5(`${ha1}:${field("nonce")}:00000001:c0ffee:auth:${md5(`REGISTER:${uri}`)}`);
  return `Digest algorithm=MD5, username="${user}", realm="${field("realm")}", nonce="${field("nonce")}", uri="${uri}", response="${response}", qop=auth, cnonce="c0ffee", nc=00000001`;
}

/** As htdigest makes it. */
export function ha1Of(dn: string, password: string, realm = "jackfield"): string {
  return md5(`${dn}:${realm}:${password}`);
}
