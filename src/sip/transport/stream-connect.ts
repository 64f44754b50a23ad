import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TlsOptions } from "node:tls";
import type { Connect } from "./server-flow.ts";
import type { StreamContext, TlsSettings } from "./stream-options.ts";

/** Older ones are broken (RFC 8996). */
const minVersion = "TLSv1.2";

interface Target {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  /** Asked at each connection, since certificates are renewed; undefined: TCP. */
  readonly tls: () => TlsSettings | undefined;
  /** What the certificate must be for; undefined: the address. */
  readonly name: () => string | undefined;
}

/** How connections to one server are made: in their time, TLS included, or not at all. */
export function connector(target: Target, { clock, limits }: StreamContext): Connect {
  return (onConnected, onFailed) => {
    let over = false;
    const tls = target.tls();
    const socket = open(target, tls);
    const end = (): boolean => {
      const first = !over;
      over = true;
      timer.clear();
      socket.off("close", onClose);
      return first;
    };
    const fail = (error: Error): void => {
      if (!end()) return;
      socket.destroy();
      onFailed(error);
    };
    const onClose = (): void => fail(new Error("closed while being made"));
    const timer = clock.setTimer(limits.connectMs, () =>
      fail(new Error(`no connection in ${limits.connectMs} ms`)),
    );
    // Stays: an error after an abort has nobody else to take it.
    socket.on("error", fail);
    socket.on("close", onClose);
    socket.once(tls ? "secureConnect" : "connect", () => {
      if (end()) onConnected(socket);
    });
    return {
      abort: () => {
        if (end()) socket.destroy();
      },
    };
  };
}

function open({ address, port, localAddress, name }: Target, tls: TlsSettings | undefined): Socket {
  const place = { host: address, port, ...(isAny(localAddress) ? {} : { localAddress }) };
  return tls ? connectTls({ ...place, ...clientOptions(tls, name()) }) : connectTcp(place);
}

function isAny(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** SIP Server's certificate must be of a trusted authority and for the name or address it was configured by (RFC 5922 7). */
function clientOptions(tls: TlsSettings, name: string | undefined): ConnectionOptions {
  return {
    cert: tls.cert,
    key: tls.key,
    minVersion,
    rejectUnauthorized: !tls.allowUnverified,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    // Checked against the address where no name is told; an address is no server name (RFC 6066 3).
    ...(name === undefined || isIP(name) !== 0 ? {} : { servername: name }),
  };
}

/** Of the TLS that SIP Server's connections to us have to speak. */
export function listenerOptions(tls: TlsSettings, handshakeTimeout: number): TlsOptions {
  return {
    cert: tls.cert,
    key: tls.key,
    minVersion,
    handshakeTimeout,
    requestCert: tls.requirePeerCertificate,
    rejectUnauthorized: tls.requirePeerCertificate,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
  };
}
