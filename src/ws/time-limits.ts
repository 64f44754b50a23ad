import type { Http2SecureServer, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import type { Clock, Timer } from "../core/index.ts";

/** Time limits of one HTTP server, in ms. */
export interface TimeLimits {
  /** From a request's first byte to its last. */
  readonly requestMs: number;
  /** How long a connection may stay open with nothing to do. */
  readonly idleMs: number;
}

/**
 * Time limits for HTTP/2, which neither fastify's nor Node's `requestTimeout` knows: a request must be whole
 * within `requestMs`, and a session without a stream ends after `idleMs` (the first one after `requestMs`),
 * whatever bytes drip in meanwhile. `onTimeout` is told each time.
 */
export function limitHttp2(
  server: Http2SecureServer,
  limits: TimeLimits,
  clock: Clock,
  onTimeout: () => void,
): void {
  server.on("session", (session) => {
    let streams = 0;
    /** When the session ends unless a stream is open, monotonic ms. */
    let idleEnd = clock.now() + limits.requestMs;
    let idle: Timer;
    // Looked at when the time is over, not set anew by each request: pings come by the hundred a second.
    const look = (): void => {
      const left = streams > 0 ? limits.idleMs : idleEnd - clock.now();
      if (left > 0) {
        idle = clock.setTimer(left, look);
        return;
      }
      onTimeout();
      endSession(session);
    };
    idle = clock.setTimer(limits.requestMs, look);
    session.on("stream", (stream: ServerHttp2Stream) => {
      streams++;
      limitStream(stream, limits.requestMs, clock, onTimeout);
      stream.once("close", () => {
        streams--;
        idleEnd = clock.now() + limits.idleMs;
      });
    });
    session.once("close", () => idle.clear());
  });
}

function limitStream(stream: ServerHttp2Stream, ms: number, clock: Clock, onTimeout: () => void): void {
  if (stream.endAfterHeaders) return;
  const timer = clock.setTimer(ms, () => {
    onTimeout();
    stream.close(constants.NGHTTP2_CANCEL);
  });
  stream.once("end", () => timer.clear());
  stream.once("close", () => timer.clear());
}

/** Says GOAWAY and takes the connection down; a peer that drips bytes would not answer a polite end. */
function endSession(session: ServerHttp2Session): void {
  if (session.destroyed) return;
  session.goaway(constants.NGHTTP2_NO_ERROR);
  session.destroy();
}
