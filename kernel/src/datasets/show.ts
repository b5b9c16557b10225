import * as tf from "@tensorflow/tfjs-node";
import { tableBundle } from "../host/bundles/table";
import { escapeMarkup } from "../host/escapeMarkup";
import type { MimeBundle } from "../host/host";
import { describeTarget, type TargetSpec } from "../tasks/target";
import { disposeBatch, type ExampleSource } from "./examples";

/** Examples that are shown: two rows of pictures, or rows of a table. */
const shown = 16;
const columns = 8;
/** Pixels of a picture's longer side, between pictures, and below each for its target. */
const [side, gap, caption] = [72, 10, 18];
/** Numbers of a vector that are shown. */
const longest = 8;

/**
 * A data set as a notebook shows it: pictures in a grid with what is to be learnt of each, else a table of the inputs'
 * numbers; size, inputs and target in words.
 */
export async function showExamples(data: ExampleSource): Promise<MimeBundle> {
  const examples = await firstExamples(data, Math.min(shown, data.size));
  const [input] = data.inputs;
  const title = summary(data);
  if (data.inputs.length === 1 && isPicture(input.shape)) {
    const drawn = await Promise.all(
      examples.map(async ({ inputs, target }) => ({
        png: await pictureOf(inputs[0], input.shape),
        text: targetText(target, data.target),
      })),
    );
    const [height, width] = input.shape;
    return { "image/svg+xml": gridOf(title, drawn, width / height), "text/plain": title };
  }
  const titles = [...data.inputs.map(({ name }) => name), "target"];
  const rows = examples.map(({ inputs, target }) => [
    ...inputs.map((values) => numbersText(values)),
    targetText(target, data.target),
  ]);
  return tableBundle(titles, rows.length, (row) => rows[row], title);
}

/** "optdigits: 1,437 examples; image 8×8×1 float32; target: one of 10 classes" */
export function summary({ name, size, inputs, target }: ExampleSource): string {
  const shapes = inputs.map(({ name: input, shape, dtype }) =>
    [input, shape.join("×"), dtype].filter(Boolean).join(" "),
  );
  const unit = target.kind === "values" && target.unit ? ` in ${target.unit}` : "";
  return `${name}: ${size.toLocaleString("en")} examples; ${shapes.join(", ")}; target: ${describeTarget(target)}${unit}`;
}

interface Shown {
  inputs: (Float32Array | Int32Array)[];
  target: Float32Array | Int32Array;
}

async function firstExamples(data: ExampleSource, count: number): Promise<Shown[]> {
  for await (const batch of data.batches(count)) {
    const rows = (tensor: tf.Tensor) => {
      const values = tensor.dataSync() as Float32Array | Int32Array;
      const length = values.length / batch.size;
      return (row: number) => values.slice(row * length, (row + 1) * length);
    };
    const inputs = data.inputs.map(({ name }) => rows(batch.inputs[name]));
    const target = rows(batch.targets);
    const examples = Array.from({ length: batch.size }, (_, row) => ({
      inputs: inputs.map((rowOf) => rowOf(row)),
      target: target(row),
    }));
    disposeBatch(batch);
    return examples;
  }
  return [];
}

const isPicture = (shape: readonly number[]) =>
  shape.length === 3 && (shape[2] === 1 || shape[2] === 3) && shape[0] > 1 && shape[1] > 1;

/** A PNG of one image, its own range from black to white; grey ones the other way round, as ink on paper. */
async function pictureOf(values: Float32Array | Int32Array, shape: readonly number[]): Promise<string> {
  const numbers = [...values];
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const isGrey = shape[2] === 1;
  const pixels = Int32Array.from(numbers, (value) => {
    const share = high > low ? (value - low) / (high - low) : 0;
    return Math.round(255 * (isGrey ? 1 - share : share));
  });
  const image = tf.tensor3d(pixels, shape as [number, number, number], "int32");
  try {
    return Buffer.from(await tf.node.encodePng(image)).toString("base64");
  } finally {
    image.dispose();
  }
}

function gridOf(title: string, pictures: { png: string; text: string }[], ratio: number): string {
  const [width, height] = ratio >= 1 ? [side, side / ratio] : [side * ratio, side];
  const cell = [Math.max(width, side) + gap, height + caption + gap];
  const rows = Math.ceil(pictures.length / columns);
  const total = [columns * cell[0] + gap, rows * cell[1] + 2 * gap + caption];
  const cells = pictures.map(({ png, text }, i) => {
    const [x, y] = [gap + (i % columns) * cell[0], gap + caption + Math.floor(i / columns) * cell[1] + gap];
    const label = `<text x="${x}" y="${y + height + 13}">${escapeMarkup(text)}</text>`;
    return `<image x="${x}" y="${y}" width="${width}" height="${height}" style="image-rendering:pixelated" href="data:image/png;base64,${png}"/>${label}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${total[0]}" height="${total[1]}" viewBox="0 0 ${total.join(" ")}" font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/><text x="${gap}" y="${gap + 11}" font-size="12">${escapeMarkup(title)}</text>${cells.join("")}</svg>`;
}

const short = (value: number) => String(Number(value.toPrecision(4)));

function numbersText(values: ArrayLike<number>): string {
  const first = Array.from({ length: Math.min(values.length, longest) }, (_, i) => short(values[i]));
  return first.join(" ") + (values.length > longest ? ` … (${values.length})` : "");
}

/** Classes by their names where they have some. */
function targetText(values: ArrayLike<number>, target: TargetSpec): string {
  if (target.kind === "class") return target.names?.[values[0]] ?? String(values[0]);
  if (target.kind === "labels" && target.names)
    return target.names.filter((_, i) => values[i] === 1).join(", ") || "none";
  return numbersText(values);
}
