import { createCipheriv, createHmac } from "node:crypto";

/** One direction of SDES-SRTP by node:crypto alone, nothing of src: RFC 3711 4.1.1, 4.2.1, 4.3; RFC 4568 6.2. */
export class SdesKey {
  readonly #tagBytes: number;
  readonly #cipher: Buffer;
  readonly #mac: Buffer;
  readonly #salt: Buffer;

  /** `key`: master key and salt in base64, as in `a=crypto`. `tagBytes`: 10 or 4. */
  constructor(key: string, tagBytes: number) {
    const master = Buffer.from(key, "base64");
    if (master.length !== 30) throw new Error(`master key and salt of ${master.length} bytes`);
    const derive = (label: number, length: number): Buffer => {
      const iv = Buffer.concat([master.subarray(16), Buffer.alloc(2)]);
      iv.writeUInt8(iv.readUInt8(7) ^ label, 7);
      return createCipheriv("aes-128-ctr", master.subarray(0, 16), iv).update(Buffer.alloc(length));
    };
    this.#tagBytes = tagBytes;
    this.#cipher = derive(0, 16);
    this.#mac = derive(1, 20);
    this.#salt = derive(2, 14);
  }

  /** Packets without CSRCs and extension; `roc`: rollover counter. */
  seal(packet: Buffer, roc = 0): Buffer {
    const sealed = Buffer.concat([packet.subarray(0, 12), this.#apply(packet.subarray(12), packet, roc)]);
    return Buffer.concat([sealed, this.#tag(sealed, roc)]);
  }

  /** Undefined when the tag is wrong. */
  open(packet: Buffer, roc = 0): Buffer | undefined {
    const end = packet.length - this.#tagBytes;
    if (end < 12 || !this.#tag(packet.subarray(0, end), roc).equals(packet.subarray(end))) return undefined;
    return Buffer.concat([packet.subarray(0, 12), this.#apply(packet.subarray(12, end), packet, roc)]);
  }

  #apply(payload: Buffer, header: Buffer, roc: number): Buffer {
    const iv = Buffer.concat([this.#salt, Buffer.alloc(2)]);
    const mask = Buffer.alloc(16);
    header.copy(mask, 4, 8, 12);
    mask.writeUInt32BE(roc, 8);
    header.copy(mask, 12, 2, 4);
    for (let index = 0; index < 16; index++)
      iv.writeUInt8(iv.readUInt8(index) ^ mask.readUInt8(index), index);
    return createCipheriv("aes-128-ctr", this.#cipher, iv).update(payload);
  }

  #tag(text: Buffer, roc: number): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(roc);
    return createHmac("sha1", this.#mac).update(text).update(counter).digest().subarray(0, this.#tagBytes);
  }
}
