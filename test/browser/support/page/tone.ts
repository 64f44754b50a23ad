const MEASURED_MS = 150;
const SILENCE_DB = -70;

/** Loudest frequency of a stream, Hz; 0 for silence. */
export async function toneOf(stream: MediaStream): Promise<number> {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(stream).connect(analyser);
  // Sound takes its time: no event says that a piece of it has been played.
  await new Promise((resolve) => {
    setTimeout(resolve, MEASURED_MS);
  });
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  await context.close();
  const loudest = Math.max(...bins);
  return loudest < SILENCE_DB ? 0 : (bins.indexOf(loudest) * context.sampleRate) / analyser.fftSize;
}
