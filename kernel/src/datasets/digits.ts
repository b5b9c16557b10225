import { Dataset } from "./dataset";
import { embeddedRows } from "./embedded";

const file = {
  path: "optdigits/digits.csv.gz",
  sha256: "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
  unpacked: 264_712,
};
const pixels = 64;
const trainSize = 1437;

/**
 * Handwritten digits of 8×8 pixels (optdigits, UCI, CC BY 4.0; `data/optdigits/NOTICE.md`), embedded in the package.
 * Pixels are scaled from 0 … 16 to 0 … 1. 1,437 train and 360 test images, stratified, the same split for everyone.
 */
export async function digits(): Promise<{ train: Dataset; test: Dataset }> {
  const rows = await embeddedRows("digits", file, ",");
  const images = new Float32Array(rows.length * pixels);
  const labels = new Int32Array(rows.length);
  rows.forEach((numbers, n) => {
    for (let i = 0; i < pixels; i++) images[n * pixels + i] = numbers[i] / 16;
    labels[n] = numbers[pixels];
  });
  const all = new Dataset({ name: "optdigits", inputShape: [8, 8, 1], numClasses: 10, images, labels });
  const [train, test] = all.split(trainSize, 1);
  return { train, test };
}
