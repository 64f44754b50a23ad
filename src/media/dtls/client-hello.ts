import { handshakeTypes, type HandshakeMessage } from "./records.ts";

const versionAndRandomBytes = 34;

/** What the cookie exchange needs of a ClientHello (RFC 6347 4.2.1). */
export interface ClientHello {
  readonly cookie: Buffer;
  /** The body with an empty cookie: what the client's first hello must have said too. */
  readonly withoutCookie: Buffer;
}

/** Undefined when the body is cut or no DTLS hello. The rest is checked by who negotiates. */
export function readClientHello(body: Buffer): ClientHello | undefined {
  if (body.length < versionAndRandomBytes + 2 || body.readUInt8(0) !== 0xfe) return undefined;
  const cookieAt = versionAndRandomBytes + 1 + body.readUInt8(versionAndRandomBytes);
  if (cookieAt >= body.length) return undefined;
  const end = cookieAt + 1 + body.readUInt8(cookieAt);
  if (end > body.length) return undefined;
  return {
    cookie: body.subarray(cookieAt + 1, end),
    withoutCookie: Buffer.concat([body.subarray(0, cookieAt), Buffer.from([0]), body.subarray(end)]),
  };
}

/** HelloVerifyRequest (RFC 6347 4.2.1): server_version is DTLS 1.0 whatever will be spoken. */
export function helloVerifyRequest(cookie: Buffer): HandshakeMessage {
  const body = Buffer.concat([Buffer.from([0xfe, 0xff, cookie.length]), cookie]);
  return { type: handshakeTypes.helloVerifyRequest, sequence: 0, body };
}
