import { LutnnError } from "../../errors";
import type { Image } from "../decoding/image";

const mostSide = 16_384;

/** Reads a binary PPM (P6) of bytes; `name` opens the error's sentence. */
export function parsePpm(bytes: Uint8Array, name: string): Image {
  const refuse = (why: string) =>
    new LutnnError(`${name}: the file must be binary PPM of bytes (${why}); it is damaged, get it again`);
  if (bytes[0] !== 0x50 || bytes[1] !== 0x36)
    throw refuse(`its first bytes are ${bytes.slice(0, 2).join(" ")}`);
  let at = 2;
  const isSpace = (byte: number) => byte === 32 || (byte >= 9 && byte <= 13);
  function number(): number {
    for (;;)
      if (isSpace(bytes[at])) at++;
      else if (bytes[at] === 0x23) while (at < bytes.length && bytes[at] !== 10) at++;
      else break;
    let value = 0;
    let digits = 0;
    for (; bytes[at] >= 48 && bytes[at] <= 57 && digits < 6; at++, digits++)
      value = value * 10 + bytes[at] - 48;
    if (digits === 0) throw refuse(`there is no number at byte ${at} of its header`);
    return value;
  }
  const [width, height, most] = [number(), number(), number()];
  if (!isSpace(bytes[at])) throw refuse(`its header does not end at byte ${at}`);
  at++;
  if (most !== 255) throw refuse(`its largest value is ${most}`);
  if (width < 1 || height < 1 || width > mostSide || height > mostSide)
    throw refuse(`it claims ${width} × ${height} pixels`);
  const size = width * height * 3;
  if (bytes.length - at !== size)
    throw refuse(`${width} × ${height} pixels take ${size} bytes, and ${bytes.length - at} are there`);
  return { height, width, channels: 3, pixels: bytes.subarray(at) };
}
