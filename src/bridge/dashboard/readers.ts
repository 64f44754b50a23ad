import type { ServerResponse } from "node:http";
import type { Clock, Timer } from "../../core/index.ts";

const mostReaders = 8;
/** What a reader may leave unread, bytes. */
const mostUnread = 1_048_576;
/** A change is told at once, the next ones together, ms. */
const restMs = 1000;

/** Who looks at the dashboard: server-sent events, one message with everything at each change, one a second at most. */
export class DashboardReaders {
  readonly #readers = new Set<ServerResponse>();
  readonly #clock: Clock;
  readonly #message: () => object;
  #rest: Timer | undefined;
  #due = false;

  constructor(clock: Clock, message: () => object) {
    this.#clock = clock;
    this.#message = message;
  }

  get count(): number {
    return this.#readers.size;
  }

  /** Takes over an answer; false when there are too many. */
  add(response: ServerResponse): boolean {
    if (this.#readers.size >= mostReaders) return false;
    response.writeHead(200, { "content-type": "text/event-stream" });
    this.#readers.add(response);
    response.once("close", () => this.#readers.delete(response));
    response.write(this.#text());
    return true;
  }

  /** Something is different now. */
  tell(): void {
    this.#due = true;
    if (this.#rest || this.#readers.size === 0) return;
    this.#due = false;
    const text = this.#text();
    for (const reader of this.#readers)
      if (reader.writableLength > mostUnread) reader.destroy();
      else reader.write(text);
    this.#rest = this.#clock.setTimer(restMs, () => {
      this.#rest = undefined;
      if (this.#due) this.tell();
    });
  }

  close(): void {
    this.#rest?.clear();
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  #text(): string {
    return `data: ${JSON.stringify(this.#message())}\n\n`;
  }
}
