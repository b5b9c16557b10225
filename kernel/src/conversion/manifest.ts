import { z } from "zod";
import { LutnnError } from "../errors";
import { taskNames } from "../tasks/derive";
import { methodNames } from "./methods/index";
import type { Argument, VerbRecord } from "./record";
import type { ConversionState } from "./state";
import type { NamedArrays, StoredArray } from "./storedArray";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const byName = <T extends z.ZodType>(value: T) => z.record(z.string(), value);
const method = z.enum(methodNames);
const weights = z.array(digest);

const origin = z.object({ data: z.string(), examples: z.number(), seed: z.number() });

export const measurement = z.object({
  metric: z.string(),
  unit: z.string(),
  value: z.number(),
  data: z.string(),
  examples: z.number(),
});

const calibration = z.object({
  arrays: byName(digest),
  origin: origin.optional(),
  norms: byName(z.object({ mean: digest, variance: digest })),
  trained: z.object({ arrays: byName(digest), norms: byName(weights) }).optional(),
});

/** What a name of the notebook may be: a file brings no other code. */
const expression =
  /^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)?(\.(take|skip|shuffle|sample|split)\([\d., ]*\)(\[[01]\])?)*$/;

/** JSON that a verb was called with, lists in lists so many times: options are shallow, and a crafted file may not be. */
function argumentOf(depth: number): z.ZodType<Argument> {
  const plain = z.union([z.null(), z.boolean(), z.number(), z.string()]);
  if (depth === 0) return plain;
  const inner = argumentOf(depth - 1);
  return z.union([plain, z.array(inner), z.record(z.string(), inner)]);
}
const argument = argumentOf(32);

const verbRecord: z.ZodType<VerbRecord> = z.object({
  verb: z.string().regex(/^[A-Za-z]+$/),
  args: z.array(argument),
  values: z.array(z.object({ what: z.string(), expression: z.string().regex(expression).nullable() })),
  unwritten: z.string().optional(),
});

/** A {@link ConversionState} with digests for its arrays. */
const storedState = z.object({
  layers: byName(
    z.object({
      sizes: z.object({ numCentroids: z.number().int(), subvectorLength: z.number().int() }).optional(),
      calibrations: z.partialRecord(method, calibration),
      replacedBy: method.nullable(),
    }),
  ),
  weights: byName(weights),
  lastMethod: method.nullable(),
  tuned: z.boolean(),
  training: origin.optional(),
});

const profile = z.object({
  name: z.string(),
  distance: z.enum(["l2", "squaredL2"]),
  tableScale: z.enum(["layer", "output"]),
  tableBits: z.union([
    z.literal(4),
    z.literal(6),
    z.literal(7),
    z.literal(8),
    z.literal(16),
    z.literal("float"),
  ]),
  codes: z.enum(["float32", "int8"]).default("float32"),
  sharedCodebooks: z.boolean().default(false),
  calibrate: z.object({
    method,
    batchNorm: z.boolean(),
    ridge: z.union([z.number().min(0), z.literal("heldOut")]).default(1e-3),
    refineSteps: z.number().int().min(0),
  }),
  fineTune: z.object({
    learningRate: z.number(),
    otherLearningRate: z.nullable(z.number()).default(null), // versions before this one had none
    temperature: z.union([z.enum(["learned", "annealed"]), z.object({ fixed: z.number() })]),
    temperatureLearningRate: z.number(),
    softShare: z.number(),
    commitment: z.number(),
    centroidPull: z.number(),
    distillation: z.number(),
    distillationTemperature: z.number(),
  }),
  stages: z.number(),
});

const manifest = z.object({
  format: z.literal("lutnn-conversion"),
  /**
   * 2 where codes are in int8, 3 where a layer's sizes were changed or layers share codebooks: a release that knew float32
   * alone, one size of each layer, or codebooks of one layer, must not open it as what it is not.
   */
  version: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  /** JSON of the dense network's layers, as tf.js writes it. */
  topology: z.string(),
  /** Weights of the dense network by layer. */
  dense: byName(weights),
  profile,
  /** Name of the task where it was given; null where the network's end tells it. */
  task: z.enum(taskNames).nullable(),
  targets: z.array(z.object({ name: z.string(), numCentroids: z.number(), subvectorLength: z.number() })),
  states: z
    .array(
      z.object({
        id: z.number().int(),
        label: z.string(),
        parent: z.number().int().nullable(),
        state: storedState,
        measured: measurement.optional(),
        made: verbRecord.optional(),
      }),
    )
    .min(1),
  current: z.number().int().min(0),
});

export type StoredState = z.infer<typeof storedState>;
/** What `conversion.json` holds. */
export type Manifest = z.infer<typeof manifest>;

/** Reads a manifest. Throws LutnnError on text that is none; `name` opens the sentence. */
export function readManifest(text: string, name: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new LutnnError(`${name}: the file must be JSON (${(error as Error).message}); it is damaged`);
  }
  const read = manifest.safeParse(value);
  if (!read.success) {
    const [{ path, message }] = read.error.issues;
    throw new LutnnError(
      `${name}: the file must describe a stored conversion of version 1, 2 or 3 (${path.join(".") || "its content"}: ${message}); it is damaged or of another version`,
    );
  }
  const { states, current, targets } = read.data;
  const fits = states.every(
    ({ id, parent, state }, i) =>
      id === i &&
      (parent === null ? i === 0 : parent >= 0 && parent < i) &&
      targets.every(({ name }) => Object.hasOwn(state.layers, name)) &&
      Object.keys(state.layers).length === targets.length &&
      Object.values(state.layers).every(
        ({ replacedBy, calibrations }) => replacedBy === null || calibrations[replacedBy] !== undefined,
      ),
  );
  if (!fits || current >= states.length)
    throw new LutnnError(`${name}: the states must follow one another (they do not); the file is damaged`);
  return read.data;
}

const mapValues = <A, B>(record: Readonly<Record<string, A>>, f: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value)]));

/** The state with digests for its arrays. */
export function storeState({ layers, weights, lastMethod, tuned, training }: ConversionState): StoredState {
  const one = (array: StoredArray) => array.digest;
  const list = (arrays: readonly StoredArray[]) => arrays.map(one);
  const named = (arrays: NamedArrays) => mapValues(arrays, one);
  return {
    lastMethod,
    tuned,
    ...(training ? { training } : {}),
    weights: mapValues(weights, list),
    layers: mapValues(layers, ({ sizes, replacedBy, calibrations }) => ({
      ...(sizes ? { sizes } : {}),
      replacedBy,
      calibrations: mapValues(calibrations, ({ arrays, origin, norms, trained }) => ({
        arrays: named(arrays),
        ...(origin ? { origin } : {}),
        norms: mapValues(norms, ({ mean, variance }) => ({ mean: one(mean), variance: one(variance) })),
        ...(trained
          ? { trained: { arrays: named(trained.arrays), norms: mapValues(trained.norms, list) } }
          : {}),
      })),
    })),
  };
}

/** The state again, equal content being one object, so that what states share stays shared. */
export async function unstoreState(
  stored: StoredState,
  load: (digest: string) => Promise<StoredArray>,
): Promise<ConversionState> {
  const arrays = new Map<string, StoredArray>();
  const wanted = JSON.stringify(stored).match(/"[0-9a-f]{64}"/g) ?? [];
  for (const text of wanted) {
    const digest = text.slice(1, -1);
    if (!arrays.has(digest)) arrays.set(digest, await load(digest));
  }
  const one = (digest: string) => arrays.get(digest)!;
  const list = (digests: readonly string[]) => digests.map(one);
  const { layers, weights, lastMethod, tuned, training } = stored;
  return {
    lastMethod,
    tuned,
    ...(training ? { training } : {}),
    weights: mapValues(weights, list),
    layers: mapValues(layers, ({ sizes, replacedBy, calibrations }) => ({
      ...(sizes ? { sizes } : {}),
      replacedBy,
      calibrations: mapValues(calibrations, (found) => ({
        arrays: mapValues(found.arrays, one),
        ...(found.origin ? { origin: found.origin } : {}),
        norms: mapValues(found.norms, ({ mean, variance }) => ({ mean: one(mean), variance: one(variance) })),
        ...(found.trained
          ? {
              trained: {
                arrays: mapValues(found.trained.arrays, one),
                norms: mapValues(found.trained.norms, list),
              },
            }
          : {}),
      })),
    })),
  };
}
