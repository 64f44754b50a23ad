/** Quieter than this shows as nothing. */
const FLOOR_DB = -60;
/** A new figure with every fourth picture of the screen: 15 a second. */
const EVERY = 4;

/** How far a meter stands, 0 to 1, for the samples of a moment (-1 to 1): by the ear's measure, not by the voltage. */
export function meterLevel(samples: Float32Array): number {
  let power = 0;
  for (const sample of samples) power += sample * sample;
  const decibel = 10 * Math.log10(power / Math.max(1, samples.length));
  return Math.min(1, Math.max(0, 1 - decibel / FLOOR_DB));
}

/**
 * Measures a stream until ended, which also stops the stream. In step with the screen: a page out of sight measures nothing.
 * @returns ends it
 */
export function measure(stream: MediaStream, show: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let pictures = 0;
  let frame = requestAnimationFrame(function step() {
    frame = requestAnimationFrame(step);
    if (pictures++ % EVERY !== 0) return;
    analyser.getFloatTimeDomainData(samples);
    show(meterLevel(samples));
  });
  return () => {
    cancelAnimationFrame(frame);
    for (const track of stream.getTracks()) track.stop();
    context.close().catch(() => undefined);
  };
}
