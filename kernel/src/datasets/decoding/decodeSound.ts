import { parseWav } from "../formats/wav";
import { smallFile } from "./bytesOf";
import { melSpectrogram, soundLength, soundRate } from "./mel";
import type { Item, SoundRecipe } from "./recipe";

const limit = 1 << 20;
/** Added before the logarithm is taken: silence has power 0. */
const floor = 1e-6;

/** A second of sound, at most, as its mel spectrogram: float32 (32 bands, 32 frames, 1). */
export function decodeSound({ logarithm }: SoundRecipe, { path }: Item): Float32Array {
  const samples = parseWav(smallFile(path, limit), path, { rate: soundRate, most: soundLength });
  const second = new Float32Array(soundLength);
  second.set(samples);
  const power = melSpectrogram(second);
  return logarithm ? power.map((value) => Math.log(value + floor)) : power;
}
