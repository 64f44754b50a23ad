import type { Clock } from "../../core/index.ts";
import type { Flow, MessageObserver, SipMessage } from "../../sip/index.ts";
import { cutMessage, type CallTrace, type CallTracer } from "../../trace/index.ts";
import { encodeHep, longestPacket, type HepEnd } from "./packet.ts";

export interface HepExportParts {
  readonly clock: Clock;
  readonly sender: { send(packet: Buffer): void };
  readonly captureId: number;
  readonly password: string | undefined;
  /** Keys pressed are shown. */
  readonly showDigits: boolean;
}

/** Dialogs whose call is remembered; the longest unused goes first. */
const dialogsKept = 20_000;
/** How far time by the monotonic clock may be from the wall clock, ms, before it is set anew. */
const clockSlackMs = 5;

/**
 * Every SIP message of both sides as a HEP3 packet, secrets cut as in the ladders. All messages of a call have the
 * Call-ID of its first dialog as correlation id, those outside of calls their own.
 */
export class HepExport implements MessageObserver, CallTracer {
  readonly #parts: HepExportParts;
  readonly #firstCallIds = new Map<string, string>();
  #wallAtZero = Number.NaN;

  constructor(parts: HepExportParts) {
    this.#parts = parts;
  }

  begin(): CallTrace {
    let first: string | undefined;
    const nothing = (): void => {};
    return {
      dialog: (_side, callId) => {
        if (callId !== "") this.#remember(callId, (first ??= callId));
      },
      note: nothing,
      quality: nothing,
      counters: nothing,
      digits: (digits) => digits,
      ended: nothing,
    };
  }

  received(message: SipMessage, bytes: Buffer, flow: Flow): void {
    this.#send(message.callId, bytes, flow, remoteOf(flow), localOf(flow));
  }

  sent(callId: string, bytes: Buffer, flow: Flow): void {
    this.#send(callId, bytes, flow, localOf(flow), remoteOf(flow));
  }

  givenUp(): void {}

  #send(callId: string, bytes: Buffer, { protocol }: Flow, from: HepEnd, to: HepEnd): void {
    const { captureId, password, showDigits, sender } = this.#parts;
    // One character per byte, no more of it than a packet takes.
    const wire = bytes.toString("latin1", 0, Math.min(bytes.length, longestPacket));
    sender.send(
      encodeHep({
        from,
        to,
        transport: protocol === "UDP" ? "udp" : "tcp",
        atMicroseconds: this.#microseconds(),
        captureId,
        password,
        correlationId: (this.#correlationOf(callId) ?? callId).slice(0, 256),
        payload: Buffer.from(cutMessage(wire, showDigits)),
      }),
    );
  }

  #correlationOf(callId: string): string | undefined {
    const first = this.#firstCallIds.get(callId);
    if (first !== undefined) this.#remember(callId, first);
    return first;
  }

  #remember(callId: string, first: string): void {
    this.#firstCallIds.delete(callId);
    this.#firstCallIds.set(callId, first);
    if (this.#firstCallIds.size <= dialogsKept) return;
    const oldest = this.#firstCallIds.keys().next();
    if (!oldest.done) this.#firstCallIds.delete(oldest.value);
  }

  /** The wall clock counts milliseconds: what is between them comes from the monotonic one. */
  #microseconds(): number {
    const { clock } = this.#parts;
    const now = clock.now();
    const wall = clock.wallClock();
    if (!(Math.abs(this.#wallAtZero + now - wall) <= clockSlackMs)) this.#wallAtZero = wall - now;
    return Math.round((this.#wallAtZero + now) * 1000);
  }
}

function remoteOf({ remoteAddress, remotePort }: Flow): HepEnd {
  return { address: remoteAddress, port: remotePort };
}

/** Our end of the socket; where that is any address or not known, the one that stands in Via. */
function localOf({ local, sentBy }: Flow): HepEnd {
  if (local) return local;
  const [, address = "0.0.0.0", port = "0"] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(sentBy) ?? [];
  return { address, port: Number(port) };
}
