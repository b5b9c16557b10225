import { LutnnError } from "../../errors";

/** WAVE_FORMAT_PCM, and WAVE_FORMAT_EXTENSIBLE, whose own first two bytes of a longer name say PCM too. */
const [pcm, extensible] = [1, 0xfffe];

/**
 * The samples of a WAV file of one channel and 16 bits, −1 … 1, at most `most` of them. Throws LutnnError, opened by
 * `name`, on another rate or form and on damage.
 */
export function parseWav(
  bytes: Buffer,
  name: string,
  { rate, most }: { rate: number; most: number },
): Float32Array {
  const refuse = (why: string) =>
    new LutnnError(
      `${name}: the file must be WAV of one channel, 16 bits and ${rate} Hz (${why}); it is damaged, get it again`,
    );
  const text = (at: number) => bytes.toString("latin1", at, at + 4);
  if (bytes.length < 12 || text(0) !== "RIFF" || text(8) !== "WAVE")
    throw refuse(`it begins with ${JSON.stringify(text(0))}`);
  let isPcm = false;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [chunk, size, start] = [text(at), bytes.readUInt32LE(at + 4), at + 8];
    if (start + size > bytes.length)
      throw refuse(`its part ${JSON.stringify(chunk)} has ${bytes.length - start} of ${size} bytes`);
    if (chunk === "fmt ") {
      if (size < 16) throw refuse(`its description has ${size} bytes`);
      const said = [bytes.readUInt16LE(start), bytes.readUInt16LE(start + 2), bytes.readUInt32LE(start + 4)];
      if (said[0] === extensible && size >= 26) said[0] = bytes.readUInt16LE(start + 24);
      const bits = bytes.readUInt16LE(start + 14);
      if (said.join() !== [pcm, 1, rate].join() || bits !== 16)
        throw refuse(`it has form ${said[0]}, ${said[1]} channels, ${bits} bits and ${said[2]} Hz`);
      isPcm = true;
    } else if (chunk === "data") {
      if (!isPcm) throw refuse("its samples come before their description");
      if (size % 2 !== 0 || size / 2 > most)
        throw refuse(`it has ${size / 2} samples, and at most ${most} are read`);
      return Float32Array.from({ length: size / 2 }, (_, i) => bytes.readInt16LE(start + 2 * i) / 32_768);
    }
    at = start + size + (size % 2);
  }
  throw refuse("it has no samples");
}
