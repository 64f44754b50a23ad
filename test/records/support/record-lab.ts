import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { FakeClock } from "../../support/fake-clock.ts";

/** A folder that goes away with the test. */
export function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), "jackfield-records-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Waits for what disk and network do, with time passing on the gateway's clock, `stepMs` a turn. */
export async function until(holds: () => boolean, clock?: FakeClock, stepMs = 500): Promise<void> {
  for (const began = performance.now(); !holds();) {
    if (performance.now() - began > 15_000) throw new Error(`never: ${String(holds)}`);
    clock?.advance(stepMs);
    await sleep(2);
  }
}

type Answer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string | Buffer }
  /** `reset`: the connection is cut before; `die`: in the middle of the answer; `hang`: there is none; `garbage`: no HTTP. */
  | "reset"
  | "die"
  | "hang"
  | "garbage";

/** A webhook's receiver on loopback that does what a test wants. */
export class Receiver {
  /** Ids in the order in which they came with a request that was answered with 2xx in whole. */
  readonly taken: string[] = [];
  readonly requests: {
    readonly headers: IncomingMessage["headers"];
    readonly body: string;
    readonly ids: string[];
  }[] = [];
  answer: (ids: readonly string[]) => Answer = () => ({ status: 204 });
  readonly #server;
  readonly #secure: boolean;

  /** `atEnd`: takes what is to be done when the receiver is needed no more. */
  constructor(
    tls?: { cert: string; key: string },
    atEnd: (close: () => Promise<void>) => void = onTestFinished,
  ) {
    const receive = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#receive(request, response).catch(() => response.destroy());
    this.#secure = tls !== undefined;
    this.#server = tls ? createHttpsServer(tls, receive) : createHttpServer(receive);
    atEnd(() => this.close());
  }

  async listen(port = 0): Promise<this> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#secure ? "https" : "http"}://127.0.0.1:${this.port}/calls?key=not-to-be-logged`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { records } = JSON.parse(body) as { records: { id: string }[] };
    const ids = records.map(({ id }) => id);
    this.requests.push({ headers: request.headers, body, ids });
    const answer = this.answer(ids);
    if (answer === "hang") return;
    if (answer === "reset") return void request.socket.destroy();
    if (answer === "garbage") return void request.socket.end("220 mail.example.com ESMTP\r\n");
    if (answer === "die") {
      response.writeHead(200, { "Content-Length": "1000" });
      response.write("half of it");
      return void setImmediate(() => request.socket.destroy());
    }
    if (answer.status >= 200 && answer.status < 300) this.taken.push(...ids);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }
}
