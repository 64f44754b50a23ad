import { createSecretKey, type KeyObject } from "node:crypto";
import type { Random } from "../../core/index.ts";
import { xorMappedAddress } from "./address.ts";
import {
  bindingMethod,
  bindingRequest,
  encodeStun,
  integrityIsRight,
  stunAttributes,
  type StunAttribute,
  type StunMessage,
} from "./stun.ts";

const bindingSuccess = 0x0101;
/** RFC 8445 5.1.2.1: type preference 110, the only address and component. */
const peerReflexivePriority = Buffer.from([110, 0xff, 0xff, 0xff]);
const bindingError = 0x0111;

export interface IceCredentials {
  readonly iceUfrag: string;
  readonly icePwd: string;
}

/** Why a STUN message changed nothing. */
export type IceRefusal =
  | "stunNoIntegrity"
  | "stunIntegrity"
  | "stunUsername"
  | "stunUnknownAttribute"
  | "stunRoleConflict"
  | "stunUnexpected";

/** What became of a STUN message. `response` is to be sent to where the message came from. */
export type IceVerdict =
  | { readonly kind: "valid"; readonly response: Buffer; readonly useCandidate: boolean }
  | { readonly kind: "refused"; readonly cause: IceRefusal; readonly response: Buffer | undefined }
  /** A Binding indication: asks for nothing, proves nothing (RFC 8445 11). */
  | { readonly kind: "indication" };

/** Where the owner keeps which username fragment is whose. */
export interface UfragTable {
  /** Enters a fragment; false when it is taken. */
  enter(ufrag: string): boolean;
  leave(ufrag: string): void;
}

interface Generation extends IceCredentials {
  readonly key: KeyObject;
  /** The browser's; undefined until its SDP came, then the check must name its fragment. */
  remote: { readonly ufrag: string; readonly key: KeyObject | undefined } | undefined;
}

/** Part before the colon of USERNAME: the fragment of whom the check is sent to (RFC 8445 7.2.2). */
export function localUfragOf(message: StunMessage): string | undefined {
  const colon = message.username?.indexOf(":") ?? -1;
  return colon > 0 ? message.username?.slice(0, colon) : undefined;
}

/** An error response (RFC 8489 6.3.4); `key` only where the request was authentic. */
export function stunError(
  message: StunMessage,
  code: 400 | 401 | 420 | 487,
  key: KeyObject | undefined,
): Buffer {
  const reasons = {
    400: "Bad Request",
    401: "Unauthenticated",
    420: "Unknown Attribute",
    487: "Role Conflict",
  };
  const value = Buffer.concat([
    Buffer.from([0, 0, Math.floor(code / 100), code % 100]),
    Buffer.from(reasons[code], "ascii"),
  ]);
  const attributes: StunAttribute[] = [{ type: stunAttributes.errorCode, value }];
  if (code === 420) {
    const unknown = Buffer.alloc(2 * message.unknown.length);
    message.unknown.forEach((type, i) => unknown.writeUInt16BE(type, 2 * i));
    attributes.push({ type: stunAttributes.unknownAttributes, value: unknown });
  }
  return encodeStun(bindingError, message.transactionId, attributes, key);
}

/**
 * The lite side of ICE for one browser (RFC 8445 2.5): answers authenticated checks, and asks only a browser that has
 * stopped to ask (`request`). It is always the controlled agent. It holds credentials only; which address is used is the
 * owner's business.
 */
export class IceLite {
  readonly #random: Random;
  readonly #table: UfragTable;
  #current: Generation;
  /** After a restart, until the new credentials see their first valid check. */
  #previous: Generation | undefined;
  #closed = false;

  constructor(random: Random, table: UfragTable) {
    this.#random = random;
    this.#table = table;
    this.#current = this.#generate();
  }

  get local(): IceCredentials {
    return { iceUfrag: this.#current.iceUfrag, icePwd: this.#current.icePwd };
  }

  /** The browser's credentials, for the newest of ours; without a password it cannot be asked. */
  setRemote(ufrag: string, pwd: string): void {
    this.#current.remote = { ufrag, key: pwd === "" ? undefined : createSecretKey(Buffer.from(pwd)) };
  }

  /**
   * A check of our own. RFC 8445 has none from a lite agent; but a browser drops its pairs after 15 s without an answer
   * (Chromium 156) and then sends no check any more, nor takes our packets for a sign of life: only a check of ours
   * brings the path back without an ICE restart. Undefined: the browser's credentials are not known.
   */
  request(): Buffer | undefined {
    const { iceUfrag, remote } = this.#current;
    if (this.#closed || remote?.key === undefined) return undefined;
    const attributes = [
      { type: stunAttributes.username, value: Buffer.from(`${remote.ufrag}:${iceUfrag}`) },
      { type: stunAttributes.priority, value: peerReflexivePriority },
      { type: stunAttributes.iceControlled, value: this.#random.bytes(8) },
    ];
    return encodeStun(bindingRequest, this.#random.bytes(12), attributes, remote.key);
  }

  /** New credentials; the old serve on until a check with the new comes (RFC 8445 9). */
  restart(): IceCredentials {
    if (this.#previous !== undefined) {
      // Two restarts without a check between: the first one's credentials were never used.
      this.#table.leave(this.#current.iceUfrag);
      this.#current = this.#generate();
    } else {
      this.#previous = this.#current;
      this.#current = this.#generate();
    }
    return this.local;
  }

  /** Judges a message from `address:port` whose USERNAME names one of our fragments. */
  check(packet: Buffer, message: StunMessage, address: string, port: number): IceVerdict {
    if (message.class === "indication" && message.method === bindingMethod) return { kind: "indication" };
    if (message.class !== "request" || message.method !== bindingMethod || this.#closed)
      return { kind: "refused", cause: "stunUnexpected", response: undefined };
    if (message.integrityOffset === undefined || message.username === undefined)
      return { kind: "refused", cause: "stunNoIntegrity", response: stunError(message, 400, undefined) };
    const generation = this.#generationOf(message);
    if (generation === undefined)
      return { kind: "refused", cause: "stunUsername", response: stunError(message, 401, undefined) };
    if (!integrityIsRight(packet, message, generation.key))
      return { kind: "refused", cause: "stunIntegrity", response: stunError(message, 401, undefined) };
    if (message.unknown.length > 0)
      return {
        kind: "refused",
        cause: "stunUnknownAttribute",
        response: stunError(message, 420, generation.key),
      };
    // A lite agent cannot take the controlling role over, so the peer must (RFC 8445 7.3.1.1).
    if (message.controlled)
      return {
        kind: "refused",
        cause: "stunRoleConflict",
        response: stunError(message, 487, generation.key),
      };
    if (generation === this.#current) this.#retirePrevious();
    const value = xorMappedAddress(address, port, message.transactionId);
    const attributes = [{ type: stunAttributes.xorMappedAddress, value }];
    return {
      kind: "valid",
      useCandidate: message.useCandidate,
      response: encodeStun(bindingSuccess, message.transactionId, attributes, generation.key),
    };
  }

  /** Gives the fragments back. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#retirePrevious();
    this.#table.leave(this.#current.iceUfrag);
  }

  #retirePrevious(): void {
    if (this.#previous === undefined) return;
    this.#table.leave(this.#previous.iceUfrag);
    this.#previous = undefined;
  }

  #generationOf(message: StunMessage): Generation | undefined {
    const local = localUfragOf(message);
    for (const generation of [this.#current, this.#previous]) {
      if (generation === undefined || generation.iceUfrag !== local) continue;
      const expected = generation.remote?.ufrag;
      const matches = expected === undefined || message.username === `${generation.iceUfrag}:${expected}`;
      return matches ? generation : undefined;
    }
    return undefined;
  }

  /** 48 and 144 bits of randomness in ice-chars (RFC 8839 5.4 asks for 24 and 128). */
  #generate(): Generation {
    for (;;) {
      const iceUfrag = this.#random.bytes(6).toString("base64");
      const icePwd = this.#random.bytes(18).toString("base64");
      if (this.#table.enter(iceUfrag))
        return { iceUfrag, icePwd, key: createSecretKey(Buffer.from(icePwd)), remote: undefined };
    }
  }
}
