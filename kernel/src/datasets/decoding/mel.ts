import FFT from "fft.js";

/** Samples a second, and samples of an example. */
export const soundRate = 16_000;
export const soundLength = 16_000;
const window = 1024;
const hop = 512;
const bands = 32;
const bins = window / 2 + 1;
const frames = 1 + Math.floor(soundLength / hop);

const fft = new FFT(window);
/** Hann, periodic. */
const hann = Float64Array.from(
  { length: window },
  (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / window),
);

const mel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
const hertz = (mels: number) => 700 * (10 ** (mels / 2595) - 1);

/** Triangles of height 1 between 34 frequencies that are evenly spaced in mel: (bands, bins). */
const filters = (() => {
  const top = mel(soundRate / 2);
  const points = Array.from({ length: bands + 2 }, (_, i) => hertz((top * i) / (bands + 1)));
  const weights = new Float64Array(bands * bins);
  for (let band = 0; band < bands; band++)
    for (let bin = 0; bin < bins; bin++) {
      const frequency = (bin * soundRate) / window;
      const [low, middle, high] = points.slice(band, band + 3);
      const rising = (frequency - low) / (middle - low);
      const falling = (high - frequency) / (high - middle);
      weights[band * bins + bin] = Math.max(0, Math.min(rising, falling));
    }
  return weights;
})();

/**
 * The mel power spectrogram of 16,000 samples at 16 kHz: float32 (32 bands, 32 frames). Windows of 1,024 samples (Hann),
 * 512 apart, the signal reflected at both ends so that frames are centred; |DFT|² through 32 triangles up to 8 kHz, mel
 * by 2595·log10(1 + f / 700), not normalised: what `MelSpectrogram(16000, n_fft=1024, n_mels=32)` of torchaudio gives.
 */
export function melSpectrogram(samples: Float32Array): Float32Array {
  const out = new Float32Array(bands * frames);
  const input: number[] = new Array(window).fill(0);
  const spectrum: number[] = fft.createComplexArray();
  const power = new Float64Array(bins);
  for (let frame = 0; frame < frames; frame++) {
    const start = frame * hop - window / 2;
    for (let n = 0; n < window; n++) input[n] = samples[reflected(start + n)] * hann[n];
    fft.realTransform(spectrum, input);
    for (let bin = 0; bin < bins; bin++) power[bin] = spectrum[2 * bin] ** 2 + spectrum[2 * bin + 1] ** 2;
    for (let band = 0; band < bands; band++) {
      let sum = 0;
      for (let bin = 0; bin < bins; bin++) sum += filters[band * bins + bin] * power[bin];
      out[band * frames + frame] = sum;
    }
  }
  return out;
}

function reflected(at: number): number {
  const inside = Math.abs(at);
  return inside < soundLength ? inside : 2 * (soundLength - 1) - inside;
}
