/**
 * What the sound tests demand. These figures were written down before the first measurement and are not to be moved
 * toward a result: where one is missed the relay is to be bettered, or the reason written here.
 */

/** What sound that met no trouble on its way must be like. */
export interface CleanBounds {
  /** Correlation of the aligned sounds as a whole. */
  readonly correlation: number;
  /** Most the loudness of speech may differ, dB. */
  readonly levelDb: number;
  /** Delay in samples at 8 kHz, by the RTP timestamps, that the path may have: what codecs look ahead. */
  readonly lag: readonly [least: number, most: number];
  /** Mean segmental signal-to-noise ratio, dB; a segment counts at most 35. */
  readonly snr: number;
  readonly stoi: number;
}

/** The ways a sound can go. `plc`: the browser sends Opus without in-band FEC. */
export type PathName = "pcmu" | "opus from browser" | "opus from browser, plc" | "opus to browser";

const narrowbandOpus: CleanBounds = {
  // SILK at 24 kbit/s codes the wave with some 10 dB: correlation 0.95. Level is kept by its gains.
  correlation: 0.92,
  levelDb: 0.5,
  // 6.5 ms of the encoder's look-ahead at 48 kHz and its own resampler's delay: the browser's, not ours.
  lag: [0, 96],
  snr: 8,
  // A wide margin below what STOI says of speech at 10 dB SNR with the noise shaped under it (over 0.95).
  stoi: 0.92,
};

export const clean: Readonly<Record<PathName, CleanBounds>> = {
  // Codes pass as they are and nothing is moved. (Measured first against the 16-bit sound, whose STOI after G.711's
  // rounding alone is 0.989; what SIP Server says is therefore taken as G.711 has it. The figures stayed.)
  pcmu: { correlation: 0.999, levelDb: 0.1, lag: [0, 0], snr: 33, stoi: 0.99 },
  "opus from browser": narrowbandOpus,
  "opus from browser, plc": narrowbandOpus,
  // Our encoder at complexity 1 is a little worse; its look-ahead is ours to answer for: 8 ms (design, 7).
  "opus to browser": { ...narrowbandOpus, correlation: 0.9, snr: 7, lag: [0, 64] },
};

/**
 * Harm of silence to STOI below which there is nothing to undo, and by how much the relay may then be worse. Added
 * after the first run: five lost frames in ten seconds can fall into pauses and consonants, where silence is as good a
 * guess as any.
 */
export const leastHarm = 0.015;
export const mostHarm = 0.01;

/** A cover may be quieter than what was lost (it fades out), never louder, dB over the whole sound. Added likewise. */
export const coveredLevelDb = [-2, 0.5] as const;

/** What must be left when packets were lost, beside doing nothing (silence in their place). */
export interface LossBounds {
  /** Share of the harm that silence does to STOI which must be undone, 0-1. */
  readonly stoiUndone: number;
  /** Least gain over silence in the lost frames alone, dB (silence has 0 there). */
  readonly coveredGainDb: number;
}

/**
 * Random single losses. A pitch period said again is right for a third of a frame's worth of voiced speech and no use in
 * a consonant; in-band FEC brings the frame itself at a lower rate, but is not there in every frame.
 */
export const randomLoss: Readonly<Record<PathName, LossBounds>> = {
  pcmu: { stoiUndone: 0.3, coveredGainDb: 1 },
  "opus from browser": { stoiUndone: 0.5, coveredGainDb: 3 },
  "opus from browser, plc": { stoiUndone: 0.3, coveredGainDb: 1 },
  "opus to browser": { stoiUndone: 0.3, coveredGainDb: 1 },
};

/** Two to five in a row: only the first can be guessed and only the last carried by FEC; the rest must not be noise. */
export const burstLoss: Readonly<Record<PathName, LossBounds>> = {
  pcmu: { stoiUndone: 0.1, coveredGainDb: -1 },
  "opus from browser": { stoiUndone: 0.25, coveredGainDb: 0.5 },
  "opus from browser, plc": { stoiUndone: 0.1, coveredGainDb: -1 },
  "opus to browser": { stoiUndone: 0.1, coveredGainDb: -1 },
};

/**
 * Most STOI that random loss may cost, whatever silence costs: no more than the share of sound lost (STOI correlates
 * over 384 ms, of which one frame is a twentieth), and 0.02 for the luck of the draw.
 */
export function mostStoiLost(lossPercent: number): number {
  return Math.max(0.02, lossPercent / 100);
}

/**
 * Packets that come in another order, by one or two places: with the repair nearly all of the harm that dropping them
 * does is undone, and the wave is the clean one but for a fraction of a decibel.
 */
export const reordered = { stoiUndone: 0.9, snrLostDb: 1 } as const;

/** Packets late by 0-60 ms in order: timestamps tell where they belong, so the sound is that of the clean path. */
export const jitter = { snrLostDb: 0.1, stoiLost: 0.002 } as const;

/** Packets late by 0-60 ms that overtake one another: those within the repair's reach come right. */
export const disorder = { stoiUndone: 0.5 } as const;

/**
 * A clock wrong by 200 ppm for ten minutes is 120 ms off in the end: six frames. Each stretch of speech must come out as
 * clean as on the clean path, but for those few that a correction falls into.
 */
export const drift = { snr: 33, stoi: 0.98, mostStretchesTouched: 7 } as const;

/**
 * Loss between us and the browser, 10 %: what our encoder's FEC must be worth where the browser reports it. Our FEC is
 * SILK's at 24 kbit/s as the browser's own is, so it must undo as much (see `randomLoss`), and a frame brought back must
 * be nearer than one the browser makes up. A change of the encoder's mode moves the sound by what one looks ahead more
 * (4 ms, a fifth of a frame) and may be heard in a frame or two.
 */
export const fecTowardBrowser = { stoiUndone: 0.5, coveredGainDb: 1, changeStoi: 0.95 } as const;

/**
 * A phone that plays 20 ms behind the first packet it got and drops what comes later: over 0-60 ms of jitter a good part
 * comes too late for it. With the jitter buffer what it gets is even, but for the time in which the buffer learns.
 */
export const phone = { stoiGain: 0.05, stoiLost: 0.1 } as const;
