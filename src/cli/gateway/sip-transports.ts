import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { Config, ServerAddress, SipTransportName } from "../../config/index.ts";
import { FileWatch, type Clock, type Logger, type Random } from "../../core/index.ts";
import {
  openStreamTransport,
  openUdpTransport,
  type Flow,
  type FlowReceiver,
  type StreamLimits,
  type StreamTransport,
  type TlsSettings,
  type UdpTransport,
} from "../../sip/index.ts";

/** The sockets toward SIP Server: UDP, TCP or TLS, as its addresses ask for. */
export interface SipTransports {
  /** Port of them all. */
  readonly port: number;
  readonly udp: UdpTransport | undefined;
  readonly stream: StreamTransport | undefined;
  /** End of validity of the certificate of `sipServer.tls`, ms since 1970-01-01 UTC; undefined without TLS. */
  readonly certificateValidTo: number | undefined;
  /** The flow to one endpoint of a configured server; equal endpoints give flows of equal `id`. */
  serverFlow(server: ServerAddress, address: string, port: number): Flow;
  /**
   * The way to the address of a SIP URI: by the transport it names, else by that of the configured server there, else
   * by `sipServer.transport`. `address`: an IP address.
   */
  flowTo(uri: {
    readonly address: string;
    readonly port: number | undefined;
    readonly transport: string | undefined;
  }): Flow;
  close(): Promise<void>;
}

/** What the sockets are made of. */
export interface SipTransportsSurroundings {
  readonly receiver: FlowReceiver;
  /** Who may send to us. */
  readonly allow: (address: string) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Binds what the configured addresses use, and nothing else: where all is TLS no plain datagram is heard. Rejects with
 * the system's error when an address cannot be bound, a file not read or a certificate not used.
 */
export async function openSipTransports(
  config: Pick<Config, "sip" | "sipServer">,
  surroundings: SipTransportsSurroundings,
  { port = config.sip.port, limits = {} }: { port?: number; limits?: Partial<StreamLimits> } = {},
): Promise<SipTransports> {
  const { sip, sipServer } = config;
  const used = new Set(sipServer.addresses.map(({ transport }) => transport));
  const options = { ...sip, ...surroundings };
  const udp = used.has("udp") ? await openUdpTransport({ ...options, port }) : undefined;
  try {
    const tls = used.has("tls") ? readTls(sipServer) : undefined;
    const stream =
      tls || used.has("tcp")
        ? await openStreamTransport({
            ...options,
            // Both have the same number, also where any free one is taken.
            port: udp?.port ?? port,
            pingSeconds: sipServer.pingSeconds,
            limits,
            ...(tls ? { tls } : {}),
          })
        : undefined;
    return new Transports(sipServer, udp, stream, tls, surroundings);
  } catch (error) {
    await udp?.close();
    throw error;
  }
}

class Transports implements SipTransports {
  readonly udp: UdpTransport | undefined;
  readonly stream: StreamTransport | undefined;
  certificateValidTo: number | undefined;
  readonly #usual: SipTransportName;
  readonly #watch: FileWatch | undefined;
  /** Of configured servers, by address and port and by address alone. */
  readonly #known = new Map<string, SipTransportName>();

  constructor(
    sipServer: Config["sipServer"],
    udp: UdpTransport | undefined,
    stream: StreamTransport | undefined,
    tls: TlsSettings | undefined,
    { clock, log }: SipTransportsSurroundings,
  ) {
    this.#usual = sipServer.transport;
    this.udp = udp;
    this.stream = stream;
    this.certificateValidTo = tls && validTo(tls);
    const { cert, key, ca } = sipServer.tls ?? {};
    if (!tls || !stream || cert === undefined || key === undefined) return;
    const files = [cert, key, ...(ca === undefined ? [] : [ca])];
    const onChange = (): void => this.#renew(sipServer, stream, log);
    this.#watch = new FileWatch({ files, clock, log, onChange });
  }

  /** Connections that stand keep their certificates; new ones have what the files hold now. */
  #renew(sipServer: Config["sipServer"], stream: StreamTransport, log: Logger): void {
    try {
      const tls = readTls(sipServer);
      stream.useTls(tls);
      this.certificateValidTo = validTo(tls);
      log.info({ validTo: new Date(validTo(tls)).toISOString() }, "certificate of sipServer.tls read again");
    } catch (error) {
      log.error({ err: error }, "new certificate of sipServer.tls is unusable; the one before stays");
    }
  }

  get port(): number {
    return this.udp?.port ?? this.stream?.port ?? 0;
  }

  serverFlow({ host, transport }: ServerAddress, address: string, port: number): Flow {
    this.#known.set(`${address}|${port}`, transport);
    this.#known.set(address, transport);
    const stream = transport === "udp" ? undefined : this.stream;
    return stream
      ? stream.serverFlow(address, port, isIP(host) ? undefined : host)
      : this.#flow(transport, address, port);
  }

  flowTo({ address, port, transport }: Parameters<SipTransports["flowTo"]>[0]): Flow {
    const known = this.#known.get(`${address}|${port}`) ?? this.#known.get(address) ?? this.#usual;
    const named = this.#named(transport?.toLowerCase());
    const chosen = named ?? known;
    return this.#flow(chosen, address, port ?? (chosen === "tls" ? 5061 : 5060));
  }

  async close(): Promise<void> {
    this.#watch?.close();
    await Promise.all([this.udp?.close(), this.stream?.close()]);
  }

  /** What a URI names counts where we have it; a peer that says UDP on a TLS connection is not followed there. */
  #named(transport: string | undefined): SipTransportName | undefined {
    if (transport === "udp" && this.udp) return "udp";
    if (transport === this.stream?.protocol.toLowerCase()) return transport === "tls" ? "tls" : "tcp";
    return undefined;
  }

  #flow(transport: SipTransportName, address: string, port: number): Flow {
    const sockets = transport === "udp" ? [this.udp, this.stream] : [this.stream, this.udp];
    const socket = sockets[0] ?? sockets[1];
    if (!socket) throw new Error("no SIP socket is bound");
    return socket.flowTo(address, port);
  }
}

/** Ms since 1970-01-01 UTC. */
function validTo({ cert }: TlsSettings): number {
  return Date.parse(new X509Certificate(cert).validTo);
}

function readTls({ tls }: Config["sipServer"]): TlsSettings {
  if (!tls) throw new Error("sipServer.tls is missing");
  return {
    ca: tls.ca === undefined ? undefined : readFileSync(tls.ca, "utf8"),
    cert: readFileSync(tls.cert, "utf8"),
    key: readFileSync(tls.key, "utf8"),
    requirePeerCertificate: tls.requirePeerCertificate,
    allowUnverified: tls.allowUnverified,
  };
}
