/** Zero crossings of the sinc kept on each side, at the lower of the two rates. */
const lobes = 24;
/** Kaiser window: some 80 dB of stop band. */
const beta = 8;

function bessel0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; k < 40; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/**
 * Changes the sampling rate by `up / down`, without delay: sample n of the output is the input at time
 * `n * down / up`. A low-pass below both Nyquist rates (windowed sinc, linear phase).
 */
export function resample(samples: ArrayLike<number>, up: number, down: number): Float64Array {
  const cutoff = Math.min(1, up / down) * 0.96;
  const reach = lobes / cutoff;
  // One set of weights for each of the `up` phases an output sample can have between two input samples.
  const width = Math.ceil(reach) * 2;
  const phases = Array.from({ length: up }, (_, phase) => {
    const weights = new Float64Array(width);
    let sum = 0;
    for (let tap = 0; tap < width; tap++) {
      const distance = tap - width / 2 + 1 - phase / up;
      if (Math.abs(distance) >= reach) continue;
      const x = Math.PI * cutoff * distance;
      const window = bessel0(beta * Math.sqrt(1 - (distance / reach) ** 2)) / bessel0(beta);
      const weight = (x === 0 ? 1 : Math.sin(x) / x) * window;
      weights[tap] = weight;
      sum += weight;
    }
    return weights.map((weight) => weight / sum);
  });
  const out = new Float64Array(Math.floor((samples.length * up) / down));
  for (let index = 0; index < out.length; index++) {
    const position = index * down;
    const first = Math.floor(position / up) - width / 2 + 1;
    const weights = phases[position % up] ?? new Float64Array(width);
    let value = 0;
    for (let tap = 0; tap < width; tap++) value += (weights[tap] ?? 0) * (samples[first + tap] ?? 0);
    out[index] = value;
  }
  return out;
}

/** To 16 bits, cut at full scale. */
export function toPcm(samples: ArrayLike<number>): Int16Array {
  return Int16Array.from(samples, (value) => Math.max(-32_768, Math.min(32_767, Math.round(value))));
}
