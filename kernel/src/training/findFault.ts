import * as tf from "@tensorflow/tfjs-node";
import { GraphRun, NetworkGraph } from "../layers/graph";

const hasFault = (tensor: tf.Tensor): boolean =>
  tf.tidy(() => tf.all(tf.isFinite(tensor)).dataSync()[0] === 0);

/**
 * Where numbers stop being finite when a batch goes through a network: the first layer with such a weight or output, as
 * words for an error; null when the outputs are all finite.
 */
export function findFault(model: tf.LayersModel, inputs: tf.Tensor[]): string | null {
  const run = new GraphRun(new NetworkGraph(model));
  let fault: string | null = null;
  tf.tidy(() => {
    if (inputs.some(hasFault)) fault = "the data";
    const values = run.start(inputs);
    for (const node of run.graph.nodes) {
      if (fault) return;
      const { layer } = node;
      const weight = layer.weights.find((variable) => hasFault(variable.read()));
      if (weight) fault = `the weight ${weight.originalName} of layer ${node.name}`;
      else if (run.step(node, values).some(hasFault)) fault = `the output of layer ${node.name}`;
    }
  });
  return fault;
}
