import type { SrtpSuite, TrunkSrtp } from "../contract.ts";
import {
  createSrtpReceiver,
  createSrtpSender,
  masterKeyBytes,
  maxOverheadBytes,
  maxPacketBytes,
  shortTagProfile,
  srtpFailure,
  srtpProfiles,
  type SrtpKeys,
  type SrtpReceiver,
  type SrtpSender,
} from "../srtp/index.ts";

const profiles = {
  AES_CM_128_HMAC_SHA1_80: srtpProfiles.aesCm128HmacSha1Tag80,
  AES_CM_128_HMAC_SHA1_32: shortTagProfile,
} as const satisfies Record<SrtpSuite, number>;

/** SRTP of the trunk side, both ways, under keys that may change at any time in a call (RFC 4568). */
export class TrunkCipher {
  #sender: SrtpSender;
  #receiver: SrtpReceiver;
  /** The key before: what was sent under it may still be on its way, until the first packet under the new one. */
  #former: SrtpReceiver | undefined;
  #srtp: TrunkSrtp;
  /** One may wait in the system's queue while the next is made; see `sent`. */
  readonly #slots = [Buffer.alloc(maxPacketBytes), Buffer.alloc(maxPacketBytes)] as const;
  #slot: 0 | 1 = 0;

  /** Throws RangeError on keys of another length. */
  constructor(srtp: TrunkSrtp) {
    this.#srtp = srtp;
    this.#sender = createSrtpSender(keysOf(srtp, srtp.sendKey));
    this.#receiver = createSrtpReceiver(keysOf(srtp, srtp.receiveKey));
  }

  /** A key that is the same goes on counting where it is; a new one begins anew, its rollover counter at zero. */
  renew(srtp: TrunkSrtp): void {
    const suite = srtp.suite === this.#srtp.suite;
    if (!suite || srtp.sendKey !== this.#srtp.sendKey)
      this.#sender = createSrtpSender(keysOf(srtp, srtp.sendKey));
    if (!suite || srtp.receiveKey !== this.#srtp.receiveKey) {
      this.#former = this.#receiver;
      this.#receiver = createSrtpReceiver(keysOf(srtp, srtp.receiveKey));
    }
    this.#srtp = srtp;
  }

  /** Where the next sealed packet lies. */
  get sealed(): Buffer {
    return this.#slots[this.#slot];
  }

  /** Seals into `sealed`; bytes written, or a negative `srtpFailure`. */
  seal(packet: Buffer, length: number, rtcp: boolean): number {
    if (length + maxOverheadBytes > maxPacketBytes) return srtpFailure.malformed;
    return rtcp
      ? this.#sender.protectRtcp(packet, length, this.sealed)
      : this.#sender.protect(packet, length, this.sealed);
  }

  /** The system took the packet in `sealed`, and may send it only later: the next one gets other memory. */
  sent(): void {
    this.#slot = this.#slot === 0 ? 1 : 0;
  }

  /** Opens in place; bytes of the plain packet, or a negative `srtpFailure`. */
  open(packet: Buffer, length: number, rtcp: boolean): number {
    const plain = openBy(this.#receiver, packet, length, rtcp);
    if (this.#former === undefined) return plain;
    if (plain >= 0) this.#former = undefined;
    else if (plain === srtpFailure.authentication) return openBy(this.#former, packet, length, rtcp);
    return plain;
  }
}

function openBy(receiver: SrtpReceiver, packet: Buffer, length: number, rtcp: boolean): number {
  return rtcp ? receiver.unprotectRtcp(packet, length, packet) : receiver.unprotect(packet, length, packet);
}

function keysOf({ suite }: TrunkSrtp, text: string): SrtpKeys {
  const bytes = Buffer.from(text, "base64");
  return {
    profile: profiles[suite],
    key: bytes.subarray(0, masterKeyBytes),
    salt: bytes.subarray(masterKeyBytes),
  };
}
