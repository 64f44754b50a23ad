import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface FakeAnswer {
  readonly status?: number;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Nothing is answered: `hang`, or the connection ends: `cut`. */
  readonly instead?: "hang" | "cut";
}

export const agentToken = "agent-token-of-5001";
export const wwe = "https://wwe.example.com";

/** What the bridge sees of a gateway, as src/endpoint's contract has it; `answers` by `METHOD /path` before all else. */
export class FakeGateway {
  readonly asked: Asked[] = [];
  readonly answers = new Map<string, FakeAnswer>();
  readonly sockets = new Set<unknown>();
  origins: readonly string[] = [wwe];
  status: object = { in_service: false, page_connected: false };
  connections = 0;
  #server: Server;

  constructor(tls?: { readonly cert: string; readonly key: string }) {
    this.#server = tls ? createSecureServer(tls) : createServer();
    this.#server.on("connection", () => this.connections++);
    this.#server.on("request", (request, response) => {
      let body = "";
      request.setEncoding("utf8");
      request.on("data", (text: string) => {
        body += text;
      });
      request.on("end", () => {
        const { method = "", url = "", headers } = request;
        const path = url.replace(`/endpoint/${agentToken}`, "");
        const asked = { method, path, headers, body };
        this.asked.push(asked);
        const answer = this.answers.get(`${method} ${path}`) ?? this.#answer(asked);
        if (answer.instead === "cut") request.socket.destroy();
        if (answer.instead !== undefined) return;
        const { status = 200, headers: more = {} } = answer;
        response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...more });
        response.end(answer.body ?? "{}");
      });
    });
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${"setSecureContext" in this.#server ? "https" : "http"}://127.0.0.1:${port}`;
  }

  listen(port = 0): Promise<this> {
    return new Promise((resolve) => this.#server.listen(port, "127.0.0.1", () => resolve(this)));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** What was asked at a path. */
  at(path: string): Asked[] {
    return this.asked.filter((one) => one.path === path);
  }

  #answer({ method, path, headers, body }: Asked): FakeAnswer {
    const { origin } = headers;
    if (method === "OPTIONS") {
      const known = origin !== undefined && this.origins.includes(origin);
      return { headers: known ? { "access-control-allow-origin": origin } : {} };
    }
    if (path === "/endpoint/enrol")
      return body === '{"code":"7K2M-Q9XD-04VT"}'
        ? { body: JSON.stringify({ token: agentToken, dn: "5001" }) }
        : { status: 401, body: '{"error":"no such code"}' };
    if (path === "/page-token")
      return { body: JSON.stringify({ token: "page-token", url: `${this.url}/#endpoint=page-token` }) };
    if (path === "/status") return { body: JSON.stringify(this.status) };
    const answers: Readonly<Record<string, string>> = {
      "/GetDnSIP": '{"get_DnSIPResult":""}',
      "/GetIsEndpointActive": '{"get_IsEndpointActiveResult":true}',
      "/RegisterDn/": '{"RegisterDnResult":true}',
      "/UnregisterDn": '{"UnregisterDnResult":true}',
      "/Ping": '{"PingResult":[]}',
      "/SetOptions": "{}",
    };
    const answer = answers[path];
    return answer === undefined ? { status: 404 } : { body: answer };
  }
}
