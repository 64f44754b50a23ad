import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface JsonRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a server answers: JSON unless `text`; `never` leaves the request without an answer. */
export type JsonReply =
  | {
      readonly status?: number;
      readonly json?: unknown;
      readonly text?: string;
      readonly headers?: Record<string, string>;
    }
  | "never";

/** A real HTTP server on loopback that answers as told at the moment, and keeps what it was asked. */
export class JsonServer {
  readonly requests: JsonRequest[] = [];
  reply: (request: JsonRequest) => JsonReply | Promise<JsonReply>;
  readonly #server: Server;
  #asked: (() => void)[] = [];

  private constructor(first: JsonServer["reply"]) {
    this.reply = first;
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { method = "", url: path = "", headers } = request;
        const asked = { method, path, headers, body: Buffer.concat(chunks).toString() };
        this.requests.push(asked);
        for (const tell of this.#asked.splice(0)) tell();
        void (async () => {
          const answer = await this.reply(asked);
          if (answer === "never") return;
          const text = answer.text ?? JSON.stringify(answer.json ?? {});
          response.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
          response.end(text);
        })();
      });
    });
  }

  static async open(reply: JsonServer["reply"] = () => ({ status: 404 })): Promise<JsonServer> {
    const server = new JsonServer(reply);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves once there were that many requests. */
  async asked(count: number): Promise<void> {
    while (this.requests.length < count) await new Promise<void>((resolve) => this.#asked.push(resolve));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
