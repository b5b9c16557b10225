import { create, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { type inference, tf } from "lutnn";
import { integerRemainder } from "../../../kernel/lib/conversion/remainder/integerRemainder";
import { feedOf } from "../../../kernel/lib/inference/exampleFeeds";
import { exportFaults } from "../../../kernel/lib/layers/exportFaults";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { ModelProtoSchema, ValueInfoProtoSchema } from "../../../kernel/lib/onnx/onnx_pb";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { withLookups } from "../inference/lookupNetwork";
import { examplesOf } from "../networks/conversionProperties";
import { describeNetwork } from "../networks/describeNetwork";
import { disposeVariables, outputsOf, someLookups } from "../networks/properties";
import { buildNetwork, type NetworkPlan, networkPlan, randomInputs } from "../networks/randomNetwork";
import { type LinearNode, linearNodes, valuesAtNodes } from "./linearNodes";

/** A random network with lookups, some of them with what stays dense in INT8, as the files that runtimes read. */
export interface RandomFile {
  seed: number;
  /** Lookups, and dense layers in INT8. */
  nodes: LinearNode[];
  /** As `save` writes it, and with functions inlined. */
  file: Uint8Array;
  inlined: Uint8Array;
  /** The same with what goes into these nodes and comes out as outputs too. */
  revealed: Uint8Array;
  revealedInlined: Uint8Array;
  feeds: Record<string, inference.TensorData>;
  /** The network, as text. */
  description: string;
}

/** How inputs become bytes, where codes are in int8: of any sign, or of those that are not negative. */
const quantizations = [
  { scale: Math.fround(0.03), zeroPoint: 128 },
  { scale: Math.fround(0.017), zeroPoint: 0 },
];

function reveal(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const model = readModel(bytes, "test");
  model.graph!.output.push(...names.map((name) => create(ValueInfoProtoSchema, { name })));
  return toBinary(ModelProtoSchema, model);
}

/** What runs of a network give as files: itself, or with what stays dense in INT8. */
async function remainderOf(model: tf.LayersModel, inputs: tf.Tensor[], isInteger: boolean) {
  if (!isInteger) return { graph: new NetworkGraph(model), dispose: () => undefined };
  const data = examplesOf(model, inputs, { kind: "values", length: 1 });
  const options = { what: "test", data, task: null, signal: new AbortController().signal };
  const made = await integerRemainder(new NetworkGraph(model), options, 0);
  return { graph: new NetworkGraph(model, made.layerOf), dispose: () => made.dispose() };
}

/**
 * The files of a plan; null where it makes no network that computes and has lookups. Codes are in int8 for even seeds, layers that
 * read the same rows share codebooks for every third, and what stays dense is in INT8 for half of all.
 */
async function filesOf(plan: NetworkPlan): Promise<RandomFile | null> {
  const { seed } = plan;
  const dense = buildNetwork(plan);
  if (!dense || exportFaults(new NetworkGraph(dense)).length > 0) return null;
  const layers = someLookups(dense, seed);
  if (Object.keys(layers).length === 0) return null;
  const inputs = randomInputs(dense, 1 + (seed % 3), seed);
  const outputs = outputsOf(dense, inputs);
  try {
    if (!outputs) return null;
    const quantization = seed % 2 === 0 ? quantizations[(seed / 2) % 2] : undefined;
    const model = withLookups(dense, layers, quantization, seed % 3 === 0);
    const { graph, dispose } = await remainderOf(model, inputs, seed % 4 < 2);
    const file = exportOnnx(graph);
    const inlined = exportOnnx(graph, { functions: "inlined" });
    dispose();
    const nodes = linearNodes(file);
    const parsed = readModel(file, "test");
    const names = valuesAtNodes(parsed, nodes);
    const feeds: Record<string, inference.TensorData> = {};
    for (const [i, { name, type }] of parsed.graph!.input.entries()) {
      const elemType = type!.value.case === "tensorType" ? type!.value.value.elemType : 0;
      feeds[name] = await feedOf({ name, type: elemType === 6 ? "int32" : "float32", dims: [] }, inputs[i]);
    }
    const [revealed, revealedInlined] = [file, inlined].map((bytes) => reveal(bytes, names));
    const description = describeNetwork(model);
    return { seed, nodes, file, inlined, revealed, revealedInlined, feeds, description };
  } finally {
    tf.dispose([inputs, outputs ?? []]);
  }
}

/** So many of them, the same for the same seed. */
export async function randomFiles(count: number, seed: number): Promise<RandomFile[]> {
  const found: RandomFile[] = [];
  const before = new Set(Object.keys(tf.engine().state.registeredVariables));
  for (const plan of fc.sample(networkPlan, { numRuns: 3 * count, seed })) {
    if (found.length === count) break;
    const files = await filesOf(plan);
    if (files) found.push(files);
    disposeVariables(before);
  }
  return found;
}
