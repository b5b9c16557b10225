import { LutnnError } from "../../errors";
import type { Image } from "../decoding/image";

/** Pixels that are decoded at most. */
const mostPixels = 1 << 25;

type Sharp = typeof import("sharp");
let loading: Promise<Sharp> | undefined;

/** libvips, one thread a picture and no memory of pictures before: workers decode several at once. */
export function loadSharp(): Promise<Sharp> {
  loading ??= import("sharp").then(({ default: sharp }) => {
    sharp.concurrency(1);
    sharp.cache(false);
    return sharp;
  });
  return loading;
}

/** A JPEG, or a PNG as some sets have among them, as three channels; `name` opens the error's sentence. */
export async function decodeJpeg(bytes: Buffer, name: string): Promise<Image> {
  const refuse = (why: string) =>
    new LutnnError(
      `${name}: the file must be a whole JPEG (${why}); it is damaged, get it again or leave it out`,
    );
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
  const isPng = bytes.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
  if (!isJpeg && !isPng) throw refuse(`its first bytes are ${[...bytes.subarray(0, 3)].join(" ")}`);
  const sharp = await loadSharp();
  try {
    const image = sharp(bytes, { limitInputPixels: mostPixels, failOn: "error" });
    const { space } = await image.metadata();
    const converted =
      space === "cmyk"
        ? image.pipelineColourspace("cmyk").toColourspace("cmyk")
        : image.toColourspace("srgb").removeAlpha();
    const { data, info } = await converted.raw().toBuffer({ resolveWithObject: true });
    const pixels = threeChannels(data, info.channels);
    if (pixels) return { height: info.height, width: info.width, channels: 3, pixels };
    throw new Error(`it has ${info.channels} channels`);
  } catch (error) {
    throw refuse((error as Error).message.split("\n")[0]);
  }
}

/** Grey is all three; of ink, white is what it leaves, without a profile of colours. Null for something else. */
function threeChannels(data: Uint8Array, channels: number): Uint8Array | null {
  if (channels === 3) return data;
  if (channels === 1) return Uint8Array.from({ length: data.length * 3 }, (_, i) => data[Math.floor(i / 3)]);
  if (channels !== 4) return null;
  const pixels = new Uint8Array((data.length / 4) * 3);
  for (let i = 0; i < data.length / 4; i++) {
    const white = 255 - data[4 * i + 3];
    for (let c = 0; c < 3; c++) pixels[3 * i + c] = white - Math.round((data[4 * i + c] * white) / 255);
  }
  return pixels;
}
