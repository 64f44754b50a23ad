import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type Http2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { PollAnswer, PollEvents, PollLine } from "../session/poll.ts";

/** Has what is told of a poll once it is parked; what comes before is told then. */
export interface CarriedPoll {
  readonly line: PollLine;
  listen(events: PollEvents): void;
}

/** A hanging GET over HTTP/1.1 or HTTP/2, which tell in different ways what became of an answer. */
export function carryPoll(request: FastifyRequest, reply: FastifyReply, endings: Endings): CarriedPoll {
  const stream = streamOf(request.raw);
  return stream ? overHttp2(stream, reply, endings) : overHttp1(request.raw, reply, endings);
}

/** Tells of the end of connections: one listener on each, however many polls came by it. */
export class Endings {
  readonly #waiting = new WeakMap<object, Map<object, () => void>>();

  /** `by`: who asks; its later wish replaces the one before. The returned function takes it back. */
  on(connection: Socket | Http2Session, by: object, ended: () => void): () => void {
    const waiting = this.#waiting.get(connection) ?? this.#watch(connection);
    waiting.set(by, ended);
    return () => waiting.delete(by);
  }

  #watch(connection: Socket | Http2Session): Map<object, () => void> {
    const waiting = new Map<object, () => void>();
    this.#waiting.set(connection, waiting);
    const emitter: NodeJS.EventEmitter = connection;
    emitter.once("close", () => {
      for (const ended of waiting.values()) ended();
      waiting.clear();
    });
    return waiting;
  }
}

class Carried implements CarriedPoll {
  readonly line: PollLine;
  #events: PollEvents | undefined;
  readonly #told: (keyof PollEvents)[] = [];

  constructor(line: PollLine) {
    this.line = line;
  }

  listen(events: PollEvents): void {
    this.#events = events;
    for (const name of this.#told) events[name]();
  }

  tell(name: keyof PollEvents): void {
    if (this.#told.includes(name)) return;
    this.#told.push(name);
    this.#events?.[name]();
  }
}

function overHttp1(request: IncomingMessage, reply: FastifyReply, endings: Endings): CarriedPoll {
  const { socket } = request;
  // Taken away from the response once it is sent.
  const response: ServerResponse = reply.raw;
  const carried = new Carried({
    connection: socket,
    multiplexed: false,
    lastOfConnection: !response.shouldKeepAlive,
    answer: (answer) => send(reply, answer),
    cut: () => void socket.destroy(),
  });
  response.once("finish", () => carried.tell("flushed"));
  // One request after the other: the next poll by this connection has read the answer to this one.
  endings.on(socket, socket, () => carried.tell("closed"));
  return carried;
}

function overHttp2(stream: ServerHttp2Stream, reply: FastifyReply, endings: Endings): CarriedPoll {
  const { session } = stream;
  let flushed = false;
  let forget: (() => void) | undefined;
  const carried = new Carried({
    connection: session ?? stream,
    multiplexed: true,
    lastOfConnection: false,
    answer: (answer) => send(reply, answer),
    cut: () => stream.close(constants.NGHTTP2_CANCEL),
  });
  stream.once("finish", () => {
    flushed = true;
    carried.tell("flushed");
    if (!session || session.destroyed) return carried.tell("closed");
    forget = endings.on(session, stream, () => carried.tell("closed"));
    // What the client sends behind its answer to this it sends knowing of ours (RFC 9113 6.7).
    const read = (): void => {
      forget?.();
      carried.tell("read");
    };
    if (!session.ping((error) => error ?? read())) read();
  });
  stream.once("close", () => {
    if (!flushed || stream.rstCode !== constants.NGHTTP2_NO_ERROR) carried.tell("closed");
  });
  return carried;
}

function send(reply: FastifyReply, answer: PollAnswer): void {
  reply.type("text/plain; charset=utf-8");
  if ("letter" in answer) void reply.header("pragma", answer.letter.peer).send(answer.letter.body);
  else void reply.status(answer.status).send("");
}

function streamOf(raw: IncomingMessage): ServerHttp2Stream | undefined {
  const stream: unknown = raw.httpVersionMajor === 2 ? Reflect.get(raw, "stream") : undefined;
  return stream as ServerHttp2Stream | undefined;
}
