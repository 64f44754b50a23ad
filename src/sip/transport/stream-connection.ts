import type { Socket } from "node:net";
import type { Logger, Timer } from "../../core/index.ts";
import type { OnSendError } from "./send-queue.ts";
import { StreamFramer } from "./stream-framer.ts";
import type { StreamContext } from "./stream-options.ts";

/** What a connection tells its flow. */
export interface ConnectionHandlers {
  onMessage(bytes: Buffer): void;
  /** Over, whoever ended it. Told once. */
  onClosed(reason: string): void;
}

const ping = Buffer.from("\r\n\r\n");
const pong = Buffer.from("\r\n");
/** The system looks after a connection that lies idle: first probe after so long, ms. */
const systemProbeMs = 15_000;

/**
 * One TCP or TLS connection that stands: messages in and out, pings answered and sent, and the ways to find out that
 * nobody is there any more. The far end need not know RFC 5626: silence after a ping counts only once a ping of ours
 * has been answered, else what counts is silence after a request.
 */
export class StreamConnection {
  readonly #socket: Socket;
  readonly #context: StreamContext;
  readonly #handlers: ConnectionHandlers;
  readonly #log: Logger;
  readonly #framer: StreamFramer;
  #open = true;
  /** Any byte has come. */
  #heard = false;
  /** A line end that was not the first half of a ping came with the last bytes. */
  #loneLineEnd = false;
  #answersPings = false;
  #pingTimer: Timer | undefined;
  #pongTimer: Timer | undefined;
  #silenceTimer: Timer | undefined;
  #messageTimer: Timer | undefined;

  /** `pings`: we keep it alive, because we opened it. */
  constructor(socket: Socket, context: StreamContext, handlers: ConnectionHandlers, pings: boolean) {
    this.#socket = socket;
    this.#context = context;
    this.#handlers = handlers;
    this.#log = context.log.child({ remote: `${socket.remoteAddress}:${socket.remotePort}` });
    this.#framer = new StreamFramer({
      onMessage: (bytes) => this.#receive(bytes),
      onPing: () => {
        this.#loneLineEnd = false;
        this.#context.counters.pingsAnswered++;
        this.#write(pong);
      },
      onPong: () => {
        this.#loneLineEnd = true;
      },
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, systemProbeMs);
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.close(error.message));
    socket.on("close", () => this.close("closed by the far end"));
    if (pings && context.pingSeconds > 0) this.#planPing();
  }

  get heard(): boolean {
    return this.#heard;
  }

  /** `onError` when it surely did not leave; what the system took is not known to arrive. */
  send(message: Buffer, onError?: OnSendError): void {
    if (!this.#open) return onError?.(new Error("connection closed"));
    if (!message.subarray(0, 4).equals(ack) && !message.subarray(0, 4).equals(response))
      this.#expectSomething();
    this.#write(message, (error) => {
      if (error) onError?.(error);
      else this.#context.counters.messagesSent++;
    });
  }

  /** Idempotent; `onClosed` follows at once. */
  close(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#framer.stop();
    for (const timer of [this.#pingTimer, this.#pongTimer, this.#silenceTimer, this.#messageTimer])
      timer?.clear();
    this.#context.counters.lost++;
    this.#socket.destroy();
    this.#handlers.onClosed(reason);
  }

  #write(bytes: Buffer, done?: (error?: Error | null) => void): void {
    const { limits, counters } = this.#context;
    if (this.#socket.writableLength > limits.bufferedBytes) {
      counters.closedForBackpressure++;
      done?.(new Error("far end does not read"));
      return this.close("far end does not read");
    }
    this.#socket.write(bytes, done);
  }

  #read(chunk: Buffer): void {
    this.#heard = true;
    this.#silenceTimer?.clear();
    this.#silenceTimer = undefined;
    this.#loneLineEnd = false;
    const fault = this.#framer.push(chunk);
    if (this.#pongTimer && this.#loneLineEnd) this.#answersPings = true;
    this.#pongTimer?.clear();
    this.#pongTimer = undefined;
    if (fault !== undefined) {
      this.#context.counters.framingErrors++;
      this.#log.warn({ fault }, "SIP stream cannot be followed");
      return this.close(fault);
    }
    this.#watchMessage();
  }

  /** A message that has begun has to become whole in its time, however its bytes are spread over it. */
  #watchMessage(): void {
    if (!this.#open || !this.#framer.partial) {
      this.#messageTimer?.clear();
      this.#messageTimer = undefined;
    } else {
      this.#messageTimer ??= this.#context.clock.setTimer(this.#context.limits.messageMs, () => {
        this.#context.counters.framingErrors++;
        this.#log.warn({}, "SIP message never became whole");
        this.close("message never became whole");
      });
    }
  }

  #receive(bytes: Buffer): void {
    const { counters } = this.#context;
    counters.messagesReceived++;
    // The next one that is only partly there has its own time.
    this.#messageTimer?.clear();
    this.#messageTimer = undefined;
    try {
      this.#handlers.onMessage(bytes);
    } catch (error) {
      counters.receiverErrors++;
      this.#log.error({ err: error }, "receiver of SIP messages threw");
    }
  }

  #expectSomething(): void {
    this.#silenceTimer ??= this.#context.clock.setTimer(this.#context.limits.silenceMs, () =>
      this.#closeForSilence("request"),
    );
  }

  /** At 80 to 100 % of the interval (RFC 5626 4.4.1). */
  #planPing(): void {
    const { clock, random, pingSeconds, limits, counters } = this.#context;
    this.#pingTimer = clock.setTimer(pingSeconds * (800 + 200 * random.fraction()), () => {
      this.#planPing();
      counters.pingsSent++;
      this.#write(ping);
      if (!this.#open) return;
      this.#pongTimer?.clear();
      this.#pongTimer = clock.setTimer(limits.pongMs, () => {
        this.#pongTimer = undefined;
        if (this.#answersPings) this.#closeForSilence("ping");
      });
    });
  }

  #closeForSilence(after: string): void {
    this.#context.counters.closedForSilence++;
    this.#log.warn({ after }, "nothing comes from SIP Server any more");
    this.close(`nothing came after a ${after}`);
  }
}

const ack = Buffer.from("ACK ");
const response = Buffer.from("SIP/");
