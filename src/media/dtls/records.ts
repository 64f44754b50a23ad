/** Bytes of DTLS 1.2 records and handshake headers (RFC 6347 4.1, 4.2.2). */
export const contentTypes = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

/** Handshake messages a DTLS server meets (RFC 5246 7.4, RFC 6347 4.2.1). */
export const handshakeTypes = {
  clientHello: 1,
  helloVerifyRequest: 3,
  certificate: 11,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const;

export const recordHeaderBytes = 13;
export const handshakeHeaderBytes = 12;

/** TLS 1.2's limit on what a record carries, encryption included (RFC 5246 6.2.3). */
const maxFragmentBytes = 2 ** 14 + 2048;

/** Versions on the wire: 1.2 is spoken, 1.0 stands in what is sent before the version is agreed. */
export const dtls12 = 0xfefd;
export const dtls10 = 0xfeff;

/** One record; `fragment` is a view into the datagram. */
export interface DtlsRecord {
  readonly contentType: number;
  readonly version: number;
  readonly epoch: number;
  readonly sequenceNumber: number;
  readonly fragment: Buffer;
}

/** The record at `offset` of `packet[0, length)`, or undefined when there is no whole one. */
export function readRecord(packet: Buffer, offset: number, length: number): DtlsRecord | undefined {
  if (offset + recordHeaderBytes > length || length > packet.length) return undefined;
  const size = packet.readUInt16BE(offset + 11);
  const start = offset + recordHeaderBytes;
  const contentType = packet.readUInt8(offset);
  const version = packet.readUInt16BE(offset + 1);
  if (size > maxFragmentBytes || start + size > length) return undefined;
  if (contentType < 20 || contentType > 23 || version >>> 8 !== 0xfe) return undefined;
  return {
    contentType,
    version,
    epoch: packet.readUInt16BE(offset + 3),
    sequenceNumber: packet.readUIntBE(offset + 5, 6),
    fragment: packet.subarray(start, start + size),
  };
}

export function writeRecord(
  contentType: number,
  epoch: number,
  sequenceNumber: number,
  fragment: Buffer,
  version = dtls12,
): Buffer {
  const header = Buffer.alloc(recordHeaderBytes);
  header.writeUInt8(contentType, 0);
  header.writeUInt16BE(version, 1);
  header.writeUInt16BE(epoch, 3);
  header.writeUIntBE(sequenceNumber, 5, 6);
  header.writeUInt16BE(fragment.length, 11);
  return Buffer.concat([header, fragment]);
}

/** A whole handshake message. */
export interface HandshakeMessage {
  readonly type: number;
  readonly sequence: number;
  readonly body: Buffer;
}

/** Part of a handshake message as one record carries it. */
export interface HandshakeFragment extends HandshakeMessage {
  /** Length of the whole message's body. */
  readonly length: number;
  readonly offset: number;
}

/** The handshake fragment at `at` of a record's plaintext, or undefined when it is cut or contradicts itself. */
export function readHandshakeFragment(plain: Buffer, at: number): HandshakeFragment | undefined {
  if (at + handshakeHeaderBytes > plain.length) return undefined;
  const length = plain.readUIntBE(at + 1, 3);
  const offset = plain.readUIntBE(at + 6, 3);
  const size = plain.readUIntBE(at + 9, 3);
  const start = at + handshakeHeaderBytes;
  if (start + size > plain.length || offset + size > length) return undefined;
  return {
    type: plain.readUInt8(at),
    sequence: plain.readUInt16BE(at + 4),
    length,
    offset,
    body: plain.subarray(start, start + size),
  };
}

/** The message as if never fragmented: the form the transcript hashes (RFC 6347 4.2.6). */
export function writeHandshake({ type, sequence, body }: HandshakeMessage): Buffer {
  const header = Buffer.alloc(handshakeHeaderBytes);
  header.writeUInt8(type, 0);
  header.writeUIntBE(body.length, 1, 3);
  header.writeUInt16BE(sequence, 4);
  header.writeUIntBE(body.length, 9, 3);
  return Buffer.concat([header, body]);
}

/** Puts records together into datagrams of at most `limit` bytes, order kept; a longer record goes alone. */
export function packRecords(records: readonly Buffer[], limit: number): Buffer[] {
  const datagrams: Buffer[] = [];
  let open: Buffer[] = [];
  let size = 0;
  for (const record of records) {
    if (size > 0 && size + record.length > limit) {
      datagrams.push(Buffer.concat(open));
      open = [];
      size = 0;
    }
    open.push(record);
    size += record.length;
  }
  if (size > 0) datagrams.push(Buffer.concat(open));
  return datagrams;
}

/** Every record in `datagram`; what is behind a broken one is left out. */
export function recordsOf(datagram: Buffer): DtlsRecord[] {
  const records: DtlsRecord[] = [];
  for (let at = 0; ;) {
    const record = readRecord(datagram, at, datagram.length);
    if (record === undefined) return records;
    records.push(record);
    at += recordHeaderBytes + record.fragment.length;
  }
}
