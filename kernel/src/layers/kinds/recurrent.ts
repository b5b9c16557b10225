import { FloatValue } from "../../onnx/builder";
import type { GraphBuilder } from "../../onnx/graphBuilder";
import type { GraphNode } from "../graph";
import { floats, type LayerKind, plainOutput, settings, weightBytes } from "./kind";

/** An activation as ONNX's recurrent operators call it, with alpha and beta where it takes them. */
interface Activation {
  name: string;
  alpha?: number;
  beta?: number;
}

/** By tf.js name. */
const activations: Record<string, Activation> = {
  elu: { name: "Elu", alpha: 1 },
  hardSigmoid: { name: "HardSigmoid", alpha: 0.2, beta: 0.5 },
  linear: { name: "Affine", alpha: 1, beta: 0 },
  relu: { name: "Relu" },
  sigmoid: { name: "Sigmoid" },
  softplus: { name: "Softplus" },
  softsign: { name: "Softsign" },
  tanh: { name: "Tanh" },
};

/** An operator: for each of its gates the one of tf.js, and the settings that its activations come from. */
interface Operator {
  opType: string;
  gates: readonly number[];
  activations: readonly ("recurrentActivation" | "activation")[];
}

const operators: Record<string, Operator> = {
  SimpleRNN: { opType: "RNN", gates: [0], activations: ["activation"] },
  GRU: { opType: "GRU", gates: [0, 1, 2], activations: ["recurrentActivation", "activation"] },
  // input, output, forget, cell, of tf.js' input, forget, cell, output
  LSTM: {
    opType: "LSTM",
    gates: [0, 3, 1, 2],
    activations: ["recurrentActivation", "activation", "activation"],
  },
};

const operatorOf = (node: GraphNode): Operator => operators[node.layer.getClassName()];

/** A weight (rows, gates · units) → (gates · units, rows), its gates as the operator has them. */
function byGates(values: Float32Array, rows: number, units: number, gates: readonly number[]): Float32Array {
  const columns = gates.length * units;
  const made = new Float32Array(values.length);
  gates.forEach((from, gate) => {
    for (let unit = 0; unit < units; unit++)
      for (let row = 0; row < rows; row++)
        made[(gate * units + unit) * rows + row] = values[row * columns + from * units + unit];
  });
  return made;
}

/** Weight, recurrent weight and bias as the operator's constants. */
function constants(graph: GraphBuilder, node: GraphNode, units: number): string[] {
  const { gates } = operatorOf(node);
  const [kernel, recurrent, bias] = node.layer.getWeights();
  const matrices = Object.entries({ weight: kernel, recurrence: recurrent }).map(([name, weight]) =>
    graph.sharedConstant(`${node.name}/${name}`, () => ({
      data: byGates(floats(weight), weight.shape[0], units, gates),
      dims: [1, gates.length * units, weight.shape[0]],
    })),
  );
  if (!bias) return matrices;
  // The operator adds one bias to the input's products and one to the state's.
  const both = graph.sharedConstant(`${node.name}/bias`, () => {
    const data = new Float32Array(2 * bias.size);
    data.set(byGates(floats(bias), 1, units, gates));
    return { data, dims: [1, data.length] };
  });
  return [...matrices, both];
}

function activationAttributes(node: GraphNode): Record<string, string[] | FloatValue> {
  const config = settings(node);
  const used = operatorOf(node).activations.map((setting) => activations[config[setting] as string]);
  const numbers = (which: "alpha" | "beta") =>
    used.map((one) => one[which]).filter((value) => value !== undefined);
  return {
    activations: used.map(({ name }) => name),
    activation_alpha: new FloatValue(numbers("alpha")),
    activation_beta: new FloatValue(numbers("beta")),
  };
}

function fault(node: GraphNode): string | null {
  const config = settings(node);
  if (node.inputs.length > 1)
    return `initialState must be left out (got ${node.inputs.length} inputs), since a file begins with zeros`;
  for (const setting of ["returnState", "stateful"])
    if (config[setting]) return `${setting} must be false, since a file keeps no state (got true)`;
  if (config.goBackwards && config.returnSequences)
    return "goBackwards must be false where returnSequences is true (got true)";
  for (const setting of new Set(operatorOf(node).activations)) {
    const name = config[setting] as string;
    if (!Object.hasOwn(activations, name))
      return `${setting} must be one of ${Object.keys(activations).join(", ")} (got ${JSON.stringify(name)})`;
  }
  return null;
}

/** Layers that go through a sequence (N, T, D) step by step, and give the last state (N, units) or all (N, T, units). */
export const recurrent: LayerKind = {
  classNames: ["LSTM", "GRU", "SimpleRNN"],
  layout: "plain",
  // Both matrices, once a step.
  cost: (node) => {
    const bytes = weightBytes(node);
    return { operations: ((node.inputShapes[0][1] as number) * bytes) / 4, bytes };
  },
  readsMask: "leave the mask out, and pad at the beginning",
  fault,
  write: (graph, node, [x]) => {
    const { units, goBackwards, returnSequences } = settings(node) as Record<string, number>;
    const { key } = node;
    const steps = graph.inOrder(x, [1, 0, 2]); // (T, N, D)
    const states = graph.add(
      operatorOf(node).opType,
      [steps.name, ...constants(graph, node, units)],
      `${key}/states`,
      {
        hidden_size: units,
        direction: goBackwards ? "reverse" : "forward",
        ...activationAttributes(node),
      },
    ); // (T, 1, N, units)
    if (returnSequences) {
      const squeezed = graph.add("Squeeze", [states, graph.integers([1])], `${key}/squeezed`);
      return plainOutput(node, graph.add("Transpose", [squeezed], key, { perm: [1, 0, 2] }));
    }
    const last = goBackwards ? 0 : x.shape[0] - 1;
    const bounds = [last, last + 1, 0].map((value) => graph.integers([value]));
    const state = graph.add("Slice", [states, ...bounds], `${key}/last`);
    return plainOutput(node, graph.add("Squeeze", [state, graph.integers([0, 1])], key));
  },
};
