import * as fc from "fast-check";
import { tf } from "lutnn";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { randomFloats } from "../random";
import { Draw } from "./draw";
import { maskPrefix, Pool, shapeOf, type Value } from "./pool";
import { stepNamed, steps } from "./steps";

/** One step of a plan: what is done, and the numbers that its choices follow. */
interface PlannedStep {
  step: string;
  numbers: number[];
  /** For a nested network: its own steps. */
  inner: PlannedStep[];
}

/** How to make a network; everything follows from it. */
export interface NetworkPlan {
  inputs: ("image" | "sequence" | "vector" | "tokens")[];
  steps: PlannedStep[];
  numbers: number[];
  seed: number;
}

const numbers = fc.array(fc.nat(999), { minLength: 12, maxLength: 12 });
const plain: fc.Arbitrary<PlannedStep> = fc.record({
  step: fc.constantFrom(...steps.map(([name]) => name)),
  numbers,
  inner: fc.constant([]),
});
const nested: fc.Arbitrary<PlannedStep> = fc.record({
  step: fc.constant("nested"),
  numbers,
  inner: fc.array(plain, { minLength: 1, maxLength: 4 }),
});

/** Plans of networks of any supported kind, in no order of kinds. */
export const networkPlan: fc.Arbitrary<NetworkPlan> = fc.record({
  inputs: fc.oneof(
    { weight: 3, arbitrary: fc.constant<NetworkPlan["inputs"]>(["image"]) },
    {
      weight: 2,
      arbitrary: fc.array(fc.constantFrom("image", "sequence", "vector", "tokens"), {
        minLength: 1,
        maxLength: 3,
      }),
    },
  ),
  steps: fc.array(fc.oneof({ weight: 8, arbitrary: plain }, { weight: 1, arbitrary: nested }), {
    minLength: 1,
    maxLength: 9,
  }),
  numbers,
  seed: fc.nat(1e6),
});

/** Sizes that tell axes apart. */
function inputOf(kind: NetworkPlan["inputs"][number], draw: Draw, name: string): Value {
  const [height, width, channels] = draw.shuffled([3, 4, 5, 6, 7]).slice(0, 3);
  const shapes = {
    image: [height, width, Math.min(channels, 4)],
    sequence: [height, width],
    vector: [width],
    tokens: [height],
  };
  return tf.input({ shape: shapes[kind], dtype: kind === "tokens" ? "int32" : "float32", name });
}

/** A network inside the network, on a value of the pool, and once more on another of the same shape. */
function nest(pool: Pool, { numbers, inner }: PlannedStep): void {
  const draw = new Draw(numbers);
  const x = pool.pick(draw, (_, { dtype }) => dtype === "float32");
  if (!x) return;
  const input = tf.input({ shape: shapeOf(x) });
  const inside = new Pool([input], draw.sometimes(3) ? countedNames() : pool.names, false);
  takeSteps(inside, inner);
  const outputs = inside.ends.filter((value) => value !== input).slice(-1);
  if (outputs.length === 0) return;
  const network = tf.model({ inputs: input, outputs, name: pool.names() });
  pool.apply(network, x);
  if (!draw.sometimes(2)) return;
  const other = pool.pick(
    draw,
    (_, value) => value.dtype === "float32" && value.shape.join() === x.shape.join(),
  );
  if (other) pool.apply(network, other);
}

function takeSteps(pool: Pool, planned: readonly PlannedStep[]): void {
  for (const one of planned)
    if (one.step === "nested") nest(pool, one);
    else stepNamed.get(one.step)!(pool, new Draw(one.numbers));
}

/** layer1, layer2 …: names that mean nothing, so that nothing can lean on them. */
function countedNames(): () => string {
  let next = 0;
  return () => `layer${++next}`;
}

/** The inputs that some outputs follow from. */
function inputsOf(outputs: readonly Value[], all: readonly Value[]): Value[] {
  const seen = new Set<Value>();
  const walk = (value: Value): void => {
    if (seen.has(value)) return;
    seen.add(value);
    for (const input of value.sourceLayer.inboundNodes[value.nodeIndex]?.inputTensors ?? []) walk(input);
  };
  outputs.forEach(walk);
  return all.filter((input) => seen.has(input));
}

/** Makes the network of a plan, with random weights; null when nothing comes of it. */
export function buildNetwork(plan: NetworkPlan): tf.LayersModel | null {
  const draw = new Draw(plan.numbers);
  const inputs = plan.inputs.map((kind, i) => inputOf(kind, draw, `${kind}${i}`));
  const pool = new Pool(
    inputs,
    countedNames(),
    plan.steps.every(({ step }) => step !== "nested"),
    true,
  );
  takeSteps(pool, plan.steps);
  const ends = pool.ends.filter((value) => value.dtype === "float32" && !pool.inputs.includes(value));
  if (ends.length === 0) return null;
  const mostOutputs = draw.integer(1, 3); // further ends are joined
  const outputs = ends.slice(0, mostOutputs - 1);
  const flat = (end: Value): Value =>
    shapeOf(end).length === 1 ? end : (tf.layers.flatten({ name: pool.names() }).apply(end) as Value);
  const rest = ends.slice(mostOutputs - 1).map(flat);
  if (rest.length > 0) {
    const joined =
      rest.length === 1 ? rest[0] : (tf.layers.concatenate({ name: pool.names() }).apply(rest) as Value);
    const head = {
      units: draw.integer(1, 4),
      activation: draw.of(["softmax", "sigmoid", "linear"] as const),
    };
    outputs.push(tf.layers.dense({ ...head, name: pool.names() }).apply(joined) as Value);
  }
  const used = inputsOf(outputs, pool.inputs);
  const model = tf.model({ inputs: used, outputs: draw.shuffled(outputs), name: "random" });
  setRandomWeights(model, plan.seed);
  return model;
}

/** Weights that keep values of order 1 and tell axes apart, biases and moments that are not their defaults. */
function setRandomWeights(model: tf.LayersModel, seed: number): void {
  let next = seed;
  for (const layer of new NetworkGraph(model).layers.values())
    tf.tidy(() =>
      layer.setWeights(
        layer.weights.map(({ name, shape }) => {
          const dims = shape as number[];
          const size = dims.reduce((product, length) => product * length, 1);
          const fanIn = dims.length > 1 ? size / dims[dims.length - 1] : 4;
          const values = randomFloats(size, next++).map((value) =>
            name.includes("variance") ? 0.5 + Math.abs(value) : (2 * value) / Math.sqrt(fanIn),
          );
          return tf.tensor(values, dims);
        }),
      ),
    );
}

/** Random inputs of a network: `size` examples, whole numbers below 5, masks whose first position is real. */
export function randomInputs(model: tf.LayersModel, size: number, seed = 1): tf.Tensor[] {
  return model.inputs.map(({ shape, dtype }, i) => {
    const dims = [size, ...(shape.slice(1) as number[])];
    const values = randomFloats(
      dims.reduce((product, length) => product * length, 1),
      seed + i,
    );
    if (model.inputNames[i].startsWith(maskPrefix))
      return tf.tensor(
        values.map((value, at) => (at % dims[1] === 0 || value > -0.3 ? 1 : 0)),
        dims,
        dtype as "int32",
      );
    if (dtype === "float32") return tf.tensor(values, dims);
    return tf.tensor(
      values.map((value) => Math.floor(Math.abs(value) * 5)),
      dims,
      "int32",
    );
  });
}
