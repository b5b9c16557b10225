import { z } from "zod";
import type { Profile } from "../../conversion/profile";
import { LutnnError } from "../../errors";
import { repeatedKey } from "../../files/jsonKeys";

// What a cell can be, as plain data. A cell holds all its parameters, those of the dense network that it starts from
// included: nothing that decides a result lies elsewhere, and the digest of a cell is its key.

const whole = z.number().int().min(0);
const count = z.number().int().min(1);
const rate = z.number().positive();

const data = z.strictObject({
  /** A name that `datasets.load` knows. */
  set: z.string(),
  /** How inputs are prepared: as the paper does, or as we do where that differs. */
  transforms: z.enum(["paper", "plus"]),
  /** Examples that are learnt from and tested on, drawn by `seed`; null: all. */
  train: count.nullable(),
  test: count.nullable(),
  seed: whole,
  /** Of texts: tokens of an input. */
  sequenceLength: count.optional(),
});

const image = z.strictObject({
  kind: z.enum(["resnet18", "senet18", "vgg11", "resnet8"]),
  /** Channels of the first stage; 64 as published. */
  width: count,
});

const encoder = z.strictObject({
  kind: z.literal("encoder"),
  weights: z.enum(["minilm", "bert-base-uncased"]),
  pooling: z.enum(["mean", "pooler"]),
  /** Encoder layers, counted from the last, that are trained and replaced; null: all. */
  last: count.nullable(),
  /** V of the attention's and the feed-forward layers. */
  attentionLength: count,
  feedForwardLength: count,
  /** V of the feed-forward layers that lead back to the encoder's width, where it is another. */
  outerLength: count.optional(),
  /** In the dense network's training; lookups learn without. Default 0. */
  dropout: z.number().min(0).lt(1).optional(),
});

const training = z.strictObject({
  epochs: count,
  batchSize: count,
  learningRate: rate,
  algorithm: z.enum(["adam", "sgd"]),
  schedule: z.union([z.enum(["cosine", "constant"]), z.strictObject({ every: count, factor: rate })]),
  /** Steps over which the learning rate first rises. Default 0. */
  warmupSteps: count.optional(),
  weightDecay: z.number().min(0),
});

const dense = z.strictObject({
  kind: z.literal("dense"),
  data,
  network: z.discriminatedUnion("kind", [image, encoder]),
  /** Of an encoder: the head alone, before everything else. */
  head: training.optional(),
  training,
  seed: whole,
});

const temperature = z.union([
  z.enum(["learned", "annealed"]),
  z.strictObject({ fixed: z.number().positive().max(1) }),
]);
const fineTune = z.strictObject({
  learningRate: rate,
  otherLearningRate: rate.nullable(),
  temperature,
  temperatureLearningRate: rate,
  softShare: z.number().min(0).max(1),
  commitment: z.number().min(0),
  centroidPull: z.number().min(0),
  distillation: z.number().min(0),
  distillationTemperature: rate,
});
/** Every switch of a profile, so that a cell does not change when a profile does; the compiler misses one that is not here. */
const profile = z.strictObject({
  name: z.string(),
  distance: z.enum(["l2", "squaredL2"]),
  tableScale: z.enum(["layer", "output"]),
  tableBits: z.union([z.literal([4, 6, 7, 8, 16]), z.literal("float")]),
  codes: z.enum(["float32", "int8"]),
  sharedCodebooks: z.boolean(),
  calibrate: z.strictObject({
    method: z.enum(["kmeans", "leastSquares", "maddness", "maddnessFast", "randomRows"]),
    batchNorm: z.boolean(),
    ridge: z.union([z.number().min(0), z.literal("heldOut")]),
    refineSteps: whole,
  }),
  fineTune,
  stages: count,
}) satisfies z.ZodType<Profile>;

const lookup = z.strictObject({
  kind: z.literal("lookup"),
  dense,
  profile,
  /** Training examples that the calibration takes. */
  calibration: count,
  /** K */
  centroids: count,
  /** Null: calibrated only. */
  training: training.omit({ learningRate: true }).nullable(),
  /** Of an encoder: what each replaced layer of it hands on is learnt, too, not its end alone. Default false. */
  hiddenStates: z.boolean().optional(),
  seed: whole,
});

const maddness = z.strictObject({
  kind: z.literal("maddness"),
  dense,
  form: z.enum(["fast", "true"]),
  calibration: count,
  seed: whole,
});

const accumulation = z.strictObject({
  kind: z.literal("accumulation"),
  dense,
  method: z.enum(["kmeans", "leastSquares", "maddness", "maddnessFast", "randomRows"]),
  profile,
  calibration: count,
  /** Test examples that the error is measured on. */
  test: count,
  seed: whole,
});

const counting = z.strictObject({
  kind: z.literal("count"),
  /** A name of `models.paperNetworks`. */
  network: z.string(),
  centroids: count,
});

const files = z.strictObject({ kind: z.literal("files"), network: z.string() });

const inference = z.strictObject({
  kind: z.literal("inference"),
  files,
  threads: count,
  batch: count,
  /** Turns of each engine, a process each, and timed runs in each. */
  rounds: count,
  runs: count,
});

const operators = z.strictObject({
  kind: z.literal("operators"),
  /** Turns of each engine. */
  rounds: count,
});

const measured = z.discriminatedUnion("kind", [
  dense,
  lookup,
  maddness,
  accumulation,
  counting,
  files,
  inference,
  operators,
]);

/** Stands for another cell where an engine is rehearsed: takes steps that can be killed, and measures nothing. */
const rehearsal = z.strictObject({
  kind: z.literal("rehearsal"),
  of: measured,
  steps: count,
  /** Milliseconds that a step takes. */
  pace: whole,
});

const cell = z.discriminatedUnion("kind", [...measured.options, rehearsal]);

export type DataChoice = z.infer<typeof data>;
export type NetworkChoice = z.infer<typeof dense>["network"];
export type TrainingChoice = z.infer<typeof training>;
export type MeasuredCell = z.infer<typeof measured>;
export type Cell = z.infer<typeof cell>;
export type CellKind = Cell["kind"];
export type CellOf<Kind extends CellKind> = Extract<Cell, { kind: Kind }>;

/** A cell of a JSON text; `what` opens the sentence. Throws LutnnError on anything else, and on parameters that it does not know. */
export function parseCell(text: string, what: string): Cell {
  const fault = (rule: string): LutnnError =>
    new LutnnError(
      `${what}: the cell must be JSON with the parameters of its kind and no others (${rule}); write it with lutnn reproduce --engine snakemake, or see kernel/src/paper/cells/cell.ts`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fault((error as Error).message);
  }
  const repeated = repeatedKey(text);
  if (repeated !== null) throw fault(`${JSON.stringify(repeated)} stands twice`);
  const { success, data: found, error } = cell.safeParse(value);
  if (success) return found;
  const [{ path, message }] = error.issues;
  throw fault(`${path.join(".") || "the whole"}: ${message}`);
}
