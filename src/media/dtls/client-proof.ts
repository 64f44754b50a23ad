import type { KeyObject } from "node:crypto";
import type { Fingerprint } from "../contract.ts";
import {
  certificateKey,
  certificateMatches,
  certificateVerifyIsRight,
  finishedIsRight,
  firstCertificate,
} from "./peer-authentication.ts";
import { handshakeTypes, writeHandshake, type HandshakeMessage } from "./records.ts";

/** Alerts that say why a handshake ends (RFC 5246 7.2). */
export const alerts = { handshakeFailure: 40, badCertificate: 42, decryptError: 51 } as const;

export interface ProofFailure {
  /** In words, for the call record. */
  readonly reason: string;
  readonly alert: number;
}

/** Client messages of flight 5 in the order they must come (RFC 5246 7.3); Finished follows in epoch 1. */
const order = [
  handshakeTypes.certificate,
  handshakeTypes.clientKeyExchange,
  handshakeTypes.certificateVerify,
] as const;

/**
 * The client's proof that it is the peer SDP named: a certificate with the right fingerprint, a signature over the
 * handshake with its key, and a Finished that shows both saw the same handshake.
 */
export class ClientProof {
  /** The handshake as both ends must have seen it, from the second ClientHello on (RFC 6347 4.2.6). */
  readonly #transcript: Buffer[];
  #taken = 0;
  #key: KeyObject | undefined;

  /** `transcript`: ClientHello and our flight 4, each as an unfragmented handshake message. */
  constructor(transcript: readonly Buffer[]) {
    this.#transcript = [...transcript];
  }

  /** All but Finished has been accepted. */
  get awaitsFinished(): boolean {
    return this.#taken === order.length;
  }

  /** What is wrong with the next message, undefined when nothing is. `fingerprints`: SDP's, at least one. */
  check(message: HandshakeMessage, fingerprints: readonly Fingerprint[]): ProofFailure | undefined {
    if (message.type !== order[this.#taken])
      return { reason: `unexpected handshake message ${message.type}`, alert: alerts.handshakeFailure };
    if (message.type === handshakeTypes.certificate)
      return this.#checkCertificate(message.body, fingerprints);
    if (message.type !== handshakeTypes.certificateVerify) return undefined;
    const proven =
      this.#key !== undefined &&
      certificateVerifyIsRight(message.body, this.#key, Buffer.concat(this.#transcript));
    if (proven) return undefined;
    const reason = "CertificateVerify is wrong: the peer has not its certificate's key";
    return { reason, alert: alerts.decryptError };
  }

  /** Adds a message that was checked and taken. */
  accept(message: HandshakeMessage): void {
    this.#transcript.push(writeHandshake(message));
    this.#taken++;
  }

  /** Whether the body of the client's Finished is right, once all before it was accepted. */
  finishedIsRight(body: Buffer, masterSecret: Buffer): boolean {
    return this.awaitsFinished && finishedIsRight(body, masterSecret, Buffer.concat(this.#transcript));
  }

  #checkCertificate(body: Buffer, fingerprints: readonly Fingerprint[]): ProofFailure | undefined {
    const failure = (reason: string): ProofFailure => ({ reason, alert: alerts.badCertificate });
    const der = firstCertificate(body);
    if (der === undefined) return failure("the peer sent no certificate");
    if (!certificateMatches(der, fingerprints))
      return failure("the peer's certificate does not match the fingerprint of its SDP");
    this.#key = certificateKey(der);
    return this.#key === undefined ? failure("the peer's certificate has no usable key") : undefined;
  }
}
