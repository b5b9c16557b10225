// Files of so many examples in the form that a data set has, of the sizes usual in it, with random content.
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const sharp = require("sharp");
const { speechWords: words } = require("../lib/datasets/speechCommands.js");
const { seededRandom } = require("../lib/pq/random.js");

const random = seededRandom(1, "pipeline");
const below = (count) => Math.floor(random() * count);
const bytes = randomBytes;
const folder = (...parts) => {
  const path = join(...parts);
  mkdirSync(path, { recursive: true });
  return path;
};

/** A smooth picture with some noise: a JPEG of it is about as long as one of a photograph. */
function picture(height, width) {
  const pixels = Buffer.alloc(height * width * 3);
  const [a, b] = [9 + below(20), 7 + below(20)];
  for (let i = 0; i < pixels.length; i++) {
    const [y, x] = [Math.floor(i / (3 * width)), Math.floor(i / 3) % width];
    pixels[i] = 120 + 70 * Math.sin(x / a + (i % 3)) * Math.cos(y / b) + below(24);
  }
  return { pixels, height, width };
}

const jpeg = ({ pixels, height, width }, path) =>
  sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toFile(path);

/** By name: writes `count` training examples below `root`. */
export const makers = {
  "cifar-10": (root, count) => {
    const inside = folder(root, "cifar-10/cifar-10-batches-bin");
    const records = (n) =>
      Buffer.concat(Array.from({ length: n }, () => [Uint8Array.of(below(10)), bytes(3072)]).flat());
    for (let n = 1; n <= 5; n++) writeFileSync(join(inside, `data_batch_${n}.bin`), records(count / 5));
    writeFileSync(join(inside, "test_batch.bin"), records(1));
  },
  gtsrb: (root, count) => {
    const title = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n";
    const sign = (path) => {
      const [height, width] = [30 + below(60), 30 + below(60)];
      writeFileSync(
        path,
        Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), bytes(3 * width * height)]),
      );
    };
    const inside = folder(root, "gtsrb/GTSRB/Training/00000");
    const names = Array.from({ length: count }, (_, n) => `${String(n).padStart(5, "0")}.ppm`);
    for (const name of names) sign(join(inside, name));
    writeFileSync(
      join(inside, "GT-00000.csv"),
      title + names.map((name) => `${name};1;1;0;0;1;1;0\n`).join(""),
    );
    sign(join(folder(root, "gtsrb/GTSRB/Final_Test/Images"), "0.ppm"));
    writeFileSync(join(root, "gtsrb/GT-final_test.csv"), `${title}0.ppm;1;1;0;0;1;1;0\n`);
  },
  "speech-commands": (root, count) => {
    const samples = bytes(32_000);
    const head = Buffer.alloc(44);
    head.write("RIFF\0\0\0\0WAVEfmt ", "latin1");
    for (const [at, value] of [
      [16, 16],
      [24, 16_000],
      [28, 32_000],
      [40, samples.length],
    ])
      head.writeUInt32LE(value, at);
    for (const [at, value] of [
      [20, 1],
      [22, 1],
      [32, 2],
      [34, 16],
    ])
      head.writeUInt16LE(value, at);
    head.write("data", 36, "latin1");
    for (const word of words) folder(root, "speech-commands", word);
    const name = (n) => `${words[n % words.length]}/${n.toString(16).padStart(8, "0")}_nohash_0.wav`;
    const content = Buffer.concat([head, samples]);
    for (let n = 0; n < count + 2; n++) writeFileSync(join(root, "speech-commands", name(n)), content);
    writeFileSync(join(root, "speech-commands/validation_list.txt"), `${name(count)}\n`);
    writeFileSync(join(root, "speech-commands/testing_list.txt"), `${name(count + 1)}\n`);
  },
  utkface: async (root, count) => {
    const inside = folder(root, "utkface");
    for (let n = 0; n < count / 0.8; n++)
      await jpeg(picture(200, 200), join(inside, `${n % 100}_0_0_${n}.jpg.chip.jpg`));
  },
  imagenet: async (root, count) => {
    const [train, val] = ["train", "val"].map((part) => folder(root, "imagenet", part, "n01440764"));
    for (let n = 0; n < count; n++) await jpeg(picture(375, 500), join(train, `n01440764_${n}.JPEG`));
    await jpeg(picture(375, 500), join(val, "n01440764_0.JPEG"));
  },
};
