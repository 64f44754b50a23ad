import { CipherContext, DtlsServer } from "werift";
import type { Fingerprint } from "../contract.ts";
import {
  masterKeyBytes,
  masterSaltBytes,
  srtpProfiles,
  type SrtpKeys,
  type SrtpProfile,
} from "../srtp/index.ts";
import { fingerprintOf } from "./peer-authentication.ts";
import {
  contentTypes,
  dtls12,
  handshakeTypes,
  writeHandshake,
  writeRecord,
  type DtlsRecord,
  type HandshakeMessage,
} from "./records.ts";

/**
 * The only file on the way to the network that touches werift, pinned exactly: the engine leans on public fields of its
 * DtlsServer. werift negotiates, makes keys and writes our flights. It hears nothing from the network: it is fed
 * whole handshake messages, in order, that the endpoint has judged before, and it never gets to run its timers.
 */

export const ecdsaP256Sha256 = { hash: 4, signature: 3 } as const;
const secp256r1 = 23;
/** werift's name for our end. */
const serverSide = 2;

/** Our certificate, made once per worker. */
export interface DtlsCertificate {
  readonly certPem: string;
  readonly keyPem: string;
  readonly fingerprint: Fingerprint;
}

/** A fresh self-signed ECDSA P-256 certificate; takes some 15 ms. */
export async function createCertificate(): Promise<DtlsCertificate> {
  const made = await CipherContext.createSelfSignedCertificateWithKey(ecdsaP256Sha256, secp256r1);
  const base64 = made.certPem.replaceAll(/-----[^-]+-----|\s/g, "");
  return {
    certPem: made.certPem,
    keyPem: made.keyPem,
    fingerprint: fingerprintOf(Buffer.from(base64, "base64")),
  };
}

/** What both directions are secured with after the handshake. */
export interface DtlsSrtpKeys {
  readonly profile: SrtpProfile;
  /** For what we send. */
  readonly local: SrtpKeys;
  /** For what the peer sends. */
  readonly remote: SrtpKeys;
}

/** Thrown into a flight of werift's to end it before it starts its retransmission timer; the endpoint has its own. */
export class FlightTaken extends Error {}

export class WeriftEngine {
  readonly #server: DtlsServer;
  readonly #transport = {
    type: "udp",
    closed: false,
    address: { address: "", family: "IPv4", port: 0 },
    onData: (_data: Buffer): void => {},
    send: (data: Buffer): Promise<void> => this.#take(data),
    close: (): Promise<void> => Promise.resolve(),
  };
  #onSend: (data: Buffer) => void = () => {};
  /** What werift made of the message just fed: one promise, or none if it could not read it. */
  readonly #handled: Promise<void>[] = [];
  #feedSequence = 0;
  #encryptedSequence = 0;

  /** `cookie`: what the second ClientHello will carry. */
  constructor(certificate: DtlsCertificate, profiles: readonly SrtpProfile[], cookie: Buffer) {
    this.#server = new DtlsServer({
      transport: this.#transport,
      cert: certificate.certPem,
      key: certificate.keyPem,
      signatureHash: ecdsaP256Sha256,
      srtpProfiles: [...profiles],
      certificateRequest: true,
      extendedMasterSecret: true,
    });
    this.#server.dtls.cookie = cookie;
    const handle = this.#server.onHandleHandshakes;
    this.#server.onHandleHandshakes = (messages) => {
      this.#handled.push(handle(messages));
      return Promise.resolve(); // what went wrong is for `#feed`'s caller
    };
  }

  /**
   * Negotiates on a ClientHello whose cookie was right. Returns the records of flight 4 (ServerHello to
   * ServerHelloDone, epoch 0). Throws when the client offers nothing we can speak.
   */
  async hello(hello: HandshakeMessage, withoutCookie: Buffer): Promise<Buffer[]> {
    await this.#feed({ type: handshakeTypes.clientHello, sequence: 0, body: withoutCookie });
    if (this.profile === undefined) throw new Error("no common SRTP profile");
    if (!this.#server.dtls.remoteExtendedMasterSecret) throw new Error("no extended_master_secret offered");
    this.#onSend = () => {
      throw new FlightTaken();
    };
    try {
      await this.#feed(hello);
    } catch (error) {
      if (!(error instanceof FlightTaken)) throw error;
    } finally {
      this.#onSend = () => {};
    }
    return this.#server.dtls.lastMessage;
  }

  /** Takes Certificate, ClientKeyExchange or CertificateVerify in, in this order. Throws on what it cannot read. */
  async message(message: HandshakeMessage): Promise<void> {
    await this.#feed(message);
  }

  /** Takes the client's Finished, already verified; returns our ChangeCipherSpec and Finished records. */
  async finished(message: HandshakeMessage): Promise<Buffer[]> {
    const records: Buffer[] = [];
    this.#onSend = (data) => records.push(data);
    await this.#feed(message);
    this.#onSend = () => {};
    // werift numbers its Finished on from epoch 0; what we encrypt later must not use that number again.
    this.#encryptedSequence = records.at(-1)?.readUIntBE(5, 6) ?? 0;
    return records;
  }

  /** SRTP profile chosen, known after `hello`. */
  get profile(): SrtpProfile | undefined {
    const profile = this.#server.srtp.srtpProfile;
    return Object.values(srtpProfiles).find((known) => known === profile);
  }

  /** Known after ClientKeyExchange. */
  get masterSecret(): Buffer {
    return this.#server.cipher.masterSecret;
  }

  /** Next record sequence number of epoch 0, for records sent again (RFC 6347 4.2.4). */
  nextSequence(): number {
    return ++this.#server.dtls.recordSequenceNumber;
  }

  /** Plaintext of a record of epoch 1, or undefined when it is not authentic. */
  decrypt({ contentType, version, epoch, sequenceNumber, fragment }: DtlsRecord): Buffer | undefined {
    const header = { type: contentType, version, epoch, sequenceNumber };
    try {
      return this.#server.cipher.cipher.decrypt(serverSide, fragment, header);
    } catch {
      return undefined;
    }
  }

  /** An alert as a record of epoch 1; only after `finished`. */
  encryptAlert(level: number, description: number): Buffer {
    const sequenceNumber = ++this.#encryptedSequence;
    const header = { type: contentTypes.alert, version: dtls12, epoch: 1, sequenceNumber };
    const alert = Buffer.from([level, description]);
    const fragment = this.#server.cipher.cipher.encrypt(serverSide, alert, header);
    return writeRecord(contentTypes.alert, 1, sequenceNumber, fragment);
  }

  /** SRTP master keys (RFC 5764 4.2); only after `finished`. */
  srtpKeys(profile: SrtpProfile): DtlsSrtpKeys {
    const keys = this.#server.extractSessionKeys(masterKeyBytes, masterSaltBytes(profile));
    return {
      profile,
      local: { profile, key: keys.localKey, salt: keys.localSalt },
      remote: { profile, key: keys.remoteKey, salt: keys.remoteSalt },
    };
  }

  async #feed(message: HandshakeMessage): Promise<void> {
    const record = writeRecord(contentTypes.handshake, 0, this.#feedSequence++, writeHandshake(message));
    this.#transport.onData(record);
    const [handled] = this.#handled.splice(0);
    if (handled === undefined) throw new Error("unreadable handshake message");
    await handled;
  }

  #take(data: Buffer): Promise<void> {
    this.#onSend(data);
    return Promise.resolve();
  }
}
