import type { CodecName } from "../contract.ts";

/** How a codec bears up: impairment of its own (Ie) and robustness against loss (Bpl), ITU-T G.107 7.5. */
export interface Equipment {
  readonly ie: number;
  readonly bpl: number;
}

/**
 * G.711: ITU-T G.113 Appendix I, with concealment (G.711 Appendix I) and without. Opus: narrowband at 11 kbit/s, the
 * highest rate measured, from Alahmadi, Pocta and Melvin, "An Adaptive Bitrate Switching Algorithm for Speech
 * Applications in Context of WebRTC" (ACM TOMM 17, 2021); what browsers and we send has no less.
 */
export const equipment = {
  g711: { ie: 0, bpl: 25.1 },
  g711WithoutConcealment: { ie: 0, bpl: 4.3 },
  opus: { ie: 2.03, bpl: 15.95 },
} as const satisfies Record<string, Equipment>;

/**
 * The figures a codec is judged by. Everybody is taken to conceal: we do, browsers do, telephones of today do. G.722
 * is judged as G.711: G.113 has figures for it on the wideband scale only, where the two cannot be compared.
 */
export function equipmentOf(codec: CodecName | undefined): Equipment {
  return codec === "opus" ? equipment.opus : equipment.g711;
}

/** What a way through the network did to the sound. */
export interface Transmission {
  readonly equipment: Equipment;
  /** Packets not played, percent: lost or too late, and not recovered by redundancy. */
  readonly lossPercent: number;
  /** Mean length of a run of lost packets, over what random loss would make of it; 1 = random (G.107 7.5). */
  readonly burstRatio: number;
  /** Mouth to ear one way, ms. */
  readonly delayMs: number;
}

/** Basic signal-to-noise ratio less what comes with the voice: G.107 7.2 and 7.3 at the defaults of its Table 2. */
const basicRating = 94.7688;
const simultaneousImpairment = 1.4136;
/** Echo losses of talker and listener, dB: the defaults, that of a good echo canceller. */
const telr = 65;
const wepl = 110;

/** Rating factor R of the narrowband E-model, 0 to 93.2; all that is not named is at the defaults of G.107 Table 2. */
export function ratingOf({ equipment: { ie, bpl }, lossPercent, burstRatio, delayMs }: Transmission): number {
  const loss = between(0, lossPercent, 100);
  const delay = between(0, delayMs, 10_000);
  const effectiveIe = ie + ((95 - ie) * loss) / (loss / Math.max(1, burstRatio) + bpl);
  const rating = basicRating - simultaneousImpairment - delayImpairment(delay) - effectiveIe;
  return Math.max(0, rating);
}

/** Id of G.107 7.4: talker's echo, listener's echo, and delay by itself; T = Ta, Tr = 2 T. */
function delayImpairment(delay: number): number {
  return talkerEcho(delay) + listenerEcho(2 * delay) + pureDelay(delay);
}

function talkerEcho(delay: number): number {
  const terv =
    telr - 40 * Math.log10((1 + delay / 10) / (1 + delay / 150)) + 6 * Math.exp(-0.3 * delay * delay);
  const half = (basicRating - (80 + 2.5 * (terv - 14))) / 2;
  return (half + Math.hypot(half, 10) - 1) * (1 - Math.exp(-delay));
}

function listenerEcho(roundTrip: number): number {
  const half = (basicRating - 10.5 * (wepl + 7) * (roundTrip + 1) ** -0.25) / 2;
  return half + Math.hypot(half, 13);
}

function pureDelay(delay: number): number {
  if (delay <= 100) return 0;
  const x = Math.log2(delay / 100);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

/** Mean opinion score, 1 to 4.5, of a rating (G.107 Annex B). */
export function mosOf(rating: number): number {
  const r = between(0, rating, 100);
  return between(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6, 4.5);
}

/** One packet's time and what it takes to code it, ms. */
const codingMs = 20;
/** What a receiver's jitter buffer is taken to hold, ms: twice the jitter, within what phones and browsers do. */
const shortestBufferMs = 20;
const longestBufferMs = 200;

/**
 * One-way delay of a way, ms: half the round trip, 20 ms of packet, and the jitter buffer at its end, which nobody
 * tells and which is taken to hold twice the jitter, 20 to 200 ms.
 */
export function oneWayDelay(roundTripMs: number | undefined, jitterMs: number): number {
  return (roundTripMs ?? 0) / 2 + codingMs + between(shortestBufferMs, 2 * jitterMs, longestBufferMs);
}

/** `value` within bounds; what is no number counts as the lowest. */
function between(lowest: number, value: number, highest: number): number {
  return value > lowest ? Math.min(value, highest) : lowest;
}
