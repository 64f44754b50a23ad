import type { Socket } from "node:net";
import { StateMachine, type Logger, type Timer, type Transitions } from "../../core/index.ts";
import type { Flow } from "./flow.ts";
import { SendQueue, type OnSendError } from "./send-queue.ts";
import { StreamConnection } from "./stream-connection.ts";
import type { StreamContext } from "./stream-options.ts";

/** `idle`: no connection and none wanted. `waiting`: the pause before the next attempt. */
export type ServerFlowState = "idle" | "connecting" | "open" | "waiting" | "closed";
type Input = "demand" | "connected" | "failed" | "lost" | "rest" | "retry" | "close";

/** RFC 3261 18 says when there is a connection, RFC 5626 4.5 that attempts are spaced out. */
export const serverFlowTable: Transitions<ServerFlowState, Input> = {
  idle: { demand: "connecting", close: "closed" },
  connecting: { connected: "open", failed: "waiting", close: "closed" },
  open: { lost: "waiting", rest: "idle", close: "closed" },
  waiting: { retry: "connecting", rest: "idle", close: "closed" },
  closed: {},
};

/** Opens one connection; exactly one of the two is called, at once or later, unless `abort` was called before. */
export type Connect = (
  onConnected: (socket: Socket) => void,
  onFailed: (error: Error) => void,
) => { abort(): void };

export interface ServerFlowParts {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly connect: Connect;
  readonly context: StreamContext;
  readonly flowTo: (address: string, port: number) => Flow;
  /** It has, or wants, a connection from now on, or no more. */
  readonly onActive: (flow: ServerFlow, active: boolean) => void;
}

/**
 * One SIP Server over TCP or TLS: the same flow for the life of the process, whatever connection it has at the moment,
 * so that dialogs and registrations outlive a lost one. What is sent meanwhile waits, bounded; requests that went with
 * the lost connection go out again. `open` is false only after `close`.
 */
export class ServerFlow implements Flow {
  readonly id: string;
  readonly side = "trunk";
  readonly reliable = true;
  readonly protocol: "TCP" | "TLS";
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly sentBy: string;
  readonly #parts: ServerFlowParts;
  readonly #context: StreamContext;
  readonly #log: Logger;
  readonly #machine: StateMachine<ServerFlowState, Input>;
  readonly #queue: SendQueue;
  #kept = false;
  #attempt: { abort(): void } | undefined;
  #connection: StreamConnection | undefined;
  #timer: Timer | undefined;
  #idleTimer: Timer | undefined;
  /** Attempts and short-lived connections since the far end last said anything. */
  #failures = 0;
  /** What the last attempt, or the last connection, ended with. */
  #fault: string | undefined;

  constructor(parts: ServerFlowParts) {
    const { context } = parts;
    this.id = parts.id;
    this.protocol = context.protocol;
    this.remoteAddress = parts.address;
    this.remotePort = parts.port;
    this.sentBy = context.sentBy;
    this.#parts = parts;
    this.#context = context;
    this.#log = context.log.child({ server: `${parts.address}:${parts.port}`, transport: context.protocol });
    this.#machine = new StateMachine(serverFlowTable, "idle");
    this.#queue = new SendQueue(context.limits.queue, context.clock, () => this.#fault);
  }

  get open(): boolean {
    return this.#machine.state !== "closed";
  }

  get state(): ServerFlowState {
    return this.#machine.state;
  }

  send(message: Buffer, onError?: OnSendError): void {
    if (!this.open) return onError?.(new Error("transport closed"));
    this.#restartIdleTimer();
    if (this.#connection) return this.#sendNow(this.#connection, message, onError);
    this.#queue.add(message, onError);
    if (this.#machine.state === "idle") this.#begin("demand");
  }

  toPort(port: number): Flow {
    return port === this.remotePort ? this : this.#parts.flowTo(this.remoteAddress, port);
  }

  /** It is a configured server's: its connection is kept up once it was asked for, until `release`. */
  keep(): void {
    this.#kept = true;
    this.#idleTimer?.clear();
  }

  release(): void {
    this.#kept = false;
    this.#restartIdleTimer();
  }

  /** For good: what waits fails. Idempotent. */
  close(reason: string): void {
    if (!this.open) return;
    this.#machine.apply("close");
    this.#timer?.clear();
    this.#idleTimer?.clear();
    this.#attempt?.abort();
    this.#drop(reason);
    this.#parts.onActive(this, false);
    this.#queue.fail(new Error(reason));
    this.#context.receiver.flowClosed(this);
  }

  #begin(input: "demand" | "retry"): void {
    this.#machine.apply(input);
    this.#timer?.clear();
    this.#parts.onActive(this, true);
    this.#attempt = this.#parts.connect(
      (socket) => this.#connected(socket),
      (error) => this.#failed(error),
    );
  }

  #connected(socket: Socket): void {
    this.#attempt = undefined;
    this.#machine.apply("connected");
    this.#context.counters.connected++;
    this.#log.info({}, "connected to SIP Server");
    const handlers = {
      onMessage: (bytes: Buffer): void => {
        this.#failures = 0;
        this.#fault = undefined;
        this.#restartIdleTimer();
        this.#context.receiver.receive(this, bytes, "frame");
      },
      onClosed: (reason: string): void => this.#lost(reason),
    };
    const connection = new StreamConnection(socket, this.#context, handlers, true);
    this.#connection = connection;
    this.#restartIdleTimer();
    this.#queue.drain((message, onError) => this.#sendNow(connection, message, onError));
  }

  #failed(error: Error): void {
    this.#attempt = undefined;
    this.#fault = error.message;
    this.#context.counters.connectErrors++;
    if (this.#failures === 0) this.#log.warn({ err: error }, "no connection to SIP Server");
    else this.#log.debug({ err: error, failures: this.#failures }, "no connection to SIP Server");
    this.#machine.apply("failed");
    this.#pause();
  }

  #lost(reason: string): void {
    if (!this.#connection) return;
    this.#connection = undefined;
    this.#fault = reason;
    this.#idleTimer?.clear();
    this.#log.warn({ reason }, "connection to SIP Server lost");
    this.#machine.apply("lost");
    // First of all, so that what was under way is what makes a connection wanted.
    this.#context.receiver.flowInterrupted?.(this);
    this.#pause();
  }

  /** The next attempt, or rest where nobody needs one. */
  #pause(): void {
    if (!this.#kept && this.#queue.size === 0) return this.#rest();
    const [first, longest] = this.#context.limits.retryMs;
    const pause = Math.min(first * 2 ** Math.min(this.#failures, 16), longest);
    this.#failures++;
    // Half to one and a half of it: gateways that lost one server do not come back in step.
    this.#timer = this.#context.clock.setTimer(pause * (0.5 + this.#context.random.fraction()), () => {
      if (this.#kept || this.#queue.size > 0) this.#begin("retry");
      else this.#rest();
    });
  }

  #rest(): void {
    this.#machine.apply("rest");
    this.#failures = 0;
    this.#parts.onActive(this, false);
  }

  /** What could not leave goes with the next connection: the transaction has not failed yet. */
  #sendNow(connection: StreamConnection, message: Buffer, onError: OnSendError | undefined): void {
    connection.send(message, (error) => {
      if (!this.open) return onError?.(error);
      if (this.#connection && this.#connection !== connection)
        return this.#sendNow(this.#connection, message, onError);
      this.#queue.add(message, onError);
      if (this.#machine.state === "idle") this.#begin("demand");
    });
  }

  /** Whom nobody configured is not kept up: a Contact that named another port once, a Via of a lost connection. */
  #restartIdleTimer(): void {
    if (this.#kept || !this.#connection) return;
    this.#idleTimer?.clear();
    this.#idleTimer = this.#context.clock.setTimer(this.#context.limits.idleMs, () => {
      this.#rest();
      this.#drop("idle");
    });
  }

  /** Closes the connection as a thing of ours: nothing is under way, nothing is tried again. */
  #drop(reason: string): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close(reason);
  }
}
