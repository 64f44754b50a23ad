import { Readable } from "node:stream";

/** Who may listen at a time. */
const mostStreams = 20;
/** What may wait to be read by one that reads slowly, besides its snapshot, bytes. */
const mostWaiting = 4_000_000;

/** Server-sent events to all who listen (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export class EventStreams {
  /** Each with whether its reader may still listen. */
  readonly #streams = new Map<Readable, () => boolean>();
  /** Streams cut since the start because nobody read them. */
  dropped = 0;

  get size(): number {
    return this.#streams.size;
  }

  /**
   * A further stream that begins with `snapshot` (JSON), and ends when `allowed` no longer holds; undefined when there
   * are as many as may be.
   */
  open(snapshot: string, allowed: () => boolean): Readable | undefined {
    if (this.size >= mostStreams) return undefined;
    const stream = new Readable({ read() {} });
    this.#streams.set(stream, allowed);
    // However it ends: read to its end, cut here, or left by its reader.
    stream.once("close", () => this.#streams.delete(stream));
    // A reader that goes away is no fault of ours.
    stream.on("error", () => {});
    stream.push(`retry: 2000\n\n${eventOf("snapshot", snapshot)}`);
    return stream;
  }

  /** `json` without line ends, as JSON.stringify makes it. */
  send(event: string, json: string): void {
    this.#write(Buffer.from(eventOf(event, json)));
  }

  /** A comment that keeps proxies from taking the connection for dead. */
  keepAlive(): void {
    this.#write(Buffer.from(": keep-alive\n\n"));
  }

  /** Ends all; idempotent. */
  close(): void {
    for (const stream of this.#streams.keys()) stream.push(null);
    this.#streams.clear();
  }

  #write(text: Buffer): void {
    for (const [stream, allowed] of this.#streams) {
      if (stream.readableLength > mostWaiting) {
        this.dropped++;
        this.#streams.delete(stream);
        stream.destroy();
      } else if (!allowed()) {
        this.#streams.delete(stream);
        stream.push(null);
      } else stream.push(text);
    }
  }
}

function eventOf(event: string, json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}
