import type { Pick } from "../../support/seeded.ts";

/** Values that lengths and counts go wrong with. */
const extremes = [0, 1, 2, 3, 4, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff];

export function randomBytes(pick: Pick, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index++) bytes[index] = pick(256);
  return bytes;
}

type Change = (pick: Pick, bytes: Buffer) => Buffer;

const changes: readonly Change[] = [
  (pick, bytes) => {
    for (let left = 1 + pick(8); left > 0; left--) bytes[pick(bytes.length)] = pick(256);
    return bytes;
  },
  (pick, bytes) => {
    const at = pick(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8));
    return bytes;
  },
  (pick, bytes) => {
    if (bytes.length >= 2) bytes.writeUInt16BE(extremes[pick(extremes.length)] ?? 0, pick(bytes.length - 1));
    return bytes;
  },
  (pick, bytes) => bytes.subarray(0, pick(bytes.length + 1)),
  (pick, bytes) => bytes.subarray(pick(Math.min(bytes.length, 64) + 1)),
  (pick, bytes) => Buffer.concat([bytes, randomBytes(pick, pick(64))]),
  (pick, bytes) => {
    const at = pick(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), randomBytes(pick, 1 + pick(16)), bytes.subarray(at)]);
  },
  (pick, bytes) => {
    const at = pick(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + pick(16))]);
  },
  (pick, bytes) => {
    const at = pick(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(pick(bytes.length)), bytes.subarray(0, at)]);
  },
];

/**
 * A packet that is none any more: one of `valid` with one to three changes (bytes, bits, lengths, cuts, insertions,
 * repetitions), two of them spliced, or random bytes altogether (an eighth). Never longer than `most`.
 */
export function mutant(pick: Pick, valid: readonly Buffer[], most = 1500): Buffer {
  const kind = pick(8);
  if (kind === 0) return randomBytes(pick, pick(pick(4) === 0 ? most : 80));
  const one = valid[pick(valid.length)] ?? Buffer.alloc(0);
  let bytes = Buffer.from(one);
  if (kind === 1) {
    const other = valid[pick(valid.length)] ?? one;
    bytes = Buffer.concat([one.subarray(0, pick(one.length + 1)), other.subarray(pick(other.length + 1))]);
  }
  for (let left = 1 + pick(3); left > 0 && bytes.length > 0; left--)
    bytes = Buffer.from(changes[pick(changes.length)]?.(pick, bytes) ?? bytes);
  return bytes.subarray(0, most);
}
