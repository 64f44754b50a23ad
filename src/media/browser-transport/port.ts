import { TokenBucket } from "../../core/index.ts";
import { Counters } from "../counters.ts";
import { decodeStun, localUfragOf } from "../ice/index.ts";
import { AddressTable } from "./address-table.ts";
import {
  BrowserPortFullError,
  type BrowserPort,
  type BrowserPortOptions,
  type BrowserTransport,
  type BrowserTransportHandlers,
} from "./contract.ts";
import { SendSlots, Transport, type PortContext } from "./transport.ts";

const defaultMaxHalfOpen = 1000;
/** STUN errors are for a browser with a fault, not for a flood: at most so many at once and per second. */
const stunErrorBurst = 20;
const stunErrorsPerSecond = 10;

/**
 * The shared port of one worker: tells STUN, DTLS, SRTP and SRTCP apart (RFC 7983, RFC 5761 4) and browsers from one
 * another: a check by its ICE username fragment, all else by the remote address a valid check came from.
 */
class Port implements BrowserPort {
  readonly #options: BrowserPortOptions;
  readonly #byUfrag = new Map<string, Transport>();
  readonly #addresses = new AddressTable<Transport>();
  readonly #open = new Set<Transport>();
  readonly #counters = new Counters();
  readonly #stunErrors: TokenBucket;
  readonly #context: PortContext;
  #closed = false;

  constructor(options: BrowserPortOptions) {
    this.#options = options;
    this.#stunErrors = new TokenBucket(stunErrorBurst, stunErrorsPerSecond, options.clock.now());
    this.#context = {
      ...options,
      addresses: this.#addresses,
      slots: new SendSlots(),
      count: (cause) => this.#counters.add(cause),
      onClosed: (owner) => this.#open.delete(owner),
      ufrags: (owner) => ({
        enter: (ufrag) => {
          if (this.#byUfrag.has(ufrag)) return false;
          this.#byUfrag.set(ufrag, owner);
          return true;
        },
        leave: (ufrag) => this.#byUfrag.delete(ufrag),
      }),
    };
    options.socket.onMessage = (packet, address, port) => {
      try {
        this.#receive(packet, address, port);
      } catch (error) {
        // Logged once: a packet that finds a fault of ours can be sent again and again.
        if (this.refused.internalError === undefined) options.log.error({ err: error }, "browser port fault");
        this.#counters.add("internalError");
      }
    };
  }

  get port(): number {
    return this.#options.socket.port;
  }

  get receiveBufferBytes(): number {
    return this.#options.socket.receiveBufferBytes;
  }

  get fingerprint(): BrowserPort["fingerprint"] {
    return this.#options.certificate.fingerprint;
  }

  get transports(): number {
    return this.#open.size;
  }

  get refused(): Readonly<Record<string, number>> {
    return this.#counters.all;
  }

  open(handlers: BrowserTransportHandlers): BrowserTransport {
    if (this.#closed) throw new BrowserPortFullError("the port is closed");
    let halfOpen = 0;
    for (const transport of this.#open) if (transport.halfOpen) halfOpen++;
    if (halfOpen >= (this.#options.maxHalfOpen ?? defaultMaxHalfOpen))
      throw new BrowserPortFullError(`${halfOpen} browsers have not connected yet`);
    const transport = new Transport(this.#context, handlers);
    this.#open.add(transport);
    return transport;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const transport of this.#open) transport.close();
    this.#options.socket.onMessage = undefined;
    await this.#options.socket.close();
  }

  /** RFC 7983 7, figure 3: the first byte says which protocol it is. */
  #receive(packet: Buffer, address: string, port: number): void {
    const { length } = packet;
    const first = packet[0] ?? 255;
    if (first <= 3) return this.#receiveStun(packet, address, port);
    const transport = this.#addresses.find(address, port)?.owner;
    if (transport === undefined) return this.#counters.add("stranger");
    if (first >= 128 && first <= 191) {
      // Packet types 192 to 223 are RTCP's; RTP keeps clear of 64 to 95 with the marker bit (RFC 5761 4).
      const second = packet[1] ?? 0;
      if (second >= 192 && second <= 223) transport.receiveRtcp(packet, length, address, port);
      else transport.receiveRtp(packet, length, address, port);
    } else if (first >= 20 && first <= 63) transport.receiveDtls(packet, length);
    else transport.count("unknownProtocol");
  }

  #receiveStun(packet: Buffer, address: string, port: number): void {
    const message = decodeStun(packet, packet.length);
    if (message === undefined) return this.#counters.add("stunMalformed");
    // Answers are to our own checks: they say nothing that the browser's next check does not say better.
    if (message.class !== "request") return;
    const transport = this.#byUfrag.get(localUfragOf(message) ?? "");
    // Not answered: a call that is over has browsers that ask on for a while.
    if (transport === undefined) return this.#counters.add("stunUnknownUfrag");
    const verdict = transport.ice.check(packet, message, address, port);
    if (verdict.kind === "valid") {
      if (!transport.validate(address, port, verdict.useCandidate))
        return this.#counters.add("stunAddressTaken");
      this.#answer(verdict.response, address, port);
    } else if (verdict.kind === "refused") {
      this.#counters.add(verdict.cause);
      if (verdict.response === undefined) return;
      if (this.#stunErrors.take(this.#options.clock.now())) this.#answer(verdict.response, address, port);
      else this.#counters.add("stunErrorWithheld");
    }
  }

  #answer(response: Buffer, address: string, port: number): void {
    if (!this.#options.socket.send(response, response.length, port, address))
      this.#counters.add("sendQueueFull");
  }
}

/** Serves browsers on a bound socket; the port owns the socket from now on. */
export function createBrowserPort(options: BrowserPortOptions): BrowserPort {
  return new Port(options);
}
