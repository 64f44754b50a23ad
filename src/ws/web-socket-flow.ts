import { isUtf8 } from "node:buffer";
import { WebSocket } from "ws";
import { TokenBucket, type Clock, type Logger, type Timer } from "../core/index.ts";
import type { Flow, FlowReceiver } from "../sip/index.ts";
import type { WebSocketCounters, WebSocketLimits } from "./web-socket-limits.ts";

/** What all connections of one endpoint share. */
export interface FlowSurroundings {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: Required<WebSocketLimits>;
  readonly pingSeconds: number;
  readonly signIn: SignInDeadline | undefined;
  readonly receiver: FlowReceiver;
  readonly counters: WebSocketCounters;
}

/** Connections are for those who sign in: the others must not fill the limits. */
export interface SignInDeadline {
  /** Looked at with each ping from this age on, in seconds. */
  readonly withinSeconds: number;
  /** Whether the connection may stay. */
  readonly done: (flow: Flow) => boolean;
}

/** What the endpoint gives one connection. */
export interface FlowNames {
  readonly id: string;
  readonly protocol: "WS" | "WSS";
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly local: { readonly address: string; readonly port: number };
  readonly sentBy: string;
}

/** Missed answers to pings after which a connection counts as dead. */
const maxMissedPongs = 2;

const doubleCrlf = Buffer.from("\r\n\r\n");

/** WebSocket close codes (RFC 6455 7.4.1). */
export const closeCodes = {
  goingAway: 1001,
  policyViolation: 1008,
  serviceRestart: 1012,
  tryAgainLater: 1013,
} as const;

/** One WebSocket connection as a flow (RFC 7118): one SIP message is one frame. */
export class WebSocketFlow implements Flow {
  readonly side = "browser";
  readonly reliable = true;
  readonly id: string;
  readonly protocol: "WS" | "WSS";
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly local: { readonly address: string; readonly port: number };
  readonly sentBy: string;
  readonly #socket: WebSocket;
  readonly #shared: FlowSurroundings;
  readonly #bucket: TokenBucket;
  readonly #openedAt: number;
  #pingTimer: Timer | undefined;
  #missedPongs = 0;
  #closed = false;

  constructor(socket: WebSocket, names: FlowNames, shared: FlowSurroundings) {
    this.id = names.id;
    this.protocol = names.protocol;
    this.remoteAddress = names.remoteAddress;
    this.remotePort = names.remotePort;
    this.local = names.local;
    this.sentBy = names.sentBy;
    this.#socket = socket;
    this.#shared = shared;
    this.#openedAt = shared.clock.now();
    const { messagesPerSecond, messageBurst } = shared.limits;
    this.#bucket = new TokenBucket(messageBurst, messagesPerSecond, shared.clock.now());
    socket.binaryType = "nodebuffer";
    socket.on("message", (data) => this.#onMessage(data));
    socket.on("ping", (data) => this.#onPing(data));
    socket.on("pong", () => {
      this.#missedPongs = 0;
      shared.counters.pongs++;
    });
    socket.on("error", (error) => this.#onError(error));
    socket.once("close", (code) => this.#onClose(code));
    this.#schedulePing();
  }

  get open(): boolean {
    return !this.#closed && this.#socket.readyState === WebSocket.OPEN;
  }

  send(message: Buffer, onError?: (error: Error) => void): void {
    const { counters, limits } = this.#shared;
    const fail = (error: Error): void => {
      counters.sendErrors++;
      // Later, so that the caller has returned from what it was doing before it is called back.
      if (onError) queueMicrotask(() => onError(error));
    };
    if (!this.open) {
      fail(new Error(`flow ${this.id} is closed`));
      return;
    }
    if (this.#socket.bufferedAmount + message.length > limits.maxBufferedBytes) {
      counters.closedForBackpressure++;
      this.#shared.log.warn({ flow: this.id, bytes: this.#socket.bufferedAmount }, "flow reads too slowly");
      this.#socket.terminate();
      fail(new Error(`flow ${this.id} reads too slowly`));
      return;
    }
    counters.messagesSent++;
    // A text frame with bad UTF-8 makes a browser drop the connection (RFC 6455 8.1).
    this.#socket.send(message, { binary: !isUtf8(message) }, (error) => {
      if (error) fail(error);
    });
  }

  /** Says goodbye; the connection is gone when the peer answers or `terminate` is called. */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** Cuts the connection. */
  terminate(): void {
    this.#socket.terminate();
  }

  #schedulePing(): void {
    this.#pingTimer = this.#shared.clock.setTimer(this.#shared.pingSeconds * 1000, () => {
      if (this.#missedPongs >= maxMissedPongs) {
        this.#shared.counters.closedForSilence++;
        this.#shared.log.info({ flow: this.id }, "flow is dead: no answer to pings");
        this.#socket.terminate();
        return;
      }
      if (this.#overdue()) {
        this.#shared.counters.closedForNoSignIn++;
        this.close(closeCodes.policyViolation, "nobody signed in");
      }
      this.#missedPongs++;
      if (this.open) this.#socket.ping();
      this.#schedulePing();
    });
  }

  #overdue(): boolean {
    const { signIn, clock } = this.#shared;
    if (!signIn || clock.now() - this.#openedAt < signIn.withinSeconds * 1000) return false;
    return !signIn.done(this);
  }

  #onMessage(data: Buffer | ArrayBuffer | Buffer[]): void {
    const { counters, receiver, log } = this.#shared;
    // After a close was sent nothing more is taken: what came before it may still be on its way.
    if (!this.open || !Buffer.isBuffer(data)) return;
    this.#missedPongs = 0;
    if (!this.#withinRate()) return;
    if (isKeepAlive(data)) {
      counters.keepAlives++;
      // RFC 5626 3.5.1: the ping is a double CRLF, the pong a single one; anything less wants no answer.
      if (data.includes(doubleCrlf)) this.#socket.send("\r\n");
      return;
    }
    counters.messagesReceived++;
    try {
      receiver.receive(this, data, "frame");
    } catch (error) {
      counters.receiverErrors++;
      log.error({ err: error, flow: this.id }, "receiver threw");
    }
  }

  /** A client that pings and never reads would make the answers pile up here. */
  #onPing(data: Buffer): void {
    if (!this.open) return;
    this.#missedPongs = 0;
    if (this.#withinRate()) this.#socket.pong(data);
  }

  /** Takes one of the messages that the client may send now; closes the connection when there is none left. */
  #withinRate(): boolean {
    const { clock, counters, log } = this.#shared;
    if (this.#bucket.take(clock.now())) return true;
    counters.closedForRate++;
    log.warn({ flow: this.id, remoteAddress: this.remoteAddress }, "flow sends too many messages");
    this.#socket.close(closeCodes.policyViolation, "too many messages");
    return false;
  }

  #onError(error: Error): void {
    // `ws` has closed with the fitting code by itself: 1002, 1007 (not UTF-8), 1008 (fragments) or 1009 (size).
    this.#shared.counters.protocolErrors++;
    this.#shared.log.info({ err: error, flow: this.id }, "flow failed");
  }

  #onClose(code: number): void {
    this.#closed = true;
    this.#pingTimer?.clear();
    this.#shared.counters.closed++;
    this.#shared.log.debug({ flow: this.id, code }, "flow closed");
    try {
      this.#shared.receiver.flowClosed(this);
    } catch (error) {
      this.#shared.counters.receiverErrors++;
      this.#shared.log.error({ err: error, flow: this.id }, "receiver threw");
    }
  }
}

/** Empty, or nothing but CR and LF: keep-alive, never a message (RFC 3261 7.5). */
function isKeepAlive(data: Buffer): boolean {
  return data.every((byte) => byte === 0x0d || byte === 0x0a);
}
