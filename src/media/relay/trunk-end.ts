import type { Clock } from "../../core/index.ts";
import type { PacketTap } from "../capture/tap.ts";
import type { TrunkRemote } from "../contract.ts";
import { TrunkGate } from "./trunk-gate.ts";
import type { TrunkSocket } from "./trunk-socket.ts";

/** What the trunk's end tells the session. */
export interface TrunkEndHandlers {
  /** From SIP Server; the memory is the receiver's until the call returns. */
  onRtp(packet: Buffer, length: number, now: number): void;
  onRtcp(packet: Buffer, length: number): void;
  /** A datagram was neither taken nor sent. */
  onDropped(cause: "stranger" | "sendQueueFull"): void;
}

/** SIP Server's end of a session: the pair of sockets, whose packets they take, where ours go. */
export class TrunkEnd {
  /** Sees all packets of this side while a capture runs. */
  tap: PacketTap | undefined = undefined;
  readonly #socket: TrunkSocket;
  readonly #gate: TrunkGate;
  readonly #handlers: TrunkEndHandlers;

  constructor(socket: TrunkSocket, source: "address" | "strict", clock: Clock, handlers: TrunkEndHandlers) {
    this.#socket = socket;
    this.#gate = new TrunkGate(source);
    this.#handlers = handlers;
    socket.onRtp = (packet, length, address, port) => {
      const now = clock.now();
      if (!this.#gate.admitsRtp(address, port, now)) return handlers.onDropped("stranger");
      if (this.tap !== undefined) this.tap.rtp(false, packet, length, address, port);
      handlers.onRtp(packet, length, now);
    };
    socket.onRtcp = (packet, length, address, port) => {
      if (!this.#gate.admitsRtcp(address, port)) return handlers.onDropped("stranger");
      if (this.tap !== undefined) this.tap.rtcp(false, packet, length, address, port);
      handlers.onRtcp(packet, length);
    };
  }

  /** Whether there is an address to send to. */
  get reachable(): boolean {
    return this.#gate.reachable;
  }

  setRemote(remote: TrunkRemote): void {
    this.#gate.setRemote(remote);
  }

  sendRtp(packet: Buffer, length: number): boolean {
    const { remote } = this.#gate;
    if (remote && this.#socket.sendRtp(packet, length, remote.port, remote.address)) {
      if (this.tap !== undefined) this.tap.rtp(true, packet, length, remote.address, remote.port);
      return true;
    }
    this.#handlers.onDropped("sendQueueFull");
    return false;
  }

  sendRtcp(packet: Buffer, length: number): void {
    const { remote } = this.#gate;
    if (!remote || !this.reachable) return;
    const { address, port } = remote.rtcp ?? { address: remote.address, port: remote.port + 1 };
    if (port <= 0 || port > 0xffff || !this.#socket.sendRtcp(packet, length, port, address)) return;
    if (this.tap !== undefined) this.tap.rtcp(true, packet, length, address, port);
  }

  /** Resolves when the ports are free. */
  close(): Promise<void> {
    return this.#socket.close();
  }
}
