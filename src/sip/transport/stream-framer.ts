import { messageLimits } from "../message/limits.ts";

/** What a byte stream falls into. A handler may call `stop`; none is called after. */
export interface FramerHandlers {
  /** One whole message: header section, empty line, as many bytes as Content-Length says. Memory of its own. */
  onMessage(bytes: Buffer): void;
  /** Two line ends in a row between messages: a ping, to be answered by one (RFC 5626 4.4.1). */
  onPing(): void;
  /** One line end between messages: the answer to a ping of ours, or padding (RFC 3261 7.5). */
  onPong(): void;
}

const CR = 13;
const LF = 10;
const smallest = 4096;

/**
 * Takes messages out of a TCP or TLS stream by Content-Length (RFC 3261 18.3). Limits hold before anything is taken
 * apart. After a fault nobody can say where the next message begins: the connection has to be closed.
 */
export class StreamFramer {
  readonly #handlers: FramerHandlers;
  #memory = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  /** Up to here there is no end of the header section. */
  #searched = 0;
  /** Bytes of the whole message, once its header section is there; 0 before. */
  #wanted = 0;
  #lineEnds = 0;
  #stopped = false;

  constructor(handlers: FramerHandlers) {
    this.#handlers = handlers;
  }

  /** Whether a message has begun that is not whole yet. */
  get partial(): boolean {
    return this.#end > this.#start;
  }

  /** Nothing more is told. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#memory = Buffer.alloc(0);
    this.#start = this.#end = 0;
  }

  /** Takes what came; the memory may be used again. Returns why the stream cannot be followed any more. */
  push(chunk: Buffer): string | undefined {
    if (this.#stopped) return undefined;
    this.#append(chunk);
    while (!this.#stopped && this.#start < this.#end) {
      const step = this.#wanted === 0 ? this.#readHeader() : this.#readBody();
      if (step === "wait") return undefined;
      if (step === "next") continue;
      this.stop();
      return step.fault;
    }
    return undefined;
  }

  #append(chunk: Buffer): void {
    if (this.#start === this.#end) this.#start = this.#end = this.#searched = 0;
    const length = this.#end - this.#start;
    if (this.#end + chunk.length > this.#memory.length) {
      const memory = Buffer.allocUnsafe(Math.max(smallest, 2 * (length + chunk.length)));
      this.#memory.copy(memory, 0, this.#start, this.#end);
      this.#memory = memory;
      this.#searched -= this.#start;
      this.#start = 0;
      this.#end = length;
    }
    chunk.copy(this.#memory, this.#end);
    this.#end += chunk.length;
  }

  #readHeader(): Step {
    const first = this.#memory[this.#start];
    if (first === CR || first === LF) return this.#readLineEnd();
    this.#lineEnds = 0;
    const from = Math.max(this.#start, this.#searched - 3);
    const limit = this.#start + messageLimits.headerBytes + 4;
    const end = this.#memory.subarray(0, Math.min(this.#end, limit)).indexOf("\r\n\r\n", from, "latin1");
    if (end < 0) {
      if (this.#end >= limit)
        return { fault: `header section longer than ${messageLimits.headerBytes} bytes` };
      this.#searched = this.#end;
      return "wait";
    }
    const length = contentLength(this.#memory.toString("latin1", this.#start, end));
    if (typeof length !== "number") return length;
    this.#wanted = end + 4 - this.#start + length;
    return "next";
  }

  #readBody(): Step {
    const stop = this.#start + this.#wanted;
    if (this.#end < stop) return "wait";
    const message = Buffer.from(this.#memory.subarray(this.#start, stop));
    this.#start = this.#searched = stop;
    this.#wanted = 0;
    this.#handlers.onMessage(message);
    return "next";
  }

  /** Each second one makes a ping: who sends a row of them has sent that many. */
  #readLineEnd(): Step {
    if (this.#memory[this.#start] === LF) return { fault: "line feed without carriage return" };
    if (this.#start + 1 === this.#end) return "wait";
    if (this.#memory[this.#start + 1] !== LF) return { fault: "carriage return without line feed" };
    this.#start += 2;
    this.#lineEnds++;
    if (this.#lineEnds % 2 === 0) this.#handlers.onPing();
    else this.#handlers.onPong();
    return "next";
  }
}

type Step = "wait" | "next" | { readonly fault: string };

/** RFC 3261 20.14: mandatory on streams. Two of them are refused even when equal: somebody reads the other one. */
function contentLength(header: string): number | { readonly fault: string } {
  const unfolded = header.includes("\r\n ") || header.includes("\r\n\t");
  const text = unfolded ? header.replaceAll(/\r\n[ \t]+/g, " ") : header;
  const values = Array.from(text.matchAll(/\r\n(?:content-length|l)[ \t]*:[ \t]*(.*)/gi), ([, value = ""]) =>
    value.trimEnd(),
  );
  const [value] = values;
  if (value === undefined) return { fault: "message without Content-Length" };
  if (values.length > 1) return { fault: "message with two Content-Lengths" };
  if (!/^\d{1,9}$/.test(value)) return { fault: "Content-Length is no number" };
  const length = Number(value);
  return length > messageLimits.bodyBytes
    ? { fault: `body longer than ${messageLimits.bodyBytes} bytes` }
    : length;
}
