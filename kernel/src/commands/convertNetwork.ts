import { existsSync } from "node:fs";
import { extname } from "node:path";
import type { ConvertOptions, datasets, tf } from "../index";
import { formatMetric } from "../training/metricValue";
import { UsageError } from "./usageError";

export interface ConvertNetworkOptions {
  /** A data set by name, or the inputs of examples as NumPy's array. */
  data: string;
  /** With such an array: what is to be learnt. */
  targets?: string;
  dataFolder?: string;
  download?: boolean;
  output: string;
  /** In which numbers the file computes what is no lookup. */
  remainder: string;
  store?: string;
  inputShape?: string;
  layers?: string;
  profile: string;
  task?: string;
  /** Examples that calibration takes. */
  examples: string;
  epochs: string;
  batchSize: string;
  learningRate?: string;
  testShare: string;
  seed: string;
}

type Library = typeof import("../index");
type Source = datasets.ExampleSource;

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new UsageError(`convert: ${option} must be a whole number from ${least} (got ${text})`);
}

function positive(option: string, text: string, below = Number.POSITIVE_INFINITY): number {
  const value = Number(text);
  if (value > 0 && value < below) return value;
  const limit = Number.isFinite(below) ? ` and below ${below}` : "";
  throw new UsageError(`convert: ${option} must be a number above 0${limit} (got ${text})`);
}

async function openNetwork(
  { fromLayersModel, fromOnnx }: Library,
  network: string,
  { inputShape }: ConvertNetworkOptions,
): Promise<tf.LayersModel> {
  if (!existsSync(network)) throw new UsageError(`convert: the network ${network} must exist (it does not)`);
  const lengths = inputShape?.split(",").map((length) => wholeNumber("--input-shape", length.trim(), 1));
  const options = lengths ? { inputShape: lengths } : {};
  return extname(network).toLowerCase() === ".onnx"
    ? fromOnnx(network, options)
    : fromLayersModel(network, options);
}

/** Examples out of two arrays of NumPy's, split by the seed: classes of whole numbers, else values. */
async function examplesOf(
  { datasets }: Library,
  model: tf.LayersModel,
  { data, targets, testShare, seed }: ConvertNetworkOptions,
): Promise<{ train: Source; test: Source }> {
  if (targets === undefined)
    throw new UsageError(`convert: --targets must name the array of what is to be learnt of ${data}`);
  const { readNpy } = await import("../files/npy.js");
  const { readFileWhole } = await import("../files/readFile.js");
  const [x, y] = await Promise.all(
    [data, targets].map(async (path) => readNpy(await readFileWhole(path, "convert"), path)),
  );
  const [input, ...others] = model.inputs;
  if (others.length > 0)
    throw new UsageError(
      `convert: --data as an array is for networks of one input (got ${model.inputs.length}); a notebook takes data of any number`,
    );
  const [size, ...shape] = x.shape;
  if (y.shape[0] !== size)
    throw new UsageError(
      `convert: --data and --targets must have as many examples (got ${size} and ${y.shape[0] ?? "one number"})`,
    );
  const numbers = (values: ArrayLike<number | bigint>) => Array.from(values as ArrayLike<number>, Number);
  const isInteger = /^[iub]/.test(y.type) && y.shape.length === 1;
  const outputs = model.outputs[0].shape.at(-1) as number;
  const found = numbers(y.values);
  const target = isInteger
    ? ({ kind: "class", classes: Math.max(outputs, ...found.map((one) => one + 1)) } as const)
    : ({ kind: "values", length: found.length / size } as const);
  const all = new datasets.ArrayExamples({
    name: data,
    inputs: {
      [input.name]: {
        shape,
        values:
          input.dtype === "int32" ? Int32Array.from(numbers(x.values)) : Float32Array.from(numbers(x.values)),
      },
    },
    target,
    targets: isInteger ? Int32Array.from(found) : Float32Array.from(found),
  });
  const kept = 1 - positive("--test-share", testShare, 1);
  const [train, test] = all.shuffle(wholeNumber("--seed", seed, 0)).split(kept);
  return { train, test };
}

/** Converts a network as a notebook would: calibrates all layers, trains them, writes the file; answers with what came out. */
export async function convertNetwork(network: string, options: ConvertNetworkOptions): Promise<string> {
  const examples = wholeNumber("--examples", options.examples, 1);
  const epochs = wholeNumber("--epochs", options.epochs, 0);
  const batchSize = wholeNumber("--batch-size", options.batchSize, 1);
  const seed = wholeNumber("--seed", options.seed, 0);
  const learningRate = options.learningRate && positive("--learning-rate", options.learningRate);
  if (options.profile !== "plus" && options.profile !== "paper")
    throw new UsageError(`convert: --profile must be plus or paper (got ${options.profile})`);
  const { remainder } = options;
  if (remainder !== "float32" && remainder !== "int8")
    throw new UsageError(`convert: --remainder must be float32 or int8 (got ${remainder})`);
  if (extname(options.output).toLowerCase() !== ".onnx")
    throw new UsageError(`convert: --output must end in .onnx (got ${options.output})`);
  const library: Library = await import("../index.js");
  const { datasets } = library;
  const isArray = extname(options.data).toLowerCase() === ".npy";
  if (!isArray && !(datasets.names as string[]).includes(options.data))
    throw new UsageError(
      `convert: --data must be one of ${datasets.names.join(", ")}, or FILE.npy (got ${options.data})`,
    );
  const model = await openNetwork(library, network, options);
  const { dataFolder, download } = options;
  const { train, test } = isArray
    ? await examplesOf(library, model, options)
    : await datasets.load(options.data as datasets.DatasetName, { dataFolder, download });
  const conversion = library.convert(model, {
    profile: options.profile,
    ...(options.layers ? { layers: options.layers.split(",") } : {}),
    ...(options.task ? { task: options.task as ConvertOptions["task"] } : {}),
  });
  const measured = async () => {
    const { metric } = await conversion.evaluate(test);
    return `${metric.name} ${formatMetric(metric, metric.value)} (± ${formatMetric(metric, metric.noise)}) on ${test.size} examples`;
  };
  const said = [conversion.layers.toString(), "", `dense: ${await measured()}`];
  await conversion.calibrate(train.take(examples), { seed });
  await conversion.replaceAll();
  said.push(`replaced: ${await measured()}`);
  if (epochs > 0) {
    await conversion.fineTune(train, { epochs, batchSize, seed, ...(learningRate ? { learningRate } : {}) });
    said.push(`fine-tuned: ${await measured()}`);
  }
  said.push(`${await conversion.save(options.output, { remainder })}`);
  if (options.store) said.push(`${await conversion.store(options.store)}`);
  return said.join("\n");
}
