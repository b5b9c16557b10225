import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { melSpectrogram } from "../../../kernel/lib/datasets/decoding/mel";

// Beside librosa, which has its own windows, transform, triangles and reflection; formats/mel.py wrote what it found.
it("the mel spectrogram is librosa's, band by band", () => {
  const { shape, values } = JSON.parse(readFileSync(join(__dirname, "formats/melLibrosa.json"), "utf8")) as {
    shape: number[];
    values: number[];
  };
  const sound = Float32Array.from(
    { length: 16_000 },
    (_, n) => (((7 * n * n + 13 * n) % 20_011) - 10_005) / 32_768,
  );
  const own = melSpectrogram(sound);
  expect([32, own.length / 32]).toEqual(shape);
  const apart = values.map((value, i) => Math.abs(own[i] - value) / Math.abs(value));
  expect(Math.min(...values)).toBeGreaterThan(1e-3); // else a relative error would say nothing
  expect(Math.max(...apart)).toBeLessThan(1e-6); // float32 has 6e-8; asked are 1e-4
});
