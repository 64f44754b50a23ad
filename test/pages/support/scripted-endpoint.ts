import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { expect } from "vitest";

interface Posted {
  readonly session: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The gateway's endpoint as far as the page sees it (src/endpoint/contract.ts), in the test's hand. */
export class ScriptedEndpoint {
  /** What tokens are exchanged for. */
  readonly tokens = new Map<string, string>();
  readonly results: Posted[] = [];
  readonly states: Posted[] = [];
  /** Tokens that were asked for. */
  readonly asked: string[] = [];
  /** Sessions that are known. */
  readonly sessions = new Set<string>();
  /** No answer to anything while true. */
  down = false;
  readonly #streams = new Map<string, ServerResponse>();
  #id = 0;

  /** Answers what is below `/endpoint/`. */
  readonly answer = (request: IncomingMessage, response: ServerResponse): boolean => {
    const [, root, session = "", what = ""] = (request.url ?? "").split("/");
    if (root !== "endpoint") return false;
    if (this.down) {
      request.socket.destroy();
      return true;
    }
    if (request.method === "POST") void this.#post(request, response, session, what);
    else this.#open(session, response);
    return true;
  };

  reset(): void {
    for (const stream of this.#streams.values()) stream.end();
    for (const all of [this.results, this.states, this.asked]) all.length = 0;
    this.tokens.clear();
    this.sessions.clear();
    this.#streams.clear();
    this.down = false;
  }

  /** The page of this session is connected. */
  async connected(session: string): Promise<void> {
    await expect.poll(() => this.#streams.has(session)).toBe(true);
  }

  /** Cuts the page's events. */
  cut(session: string): void {
    this.#streams.get(session)?.destroy();
    this.#streams.delete(session);
  }

  replaced(session: string): void {
    this.sessions.delete(session);
    this.#streams.get(session)?.end("event: replaced\ndata: {}\n\n");
    this.#streams.delete(session);
  }

  /** Gives an order and resolves with its result. */
  async order(session: string, work: object): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#id;
    const data = JSON.stringify({ id, ...work });
    this.#streams.get(session)?.write(`event: order\ndata: ${data}\n\n`);
    const find = (): Posted | undefined => this.results.find(({ body }) => body["id"] === id);
    await expect.poll(find).toBeDefined();
    const { id: _id, ...rest } = find()?.body ?? {};
    return rest;
  }

  async signIn(session: string, dn = "5001"): Promise<Readonly<Record<string, unknown>>> {
    return await this.order(session, { order: "sign-in", credentials: credentials(dn) });
  }

  /** The state the page told last comes to match. */
  async state(wanted: object): Promise<void> {
    await expect.poll(() => this.states.at(-1)?.body).toMatchObject(wanted);
  }

  #open(session: string, response: ServerResponse): void {
    if (!this.sessions.has(session)) {
      response.writeHead(401).end();
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write(": here\n\n");
    this.#streams.set(session, response);
  }

  async #post(
    request: IncomingMessage,
    response: ServerResponse,
    session: string,
    what: string,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk);
    const body: Readonly<Record<string, unknown>> = JSON.parse(Buffer.concat(chunks).toString());
    if (session === "page") {
      const token = String(body["token"]);
      this.asked.push(token);
      const found = this.tokens.get(token);
      if (found !== undefined) this.sessions.add(found);
      const answer = found === undefined ? { error: "no", reason: "used" } : { session: found, dn: "5001" };
      response
        .writeHead(found === undefined ? 401 : 200, { "content-type": "application/json" })
        .end(JSON.stringify(answer));
      return;
    }
    if (!this.sessions.has(session)) {
      response.writeHead(401).end();
      return;
    }
    (what === "result" ? this.results : this.states).push({ session, body });
    response.writeHead(204).end();
  }
}

/** Good at `FakeGateway`, whose password is "secret". */
function credentials(dn: string): object {
  const user = `${dn};exp=1795287600;id=0123456789abcdef`;
  const ha1 = createHash("md5").update(`${user}:jackfield:secret`).digest("hex");
  return { dn, user, realm: "jackfield", ha1, expires_at: "2026-11-21T19:00:00Z" };
}
