/** A HEP3 packet as read by the tests, from the specification and not through src. */
export interface ReadHep {
  readonly family: number | undefined;
  /** 6: TCP, 17: UDP. */
  readonly transport: number | undefined;
  /** `address:port` */
  readonly from: string;
  readonly to: string;
  readonly microseconds: number;
  /** 1: SIP. */
  readonly protocol: number | undefined;
  readonly captureId: number | undefined;
  readonly password: string | undefined;
  readonly correlationId: string | undefined;
  readonly text: string;
}

export function readHep(bytes: Buffer): ReadHep {
  if (bytes.toString("latin1", 0, 4) !== "HEP3") throw new Error("no HEP3");
  if (bytes.readUInt16BE(4) !== bytes.length) throw new Error("wrong length");
  const chunks = new Map<number, Buffer>();
  for (let offset = 6; offset < bytes.length;) {
    if (bytes.readUInt16BE(offset) !== 0) throw new Error("vendor is not generic");
    const length = bytes.readUInt16BE(offset + 4);
    chunks.set(bytes.readUInt16BE(offset + 2), bytes.subarray(offset + 6, offset + length));
    offset += length;
  }
  const end = (v4: number, v6: number, port: number): string => {
    const four = chunks.get(v4);
    const text = four ? Array.from(four).join(".") : `[${chunks.get(v6)?.toString("hex")}]`;
    return `${text}:${chunks.get(port)?.readUInt16BE(0)}`;
  };
  return {
    family: chunks.get(1)?.readUInt8(0),
    transport: chunks.get(2)?.readUInt8(0),
    from: end(3, 5, 7),
    to: end(4, 6, 8),
    microseconds: (chunks.get(9)?.readUInt32BE(0) ?? 0) * 1_000_000 + (chunks.get(10)?.readUInt32BE(0) ?? 0),
    protocol: chunks.get(11)?.readUInt8(0),
    captureId: chunks.get(12)?.readUInt32BE(0),
    password: chunks.get(14)?.toString(),
    correlationId: chunks.get(17)?.toString(),
    text: chunks.get(15)?.toString() ?? "",
  };
}
