import { timingSafeEqual } from "node:crypto";
import {
  StateMachine,
  TokenBucket,
  type Clock,
  type Random,
  type Timer,
  type Transitions,
} from "../../core/index.ts";
import type { Fingerprint } from "../contract.ts";
import { srtpProfiles, type SrtpProfile } from "../srtp/index.ts";
import { helloVerifyRequest, readClientHello } from "./client-hello.ts";
import { alerts, ClientProof } from "./client-proof.ts";
import { datagramBytes, FlightFour } from "./flight-four.ts";
import { usableFingerprints } from "./peer-authentication.ts";
import { HandshakeReassembler } from "./reassembly.ts";
import {
  contentTypes,
  dtls10,
  handshakeHeaderBytes,
  handshakeTypes,
  packRecords,
  readHandshakeFragment,
  readRecord,
  recordHeaderBytes,
  recordsOf,
  writeHandshake,
  writeRecord,
  type DtlsRecord,
  type HandshakeFragment,
  type HandshakeMessage,
} from "./records.ts";
import { WeriftEngine, type DtlsCertificate, type DtlsSrtpKeys } from "./werift-engine.ts";

/** Time for the whole handshake from its first packet, ms. */
const handshakeTimeoutMs = 20_000;
const cookieBytes = 20;
/** Records (and further fragments in one) a peer may send: a handshake takes some ten, a lossy one some dozens. */
const recordBurst = 100;
const recordsPerSecond = 50;
/** Records of epoch 1 kept while the messages before them are missing or the fingerprint is not known. */
const maxHeldRecords = 4;
/** Longest record of epoch 1 that is opened, bytes: a Finished is 48, an alert 26, and we are sent nothing else. */
const longestSecured = 256;
/** CM costs 40 % less CPU than GCM here. */
const defaultProfiles = [srtpProfiles.aesCm128HmacSha1Tag80, srtpProfiles.aeadAes128Gcm];
const fatalAlert = 2;
const warningAlert = 1;
const closeNotify = 0;

type State =
  "waitingHello" | "negotiating" | "waitingFlight5" | "finishing" | "connected" | "failed" | "closed";
type Input = "hello" | "flight4" | "clientFinished" | "keys" | "failure" | "close";

const transitions: Transitions<State, Input> = {
  waitingHello: { hello: "negotiating", failure: "failed", close: "closed" },
  negotiating: { flight4: "waitingFlight5", failure: "failed", close: "closed" },
  waitingFlight5: { clientFinished: "finishing", failure: "failed", close: "closed" },
  finishing: { keys: "connected", failure: "failed", close: "closed" },
  connected: { close: "closed" },
  failed: { close: "closed" },
  closed: {},
};

export interface DtlsEndpointOptions {
  readonly certificate: DtlsCertificate;
  readonly clock: Clock;
  readonly random: Random;
  /** Sends one datagram to the peer; it may keep the memory. */
  readonly send: (datagram: Buffer) => void;
  /** SDP's fingerprints of the peer, if known yet; else `setRemoteFingerprints` later. */
  readonly remoteFingerprints?: readonly Fingerprint[];
  /** SRTP profiles by our liking; default AES-CM first, then GCM. */
  readonly profiles?: readonly SrtpProfile[];
  /** The handshake is done and the peer proven. Once. */
  readonly onKeys: (keys: DtlsSrtpKeys) => void;
  /** The handshake failed, in words. Once, and never after `onKeys`. */
  readonly onFailure: (reason: string) => void;
  /** The peer closed the connection by an authenticated alert. */
  readonly onPeerClosed?: () => void;
  /** Counts what was dropped, by cause. */
  readonly count?: (cause: string) => void;
}

/**
 * The server end of one DTLS 1.2 connection for SRTP keys (RFC 5764), with the peer's authentication that werift
 * leaves out. Before the peer's fingerprint is known the handshake goes as far as our flight 4, which is the same
 * for everybody; the client's Certificate and all behind it are held until `setRemoteFingerprints`.
 *
 * What is not authenticated cannot close it: plaintext alerts are remembered for the failure's wording only; after
 * the handshake records of epoch 0 are dropped and renegotiation is not answered.
 */
export class DtlsEndpoint {
  readonly #options: DtlsEndpointOptions;
  readonly #machine = new StateMachine<State, Input>(transitions, "waitingHello");
  readonly #cookie: Buffer;
  readonly #records: TokenBucket;
  /** Hellos of message_seq 0 and 1 before flight 4; then flight 5. */
  #messages = new HandshakeReassembler(0);
  #fingerprints: readonly Fingerprint[];
  #engine: WeriftEngine | undefined;
  #proof: ClientProof | undefined;
  #flight4: FlightFour | undefined;
  #flight6: readonly Buffer[] = [];
  #helloSequence = -1;
  #held: DtlsRecord[] = [];
  #busy = false;
  #lastAlert: number | undefined;
  #handshakeTimer: Timer | undefined;

  constructor(options: DtlsEndpointOptions) {
    this.#options = options;
    this.#cookie = Buffer.from(options.random.bytes(cookieBytes));
    this.#records = new TokenBucket(recordBurst, recordsPerSecond, options.clock.now());
    this.#fingerprints = usableFingerprints(options.remoteFingerprints ?? []);
    if ((options.remoteFingerprints?.length ?? 0) > 0 && this.#fingerprints.length === 0)
      throw new RangeError("no usable fingerprint");
  }

  get state(): State {
    return this.#machine.state;
  }

  /** Failed or closed, by whichever end: nothing comes of it any more. */
  get over(): boolean {
    return this.#machine.state === "failed" || this.#machine.state === "closed";
  }

  /**
   * Sets what the peer's certificate must match; a handshake that waits for it goes on.
   * Throws RangeError when none is of SHA-256, SHA-384 or SHA-512.
   */
  setRemoteFingerprints(fingerprints: readonly Fingerprint[]): void {
    const usable = usableFingerprints(fingerprints);
    if (usable.length === 0) throw new RangeError("no usable fingerprint");
    this.#fingerprints = usable;
    void this.#pump();
  }

  /** Takes a datagram from the peer's address, which ICE has validated. */
  receive(packet: Buffer, length = packet.length): void {
    if (this.over) return;
    this.#handshakeTimer ??= this.#options.clock.setTimer(handshakeTimeoutMs, () => this.#timeOut());
    for (let at = 0; at < length;) {
      const record = readRecord(packet, at, length);
      if (record === undefined) return this.#count("dtlsMalformed");
      if (!this.#records.take(this.#options.clock.now())) return this.#count("dtlsRate");
      // Who sends one record that is not authentic sends no better ones behind it, and each costs an opening.
      if (!this.#takeRecord(record)) return;
      at += recordHeaderBytes + record.fragment.length;
    }
  }

  /** Tells the peer, if there is a secured way to, and forgets all. Idempotent. */
  close(): void {
    if (this.#machine.state === "closed") return;
    if (this.#machine.state === "connected" && this.#engine !== undefined)
      this.#options.send(this.#engine.encryptAlert(warningAlert, closeNotify));
    this.#machine.apply("close");
    this.#forget();
  }

  /** False when the rest of the datagram is not worth reading. */
  #takeRecord(record: DtlsRecord): boolean {
    const { state } = this.#machine;
    if (record.epoch > 0 && record.fragment.length > longestSecured) this.#count("dtlsUnexpected");
    else if (state === "connected") return this.#takeConnected(record);
    else if (record.epoch === 0) {
      if (record.contentType === contentTypes.handshake) this.#takeFragments(record.fragment);
      else if (record.contentType === contentTypes.alert) this.#lastAlert = record.fragment[1];
      else if (record.contentType !== contentTypes.changeCipherSpec) this.#count("dtlsUnexpected");
    } else if (record.epoch === 1 && state === "waitingFlight5" && this.#held.length < maxHeldRecords) {
      this.#held.push({ ...record, fragment: Buffer.from(record.fragment) });
      void this.#pump();
    } else this.#count("dtlsUnexpected");
    return true;
  }

  #takeFragments(plain: Buffer): void {
    for (let at = 0; at < plain.length;) {
      const fragment = readHandshakeFragment(plain, at);
      if (fragment === undefined) return this.#count("dtlsMalformed");
      // The first was paid for with its record; hundreds of empty ones fit in one and each may cost a message's memory.
      if (at > 0 && !this.#records.take(this.#options.clock.now())) return this.#count("dtlsRate");
      this.#takeFragment(fragment);
      at += handshakeHeaderBytes + fragment.body.length;
    }
  }

  #takeFragment(fragment: HandshakeFragment): void {
    const { state } = this.#machine;
    if (state === "waitingHello") {
      if (
        fragment.type !== handshakeTypes.clientHello ||
        fragment.sequence > 1 ||
        !this.#messages.add(fragment)
      )
        return this.#count("dtlsUnexpected");
      const hello = this.#messages.takeAny(fragment.sequence);
      if (hello !== undefined) this.#takeHello(hello);
    } else if (fragment.type === handshakeTypes.clientHello) {
      // The cookie exchange is over: the first hello again is late, the second asks for flight 4 again.
      if (fragment.sequence === this.#helloSequence && state === "waitingFlight5") this.#flight4?.repeat();
    } else if (this.#messages.add(fragment)) void this.#pump();
    else this.#count("dtlsUnexpected");
  }

  #takeHello(message: HandshakeMessage): void {
    const hello = readClientHello(message.body);
    if (hello === undefined) return this.#count("dtlsMalformed");
    if (hello.cookie.length !== cookieBytes || !timingSafeEqual(hello.cookie, this.#cookie)) {
      // No state and no key is made for a sender that has not shown it receives at its address (RFC 6347 4.2.1).
      const body = writeHandshake(helloVerifyRequest(this.#cookie));
      this.#options.send(writeRecord(contentTypes.handshake, 0, 0, body, dtls10));
      return;
    }
    this.#machine.apply("hello");
    this.#helloSequence = message.sequence;
    void this.#negotiate(message, hello.withoutCookie);
  }

  async #negotiate(message: HandshakeMessage, withoutCookie: Buffer): Promise<void> {
    const { certificate, clock, send, profiles = defaultProfiles } = this.#options;
    try {
      // The first hello was not kept: werift gets the second without its cookie, so the two cannot differ.
      const engine = new WeriftEngine(certificate, profiles, this.#cookie);
      const flight = (await engine.hello(message, withoutCookie)).flatMap(recordsOf);
      if (this.#machine.state !== "negotiating") return;
      this.#engine = engine;
      this.#proof = new ClientProof([writeHandshake(message), ...flight.map(({ fragment }) => fragment)]);
      this.#messages = new HandshakeReassembler(message.sequence + 1);
      this.#machine.apply("flight4");
      const nextSequence = (): number => engine.nextSequence();
      this.#flight4 = new FlightFour({ records: flight, nextSequence, clock, send });
      this.#flight4.start();
    } catch (error) {
      this.#fail(`ClientHello refused: ${wordsOf(error)}`, alerts.handshakeFailure);
    }
  }

  /** Takes what is there of flight 5, in order, once the fingerprint is known. */
  async #pump(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#machine.state === "waitingFlight5" && this.#fingerprints.length > 0) {
        if (this.#proof?.awaitsFinished) {
          const record = this.#held.shift();
          if (record === undefined) break;
          await this.#takeFinished(record);
          continue;
        }
        const message = this.#messages.take();
        if (message === undefined) break;
        await this.#takeFlight5(message);
      }
    } catch (error) {
      this.#fail(`handshake message refused: ${wordsOf(error)}`, alerts.handshakeFailure);
    } finally {
      this.#busy = false;
    }
  }

  async #takeFlight5(message: HandshakeMessage): Promise<void> {
    const failure = this.#proof?.check(message, this.#fingerprints);
    if (failure !== undefined) return this.#fail(failure.reason, failure.alert);
    await this.#engine?.message(message);
    this.#proof?.accept(message);
  }

  async #takeFinished(record: DtlsRecord): Promise<void> {
    const engine = this.#engine;
    const plain = record.contentType === contentTypes.handshake ? engine?.decrypt(record) : undefined;
    const message = plain && readHandshakeFragment(plain, 0);
    const { profile } = engine ?? {};
    if (engine === undefined || profile === undefined || message === undefined)
      return this.#count("dtlsDecrypt");
    const whole = message.length === message.body.length && message.sequence === this.#messages.next;
    if (message.type !== handshakeTypes.finished || !whole) return this.#count("dtlsUnexpected");
    if (this.#proof?.finishedIsRight(message.body, engine.masterSecret) !== true)
      return this.#fail("Finished is wrong: the peer saw another handshake", alerts.decryptError);
    this.#machine.apply("clientFinished");
    this.#flight6 = await engine.finished(message);
    if (this.#machine.state !== "finishing") return;
    this.#machine.apply("keys");
    this.#stopTimers();
    this.#proof = undefined;
    this.#flight4 = undefined;
    this.#sendFlight6();
    this.#options.onKeys(engine.srtpKeys(profile));
  }

  #sendFlight6(): void {
    for (const datagram of packRecords(this.#flight6, datagramBytes)) this.#options.send(datagram);
  }

  /** After the handshake only authentic records of epoch 1 mean anything (RFC 6347 4.1). False: this one was not. */
  #takeConnected(record: DtlsRecord): boolean {
    const plain = record.epoch === 1 ? this.#engine?.decrypt(record) : undefined;
    if (plain === undefined) {
      this.#count(record.epoch === 1 ? "dtlsDecrypt" : "dtlsPlaintext");
      return record.epoch !== 1;
    }
    if (record.contentType === contentTypes.handshake) {
      // A Finished again means that our flight 6 was lost (RFC 6347 4.2.4); anything else would be renegotiation.
      if (plain[0] === handshakeTypes.finished) this.#sendFlight6();
      else this.#count("dtlsRenegotiation");
    } else if (record.contentType === contentTypes.alert) {
      if (plain[0] === fatalAlert || plain[1] === closeNotify) {
        this.#machine.apply("close");
        this.#forget();
        this.#options.onPeerClosed?.();
      } else this.#count("dtlsUnexpected");
    } else this.#count("dtlsUnexpected");
    return true;
  }

  #timeOut(): void {
    const alert = this.#lastAlert === undefined ? "" : `; peer sent alert ${this.#lastAlert}`;
    const waiting = this.#fingerprints.length === 0 ? " (no fingerprint known)" : "";
    this.#fail(`DTLS handshake timed out in state ${this.#machine.state}${waiting}${alert}`, undefined);
  }

  #fail(reason: string, alert: number | undefined): void {
    if (!this.#machine.accepts("failure")) return;
    if (alert !== undefined) {
      const body = Buffer.from([fatalAlert, alert]);
      this.#options.send(writeRecord(contentTypes.alert, 0, this.#engine?.nextSequence() ?? 1, body));
    }
    this.#machine.apply("failure");
    this.#forget();
    this.#options.onFailure(reason);
  }

  #stopTimers(): void {
    this.#handshakeTimer?.clear();
    this.#flight4?.stop();
  }

  #forget(): void {
    this.#stopTimers();
    this.#engine = undefined;
    this.#proof = undefined;
    this.#flight4 = undefined;
    this.#flight6 = [];
    this.#held = [];
    this.#messages = new HandshakeReassembler(0);
  }

  #count(cause: string): void {
    this.#options.count?.(cause);
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}
