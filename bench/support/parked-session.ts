import { Agent, request as httpsRequest } from "node:https";
import { connect, type ClientHttp2Session } from "node:http2";

export interface ParkedAnswer {
  readonly status: number;
  readonly body: string;
  readonly peer: string;
}

type Ask = (method: string, path: string, body?: string) => Promise<ParkedAnswer>;

export interface ParkedSessionOptions {
  /** `https://127.0.0.1:PORT`, with a path before the protocol's where there is one. */
  readonly base: string;
  readonly protocol: 1 | 2;
  readonly dn: string;
  readonly password: string;
  /** A message came by `wait`; empty ones are not told. */
  readonly onMessage: (body: string, peer: string) => void;
}

/** One browser with grtc.js that is signed in and lets a poll hang, as far as the gateway sees it (wrtc-http-protocol.md 3.1). */
export class ParkedSession {
  readonly dn: string;
  /** Polls that were answered, empty ones included; and those that failed. */
  polls = 0;
  faults = 0;
  readonly #options: ParkedSessionOptions;
  readonly #ask: Ask;
  readonly #end: () => void;
  #ssid = "";
  #over = false;

  private constructor(options: ParkedSessionOptions) {
    this.#options = options;
    this.dn = options.dn;
    const link = options.protocol === 2 ? overHttp2(options.base) : overHttp1(options.base);
    this.#ask = link.ask;
    this.#end = link.end;
  }

  /** Resolves when it is signed in and its first poll is on its way. */
  static async signIn(options: ParkedSessionOptions): Promise<ParkedSession> {
    const session = new ParkedSession(options);
    const { status, body } = await session.#ask("POST", "/sign_in", `${options.dn}:${options.password}`);
    if (status !== 200) throw new Error(`sign_in of ${options.dn}: ${status} ${body}`);
    session.#ssid = body.split("\n", 1)[0]?.split("=")[1] ?? "";
    void session.#poll();
    return session;
  }

  async #poll(): Promise<void> {
    while (!this.#over) {
      try {
        const { status, body, peer } = await this.#ask("GET", `/wait?id=${this.#ssid}`);
        if (status === 200) this.polls++;
        else if (!this.#over) await this.#rest();
        if (status === 200 && body !== "") this.#options.onMessage(body, peer);
      } catch {
        if (!this.#over) await this.#rest();
      }
    }
  }

  /** As the client does after an error. */
  async #rest(): Promise<void> {
    this.faults++;
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }

  async post(to: string, body: string): Promise<number> {
    return (await this.#ask("POST", `/message?from=${this.#ssid}&to=${to}`, body)).status;
  }

  async signOut(): Promise<void> {
    this.#over = true;
    await this.#ask("GET", `/sign_out?id=${this.#ssid}`).catch(() => {});
    this.#end();
  }
}

const type = { "content-type": "application/x-www-form-urlencoded; charset=UTF-8" };

interface Link {
  readonly ask: Ask;
  readonly end: () => void;
}

function overHttp2(base: string): Link {
  const { origin, pathname } = new URL(base);
  const prefix = pathname === "/" ? "" : pathname;
  const session: ClientHttp2Session = connect(origin, { rejectUnauthorized: false });
  session.on("error", () => {});
  return {
    ask: (method, path, body) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":method": method, ":path": prefix + path, ...(body ? type : {}) });
        let text = "";
        let status = 0;
        let peer = "";
        stream.setEncoding("utf8");
        stream.on("response", (headers) => {
          status = headers[":status"] ?? 0;
          peer = headers["pragma"] ?? "";
        });
        stream.on("data", (chunk: string) => (text += chunk));
        stream.on("end", () => resolve({ status, body: text, peer }));
        stream.on("error", reject);
        stream.on("close", () => reject(new Error("stream closed")));
        stream.end(body);
      }),
    end: () => session.close(),
  };
}

/** A browser parks its poll on one connection and posts by another. */
function overHttp1(base: string): Link {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  return {
    ask: (method, path, body) =>
      new Promise((resolve, reject) => {
        const request = httpsRequest(
          base.replace(/\/$/, "") + path,
          {
            method,
            agent,
            ...(body === undefined
              ? {}
              : { headers: { ...type, "content-length": Buffer.byteLength(body) } }),
          },
          (response) => {
            let text = "";
            response.setEncoding("utf8");
            response.on("data", (chunk: string) => (text += chunk));
            response.on("error", reject);
            response.on("end", () =>
              resolve({ status: response.statusCode ?? 0, body: text, peer: response.headers.pragma ?? "" }),
            );
          },
        );
        request.on("error", reject);
        request.end(body);
      }),
    end: () => agent.destroy(),
  };
}
