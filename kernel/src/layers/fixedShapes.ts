import type * as tf from "@tensorflow/tfjs-node";
import type { GraphEnd, GraphNode } from "./graph";

/** Whether all lengths after the batch are known. */
export const isFixed = (shape: tf.Shape): boolean => !shape.slice(1).includes(null);

/**
 * Calls, makers before readers, whose shapes hold a length wherever it follows from the network's inputs. TensorFlow.js
 * leaves lengths open behind a Reshape to −1, since it asks for them with an open batch.
 */
export function fixedShapes(nodes: readonly GraphNode[], inputs: readonly GraphEnd[]): GraphNode[] {
  const shapes = new Map<string, tf.Shape>(inputs.map(({ id, shape }) => [id, shape]));
  return nodes.map((node) => {
    const inputShapes = node.inputs.map((id) => shapes.get(id)!);
    const outputShapes = node.outputShapes.every(isFixed)
      ? node.outputShapes
      : followingShapes(node, inputShapes);
    node.outputs.forEach((id, i) => {
      shapes.set(id, outputShapes[i]);
    });
    return { ...node, inputShapes, outputShapes };
  });
}

/** What a layer makes of one example, with the batch open again. */
function followingShapes({ layer, outputShapes }: GraphNode, inputShapes: tf.Shape[]): tf.Shape[] {
  if (!inputShapes.every(isFixed)) return outputShapes;
  const single = inputShapes.map((shape) => [1, ...shape.slice(1)]);
  const made = layer.computeOutputShape(single.length === 1 ? single[0] : single);
  const all = (Array.isArray(made[0]) ? made : [made]) as tf.Shape[];
  return all.map((shape, i) => [outputShapes[i][0], ...shape.slice(1)]);
}
