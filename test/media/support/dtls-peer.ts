import { DtlsClient } from "werift";
import { silentLogger, systemRandom } from "../../../src/core/index.ts";
import { Counters } from "../../../src/media/counters.ts";
import {
  createCertificate,
  DtlsEndpoint,
  type DtlsCertificate,
  type DtlsEndpointOptions,
  type DtlsSrtpKeys,
} from "../../../src/media/dtls/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

export const log = silentLogger;

/** How a browser under test misbehaves; everything off is a well-behaved one. */
export interface DtlsPeerOptions {
  /** The certificate shown; its key is used unless `key` names another. */
  readonly certificate: DtlsCertificate;
  readonly key?: string;
  readonly profiles?: (1 | 7)[];
  readonly extendedMasterSecret?: boolean;
  /** Sends the datagram on its way; default straight to the endpoint. */
  readonly send?: (datagram: Buffer) => void;
  /** Ignores our CertificateRequest and sends no certificate. */
  readonly withoutCertificate?: boolean;
}

/** A DTLS client made of werift's, as the browser's end. */
export class DtlsPeer {
  readonly client: DtlsClient;
  readonly transport;
  connected = false;

  constructor(options: DtlsPeerOptions) {
    this.transport = {
      type: "udp",
      closed: false,
      address: { address: "", family: "IPv4", port: 0 },
      onData: (_data: Buffer): void => {},
      send: (data: Buffer): Promise<void> => {
        if (!this.transport.closed) options.send?.(Buffer.from(data));
        return Promise.resolve();
      },
      close: (): Promise<void> => Promise.resolve(),
    };
    this.client = new DtlsClient({
      transport: this.transport,
      cert: options.certificate.certPem,
      key: options.key ?? options.certificate.keyPem,
      signatureHash: { hash: 4, signature: 3 },
      srtpProfiles: options.profiles ?? [1, 7],
      extendedMasterSecret: options.extendedMasterSecret ?? true,
    });
    if (options.withoutCertificate) {
      const handle = this.client.onHandleHandshakes;
      this.client.onHandleHandshakes = (messages) =>
        handle(messages.filter(({ msg_type: type }) => type !== 13));
    }
    this.client.onConnect.subscribe(() => {
      this.connected = true;
    });
  }

  /** Starts the handshake; werift's own timers retransmit. */
  connect(): void {
    this.client.connect().catch(() => {});
  }

  receive(datagram: Buffer): void {
    if (!this.transport.closed) this.transport.onData(Buffer.from(datagram));
  }

  keys(profile: 1 | 7): { localKey: Buffer; localSalt: Buffer; remoteKey: Buffer; remoteSalt: Buffer } {
    return this.client.extractSessionKeys(16, profile === 7 ? 12 : 14);
  }

  /** Stops retransmitting at the next chance. */
  close(): void {
    this.transport.closed = true;
    this.client.dtls.flight = 99;
  }
}

export interface Handshake {
  readonly endpoint: DtlsEndpoint;
  readonly peer: DtlsPeer;
  readonly clock: FakeClock;
  readonly dropped: Counters;
  readonly keys: DtlsSrtpKeys[];
  readonly failures: string[];
  /** Datagrams the endpoint sent. */
  readonly sent: Buffer[];
  readonly closedByPeer: () => number;
}

export interface HandshakeOptions {
  readonly peer?: Partial<DtlsPeerOptions>;
  readonly endpoint?: Partial<DtlsEndpointOptions>;
  /** Changes what goes to the endpoint: zero, one or more datagrams for one. */
  readonly toEndpoint?: (datagram: Buffer) => Buffer[];
  /** The same toward the peer. */
  readonly toPeer?: (datagram: Buffer) => Buffer[];
}

let certificates:
  Promise<[ours: DtlsCertificate, browser: DtlsCertificate, other: DtlsCertificate]> | undefined;

/** Three certificates made once per test file. */
export function testCertificates(): Promise<[DtlsCertificate, DtlsCertificate, DtlsCertificate]> {
  certificates ??= Promise.all([createCertificate(), createCertificate(), createCertificate()]);
  return certificates;
}

/** Wires an endpoint to a peer in memory; nothing starts before `peer.connect()`. */
export async function makeHandshake(options: HandshakeOptions = {}): Promise<Handshake> {
  const [ours, browser] = await testCertificates();
  const clock = new FakeClock();
  const dropped = new Counters();
  const keys: DtlsSrtpKeys[] = [];
  const failures: string[] = [];
  const sent: Buffer[] = [];
  let closedByPeer = 0;
  const pass = (datagram: Buffer): Buffer[] => [datagram];
  const peer: DtlsPeer = new DtlsPeer({
    certificate: browser,
    send: (datagram) => {
      for (const out of (options.toEndpoint ?? pass)(datagram)) setImmediate(() => endpoint.receive(out));
    },
    ...options.peer,
  });
  const endpoint: DtlsEndpoint = new DtlsEndpoint({
    certificate: ours,
    clock,
    random: systemRandom,
    remoteFingerprints: [browser.fingerprint],
    send: (datagram) => {
      sent.push(Buffer.from(datagram));
      for (const out of (options.toPeer ?? pass)(Buffer.from(datagram)))
        setImmediate(() => peer.receive(out));
    },
    onKeys: (made) => keys.push(made),
    onFailure: (reason) => failures.push(reason),
    onPeerClosed: () => closedByPeer++,
    count: (cause) => dropped.add(cause),
    ...options.endpoint,
  });
  return { endpoint, peer, clock, dropped, keys, failures, sent, closedByPeer: () => closedByPeer };
}

/** Lets the event loop turn until `done`; fails after `turns`. */
export async function until(done: () => boolean, turns = 2000): Promise<void> {
  for (let i = 0; i < turns; i++) {
    if (done()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("it did not come about");
}

/** Lets the event loop turn a fixed number of times, for what must not happen. */
export async function settle(turns = 50): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}
