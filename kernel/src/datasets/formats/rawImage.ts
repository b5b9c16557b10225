import type { Image } from "../decoding/image";

/** Raw bytes (3, side, side) by channel, row, column (`planar`) or channel, column, row (`columnMajor`). */
export function imageOfRaw(bytes: Uint8Array, order: "planar" | "columnMajor", side: number): Image {
  const pixels = new Uint8Array(bytes.length);
  const [down, right] = order === "planar" ? [side, 1] : [1, side];
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        pixels[(y * side + x) * 3 + c] = bytes[c * side * side + y * down + x * right];
  return { height: side, width: side, channels: 3, pixels };
}
