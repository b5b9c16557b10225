import type { ExampleSource } from "../../datasets/examples";
import { LutnnError } from "../../errors";
import { Progress } from "../../host/progress";
import type { GraphNode, LayerOf, NetworkGraph } from "../../layers/graph";
import { IntegerAttention } from "../../layers/integerAttention";
import {
  disposeIntegers,
  type IntegerLinear,
  type IntegerWeights,
  integerTwin,
  integerWeights,
} from "../../layers/integerLinear";
import type { Attention } from "../../layers/kinds/attention";
import type { ValueCounts } from "../../pq/inputRange";
import type { Task } from "../../tasks/task";
import { chooseExamples } from "./chooseExamples";
import { denseRemainder, isAttention } from "./denseRemainder";
import { inputRanges } from "./inputRanges";
import { remainderEffect } from "./remainderEffect";
import type { RemainderReport } from "./remainderReport";

/** A network's dense layers in INT8, for as long as a file is made of them. */
export interface IntegerRemainder {
  /** A call's layer in the file: in INT8, or the network's own. */
  layerOf: LayerOf;
  report: RemainderReport;
  dispose(): void;
}

export interface RemainderOptions {
  /** Opens sentences. */
  what: string;
  data: ExampleSource;
  /** What the network is for, where that is known. */
  task: Task | null;
  signal: AbortSignal;
}

/** The first inputs of attention, which become bytes: query, key and value. */
const attended = 3;

/** The twins of some calls by key; a layer that is called again has its weights once. */
class Twins {
  readonly byCall = new Map<string, IntegerLinear | IntegerAttention>();
  readonly weights = new Map<string, IntegerWeights>();
  readonly attention = new Set<string>();

  /** @param counts of the inputs that become bytes */
  add(node: GraphNode, counts: readonly ValueCounts[]): void {
    if (isAttention(node)) {
      const [query, key, value] = counts.map((one) => one.symmetricScale());
      const depth = node.inputShapes[0][2]!;
      this.byCall.set(node.key, new IntegerAttention(node.layer as Attention, { query, key, value }, depth));
      this.attention.add(node.name);
      return;
    }
    const integers = this.weights.get(node.name) ?? integerWeights(node);
    this.weights.set(node.name, integers);
    this.byCall.set(node.key, integerTwin(node, integers, counts[0].quantization()));
  }

  readonly layerOf: LayerOf = ({ key, layer }) => this.byCall.get(key) ?? layer;

  dispose(): void {
    for (const one of this.weights.values()) disposeIntegers(one);
  }
}

/**
 * What a network leaves dense, in INT8: weights by a scale for each output, inputs, of attention query, key and value, by the range
 * that they have inside the network on examples. The caller disposes. Throws LutnnError where these do not fit the network.
 * @param few multiply-adds below which a layer stays in float32, see denseRemainder
 */
export async function integerRemainder(
  graph: NetworkGraph,
  { what, data, task, signal }: RemainderOptions,
  few?: number,
): Promise<IntegerRemainder> {
  const { calls, left } = denseRemainder(graph, few);
  const examples = await chooseExamples(what, graph, data, signal);
  const { ranges, effect, apart } = examples;
  const progress = new Progress("dense layers in INT8", ranges.size + effect.size, "examples");
  const twins = new Twins();
  try {
    const inputs = new Map([...calls].map((node) => [node, isAttention(node) ? attended : 1]));
    const counts = await inputRanges(graph, inputs, ranges, { signal, progress });
    for (const [node, places] of inputs) {
      const own = node.inputs.slice(0, places).map((id) => counts.get(id)!);
      if (own.some(({ hasOthers }) => hasOthers))
        throw new LutnnError(
          `${what}: the inputs of ${node.key} must be finite numbers to be bytes (they are not, on examples of ${examples.name}); save with { remainder: "float32" }`,
        );
      twins.add(node, own);
    }
    const found =
      calls.size > 0
        ? await remainderEffect(graph, twins.layerOf, { data: effect, task }, { signal, progress })
        : { examples: 0, agreement: null, movement: 0 };
    progress.finish();
    return {
      layerOf: twins.layerOf,
      dispose: () => twins.dispose(),
      report: {
        kind: "int8",
        layers: [...twins.weights.keys()],
        attention: [...twins.attention],
        ...bytesOf([...twins.weights.values()]),
        float32: Object.fromEntries(left),
        data: examples.name,
        examples: ranges.size,
        effect: { ...found, apart },
      },
    };
  } catch (error) {
    twins.dispose();
    throw error;
  }
}

function bytesOf(all: readonly IntegerWeights[]): { bytes: number; float32Bytes: number } {
  const weights = all.reduce((sum, { linear }) => sum + linear.getWeights()[0].size, 0);
  const scales = all.reduce((sum, { scale }) => sum + 4 * scale.length, 0);
  return { bytes: weights + scales, float32Bytes: 4 * weights };
}
