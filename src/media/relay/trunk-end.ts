import type { Clock } from "../../core/index.ts";
import type { PacketTap } from "../capture/tap.ts";
import type { TrunkRemote } from "../contract.ts";
import { srtpFailureName, type SrtpFailureName } from "../srtp/index.ts";
import { TrunkGate } from "./trunk-gate.ts";
import { TrunkCipher } from "./trunk-srtp.ts";
import type { TrunkSocket } from "./trunk-socket.ts";

/** What the trunk's end tells the session. */
export interface TrunkEndHandlers {
  /** From SIP Server; the memory is the receiver's until the call returns. */
  onRtp(packet: Buffer, length: number, now: number): void;
  onRtcp(packet: Buffer, length: number): void;
  /** A datagram was neither taken nor sent. */
  onDropped(cause: Dropped): void;
}

type Dropped = "stranger" | "sendQueueFull" | SrtpFailureName;

/** SIP Server's end of a session: the pair of sockets, whose packets they take, where ours go, SRTP where agreed. */
export class TrunkEnd {
  /** Sees all packets of this side while a capture runs. */
  tap: PacketTap | undefined = undefined;
  readonly #socket: TrunkSocket;
  readonly #gate: TrunkGate;
  readonly #handlers: TrunkEndHandlers;
  /** Undefined: plain RTP. */
  #cipher: TrunkCipher | undefined;

  constructor(socket: TrunkSocket, source: "address" | "strict", clock: Clock, handlers: TrunkEndHandlers) {
    this.#socket = socket;
    this.#gate = new TrunkGate(source);
    this.#handlers = handlers;
    socket.onRtp = (packet, length, address, port) => {
      const now = clock.now();
      if (!this.#gate.admitsRtp(address, port, now)) return handlers.onDropped("stranger");
      const plain = this.#cipher === undefined ? length : this.#cipher.open(packet, length, false);
      if (plain < 0) return handlers.onDropped(srtpFailureName(plain));
      if (this.tap !== undefined) this.tap.rtp(false, packet, plain, address, port);
      handlers.onRtp(packet, plain, now);
    };
    socket.onRtcp = (packet, length, address, port) => {
      if (!this.#gate.admitsRtcp(address, port)) return handlers.onDropped("stranger");
      const plain = this.#cipher === undefined ? length : this.#cipher.open(packet, length, true);
      if (plain < 0) return handlers.onDropped(srtpFailureName(plain));
      if (this.tap !== undefined) this.tap.rtcp(false, packet, plain, address, port);
      handlers.onRtcp(packet, plain);
    };
  }

  /** Whether there is an address to send to. */
  get reachable(): boolean {
    return this.#gate.reachable;
  }

  setRemote(remote: TrunkRemote): void {
    this.#gate.setRemote(remote);
    if (!remote.srtp) this.#cipher = undefined;
    else if (this.#cipher) this.#cipher.renew(remote.srtp);
    else this.#cipher = new TrunkCipher(remote.srtp);
  }

  sendRtp(packet: Buffer, length: number): boolean {
    const { remote } = this.#gate;
    const fault = remote ? this.#emitRtp(packet, length, remote) : "sendQueueFull";
    if (fault !== undefined) this.#handlers.onDropped(fault);
    else if (remote && this.tap !== undefined)
      this.tap.rtp(true, packet, length, remote.address, remote.port);
    return fault === undefined;
  }

  #emitRtp(packet: Buffer, length: number, { port, address }: TrunkRemote): Dropped | undefined {
    const cipher = this.#cipher;
    if (cipher === undefined)
      return this.#socket.sendRtp(packet, length, port, address) ? undefined : "sendQueueFull";
    const sealed = cipher.seal(packet, length, false);
    if (sealed < 0) return srtpFailureName(sealed);
    if (!this.#socket.sendRtp(cipher.sealed, sealed, port, address)) return "sendQueueFull";
    cipher.sent();
    return undefined;
  }

  #emitRtcp(packet: Buffer, length: number, port: number, address: string): boolean {
    const cipher = this.#cipher;
    if (cipher === undefined) return this.#socket.sendRtcp(packet, length, port, address);
    const sealed = cipher.seal(packet, length, true);
    if (sealed < 0 || !this.#socket.sendRtcp(cipher.sealed, sealed, port, address)) return false;
    cipher.sent();
    return true;
  }

  sendRtcp(packet: Buffer, length: number): void {
    const { remote } = this.#gate;
    if (!remote || !this.reachable) return;
    const { address, port } = remote.rtcp ?? { address: remote.address, port: remote.port + 1 };
    if (port <= 0 || port > 0xffff || !this.#emitRtcp(packet, length, port, address)) return;
    if (this.tap !== undefined) this.tap.rtcp(true, packet, length, address, port);
  }

  /** Resolves when the ports are free. */
  close(): Promise<void> {
    return this.#socket.close();
  }
}
