/** A picture of bytes: (height, width, channels), channels 1 or 3. */
export interface Image {
  height: number;
  width: number;
  channels: number;
  pixels: Uint8Array;
}

/** Bytes 0 … 255 as (p / 255 − mean) / deviation of their channel: float32 (height, width, channels). */
export function normalised(
  { channels, pixels }: Image,
  mean: readonly number[],
  deviation: readonly number[],
): Float32Array {
  const tables = mean.map((middle, channel) =>
    Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - middle) / deviation[channel]),
  );
  const values = new Float32Array(pixels.length);
  for (let channel = 0; channel < channels; channel++) {
    const table = tables[channel];
    for (let i = channel; i < pixels.length; i += channels) values[i] = table[pixels[i]];
  }
  return values;
}
