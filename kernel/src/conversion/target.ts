import type * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { type GraphNode, graphNodes } from "../layers/graph";
import { type LinearOperator, linearOperator } from "../layers/linearOperator";
import { isReplaceable } from "../layers/rebuild";
import { checkQuantizerShape } from "../pq/productQuantizer";
import type { QuantizerShape } from "../pq/reference";

/** A layer that can be replaced, with its operator and the codebook it would get. */
export interface Target extends QuantizerShape {
  name: string;
  operator: LinearOperator;
  /** Names of the batch norms that it feeds: those between it and the next layer that can be replaced. */
  norms: string[];
}

export interface TargetOptions {
  /** Names of the layers to convert; default: every convolution but the first, every dense layer but the last. */
  layers?: string[];
  /** K for all layers, or by layer name. Default 16. */
  numCentroids?: number | Record<string, number>;
  /**
   * V by layer name. Default: the filter's positions (9 for 3×3), 4 neighbouring channels for 1×1 convolutions, 32 for
   * dense layers, each the largest divisor of the input length up to that.
   */
  subvectorLength?: Record<string, number>;
}

function largestDivisor(value: number, atMost: number): number {
  for (let divisor = Math.min(value, atMost); divisor > 1; divisor--)
    if (value % divisor === 0) return divisor;
  return 1;
}

function defaultSubvectorLength({ op, filterArea, inputLength }: LinearOperator): number {
  if (op === "dense") return largestDivisor(inputLength, 32);
  return filterArea > 1 ? filterArea : largestDivisor(inputLength, 4);
}

/** The paper's choice: not the first convolution, not the last dense layer. */
function defaultNames(layers: tf.layers.Layer[]): string[] {
  const firstConv = layers.find((layer) => layer.getClassName() === "Conv2D");
  const lastDense = layers.filter((layer) => layer.getClassName() === "Dense").pop();
  return layers.filter((layer) => layer !== firstConv && layer !== lastDense).map((layer) => layer.name);
}

/** The layers of a functional network that are to be converted, in network order. Throws LutnnError on unusable choices. */
export function chooseTargets(model: tf.LayersModel, options: TargetOptions): Target[] {
  const layers = [...new Set(graphNodes(model).map((node: GraphNode) => node.layer))];
  const replaceable = layers.filter(isReplaceable);
  const all = replaceable.map((layer) => layer.name);
  const names = options.layers ?? defaultNames(replaceable);
  const keys = [options.subvectorLength, options.numCentroids].flatMap((given) =>
    typeof given === "object" ? Object.keys(given) : [],
  );
  for (const name of [...names, ...keys]) checkName(model.name, name, all);
  if (names.length === 0)
    throw new LutnnError(
      `convert: ${model.name} has no layer to replace beyond its first convolution and last dense layer; name some with { layers: [...] } (it has ${all.join(", ") || "none"})`,
    );
  return replaceable
    .filter((layer) => names.includes(layer.name))
    .map((layer) => {
      const operator = linearOperator(layer);
      const subvectorLength = options.subvectorLength?.[layer.name] ?? defaultSubvectorLength(operator);
      const { inputLength, filterArea } = operator;
      const numCodebooks = Math.floor(inputLength / subvectorLength);
      const given = options.numCentroids;
      const numCentroids = (typeof given === "object" ? given[layer.name] : given) ?? 16;
      const shape = { numCodebooks, numCentroids, subvectorLength };
      if (inputLength % subvectorLength !== 0 || subvectorLength % filterArea !== 0)
        throw new LutnnError(
          `convert: subvectorLength (V) of ${layer.name} must divide its input length ${inputLength} and be a multiple of its ${filterArea} filter positions (got ${subvectorLength})`,
        );
      checkQuantizerShape(`convert: ${layer.name}`, shape);
      const behind = layers.slice(layers.indexOf(layer) + 1);
      const next = behind.findIndex(isReplaceable);
      const norms = behind
        .slice(0, next < 0 ? undefined : next)
        .filter((other) => other.getClassName() === "BatchNormalization")
        .map((other) => other.name);
      return { name: layer.name, operator, norms, ...shape };
    });
}

/** Throws a LutnnError that lists the names there are. */
export function checkName(model: string, name: string, names: string[]): void {
  if (!names.includes(name))
    throw new LutnnError(
      `${model} has no layer "${name}" that can be replaced; it has ${names.join(", ") || "none"}`,
    );
}
