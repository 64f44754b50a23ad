import type { TrunkRemote } from "../contract.ts";

/** Another port than the signalled one may take over once the present one has been silent so long, ms. */
const takeOverMs = 500;

/** Whether nothing may be sent there: the old way to hold (RFC 3264 8.4), or a refused stream. */
function isHeldAddress(remote: Pick<TrunkRemote, "address" | "port">): boolean {
  return remote.port === 0 || remote.address === "0.0.0.0";
}

/**
 * Decides which datagrams on a session's trunk ports are SIP Server's: only those from the signalled address,
 * from its exact port (`strict`) or from one port at a time (`address`: some media servers send from another
 * port than they receive on).
 */
export class TrunkGate {
  readonly #strict: boolean;
  #remote: TrunkRemote | undefined;
  #latchedPort = 0;
  #latchedAt = 0;

  constructor(source: "address" | "strict") {
    this.#strict = source === "strict";
  }

  get remote(): TrunkRemote | undefined {
    return this.#remote;
  }

  /** Whether there is an address to send to. */
  get reachable(): boolean {
    return this.#remote !== undefined && !isHeldAddress(this.#remote);
  }

  setRemote(remote: TrunkRemote): void {
    const former = this.#remote;
    this.#remote = remote;
    if (former?.address !== remote.address || former.port !== remote.port) this.#latchedPort = 0;
  }

  admitsRtp(address: string, port: number, now: number): boolean {
    const remote = this.#remote;
    if (!remote || address !== remote.address || isHeldAddress(remote)) return false;
    if (this.#strict) return port === remote.port;
    if (port !== this.#latchedPort) {
      // The signalled port is right whenever it speaks: the other may be a call that ended without its sender knowing.
      const silent = this.#latchedPort === 0 || now - this.#latchedAt >= takeOverMs;
      if (!silent && port !== remote.port) return false;
      this.#latchedPort = port;
    }
    this.#latchedAt = now;
    return true;
  }

  admitsRtcp(address: string, port: number): boolean {
    const remote = this.#remote;
    if (!remote) return false;
    const expected = remote.rtcp ?? { address: remote.address, port: remote.port + 1 };
    if (address !== expected.address && address !== remote.address) return false;
    return !this.#strict || port === expected.port;
  }
}
