const blockBytes = 64;

/** Message schedule, shared: one thread hashes one block at a time. */
const schedule = new Int32Array(80);

/** SHA-1's compression of one 64-byte block at `offset` into `state` (FIPS 180-4 6.1.2). Branches on no data. */
function compress(state: Int32Array, data: Uint8Array, offset: number): void {
  const w = schedule;
  for (let t = 0, at = offset; t < 16; t++, at += 4)
    w[t] =
      ((data[at] ?? 0) << 24) |
      ((data[at + 1] ?? 0) << 16) |
      ((data[at + 2] ?? 0) << 8) |
      (data[at + 3] ?? 0);
  for (let t = 16; t < 80; t++) {
    const x = (w[t - 3] ?? 0) ^ (w[t - 8] ?? 0) ^ (w[t - 14] ?? 0) ^ (w[t - 16] ?? 0);
    w[t] = (x << 1) | (x >>> 31);
  }
  const h0 = state[0] ?? 0;
  const h1 = state[1] ?? 0;
  const h2 = state[2] ?? 0;
  const h3 = state[3] ?? 0;
  const h4 = state[4] ?? 0;
  let a = h0;
  let b = h1;
  let c = h2;
  let d = h3;
  let e = h4;
  for (let t = 0; t < 20; t++) {
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | (~b & d)) + e + 0x5a827999 + (w[t] ?? 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 20; t < 40; t++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0x6ed9eba1 + (w[t] ?? 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 40; t < 60; t++) {
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | (b & d) | (c & d)) + e - 0x70e44324 + (w[t] ?? 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 60; t < 80; t++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e - 0x359d3e2a + (w[t] ?? 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] = (h0 + a) | 0;
  state[1] = (h1 + b) | 0;
  state[2] = (h2 + c) | 0;
  state[3] = (h3 + d) | 0;
  state[4] = (h4 + e) | 0;
}

/** State after the block `key XOR pad`: where every HMAC of this key starts (RFC 2104 4). */
function midState(key: Uint8Array, pad: number): Int32Array {
  const block = new Uint8Array(blockBytes).fill(pad);
  for (let i = 0; i < key.length; i++) block[i] = (block[i] ?? 0) ^ (key[i] ?? 0);
  const state = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]);
  compress(state, block, 0);
  return state;
}

function writeWords(state: Int32Array, out: Uint8Array, words: number): void {
  for (let i = 0; i < words; i++) {
    const word = state[i] ?? 0;
    out[i * 4] = word >>> 24;
    out[i * 4 + 1] = word >>> 16;
    out[i * 4 + 2] = word >>> 8;
    out[i * 4 + 3] = word;
  }
}

/**
 * HMAC-SHA1 (RFC 2104) with the key's two blocks hashed once. It exists because Node 24 takes 11-18 us to start an
 * HMAC from a key (measured); a whole tag here takes about one. Allocates nothing per call.
 */
export class HmacSha1 {
  readonly #inner: Int32Array;
  readonly #outer: Int32Array;
  readonly #state = new Int32Array(5);
  /** Remainder of the message, the trailer, padding and length: at most two blocks. */
  readonly #tail = new Uint8Array(2 * blockBytes);
  readonly #outerBlock = new Uint8Array(blockBytes);
  /** The last tag computed, 20 bytes; overwritten by the next. */
  readonly digest = new Uint8Array(20);

  /** `key`: at most 64 bytes. */
  constructor(key: Uint8Array) {
    if (key.length > blockBytes) throw new RangeError("HMAC key longer than a block");
    this.#inner = midState(key, 0x36);
    this.#outer = midState(key, 0x5c);
    this.#outerBlock[20] = 0x80;
    this.#outerBlock[62] = ((blockBytes + 20) * 8) >>> 8;
    this.#outerBlock[63] = ((blockBytes + 20) * 8) & 0xff;
  }

  /** Tag of `data[0, length)`, into `digest`. */
  compute(data: Uint8Array, length: number): void {
    const rest = this.#absorb(data, length);
    this.#finish(rest, length);
  }

  /** Tag of `data[0, length)` followed by `trailer` as four bytes big-endian (SRTP's ROC), into `digest`. */
  computeWithTrailer(data: Uint8Array, length: number, trailer: number): void {
    const rest = this.#absorb(data, length);
    const tail = this.#tail;
    tail[rest] = trailer >>> 24;
    tail[rest + 1] = trailer >>> 16;
    tail[rest + 2] = trailer >>> 8;
    tail[rest + 3] = trailer;
    this.#finish(rest + 4, length + 4);
  }

  /** Whether the first `bytes` of the digest equal `data` at `offset`; takes the same time wherever they differ. */
  matches(data: Uint8Array, offset: number, bytes: number): boolean {
    let difference = 0;
    for (let i = 0; i < bytes; i++) difference |= (this.digest[i] ?? 0) ^ (data[offset + i] ?? 0);
    return difference === 0;
  }

  /** Hashes the whole blocks, leaves what remains at the start of the tail and returns its length. */
  #absorb(data: Uint8Array, length: number): number {
    const state = this.#state;
    // Five words: a loop beats the call that copies them.
    for (let i = 0; i < 5; i++) state[i] = this.#inner[i] ?? 0;
    let at = 0;
    for (; at + blockBytes <= length; at += blockBytes) compress(state, data, at);
    const tail = this.#tail;
    for (let i = at; i < length; i++) tail[i - at] = data[i] ?? 0;
    return length - at;
  }

  #finish(rest: number, messageBytes: number): void {
    const tail = this.#tail;
    const end = rest + 9 <= blockBytes ? blockBytes : 2 * blockBytes;
    tail[rest] = 0x80;
    for (let i = rest + 1; i < end - 4; i++) tail[i] = 0;
    const bits = (blockBytes + messageBytes) * 8;
    tail[end - 4] = bits >>> 24;
    tail[end - 3] = bits >>> 16;
    tail[end - 2] = bits >>> 8;
    tail[end - 1] = bits;
    compress(this.#state, tail, 0);
    if (end > blockBytes) compress(this.#state, tail, blockBytes);
    writeWords(this.#state, this.#outerBlock, 5);
    for (let i = 0; i < 5; i++) this.#state[i] = this.#outer[i] ?? 0;
    compress(this.#state, this.#outerBlock, 0);
    writeWords(this.#state, this.digest, 5);
  }
}
