/** The two laws of ITU-T G.711. */
export type Law = "pcmu" | "pcma";

/** Value of an unsigned byte that stands for silence in each law. */
export const silenceByte: Readonly<Record<Law, number>> = { pcmu: 0xff, pcma: 0xd5 };

const muBias = 0x84;
const muClip = 32635;

/** One 16-bit linear sample as a byte of `law`. */
export function compress(law: Law, sample: number): number {
  return law === "pcmu" ? toMu(sample) : toA(sample);
}

/** One byte of `law` as a 16-bit linear sample. */
export function expand(law: Law, byte: number): number {
  return law === "pcmu" ? fromMu(byte) : fromA(byte);
}

function toMu(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), muClip) + muBias;
  // Segment = position of the highest set bit above bit 7; the bias makes sure there is one.
  const segment = 24 - Math.clz32(magnitude);
  const step = (magnitude >> (segment + 3)) & 0x0f;
  return ~(sign | (segment << 4) | step) & 0xff;
}

function fromMu(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + muBias) << ((code >> 4) & 7)) - muBias;
  // 0 - x, not -x: there is one zero.
  return code & 0x80 ? 0 - magnitude : magnitude;
}

function toA(sample: number): number {
  const sign = sample < 0 ? 0 : 0x80;
  // 13-bit magnitude; one's complement for negative values, as the law's table has it.
  const magnitude = (sample < 0 ? ~sample : sample) >> 3;
  const clipped = Math.min(magnitude, 0x0fff);
  const segment = clipped < 32 ? 0 : 27 - Math.clz32(clipped);
  const step = segment < 1 ? (clipped >> 1) & 0x0f : (clipped >> segment) & 0x0f;
  return (sign | (segment << 4) | step) ^ 0x55;
}

function fromA(byte: number): number {
  const code = byte ^ 0x55;
  const segment = (code >> 4) & 7;
  const step = ((code & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return code & 0x80 ? magnitude : -magnitude;
}
