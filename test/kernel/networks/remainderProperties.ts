import { InferenceSession, inference, type tf } from "lutnn";
import { integerRemainder } from "../../../kernel/lib/conversion/remainder/integerRemainder";
import { feedOf } from "../../../kernel/lib/inference/exampleFeeds";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { examplesOf } from "./conversionProperties";
import { must } from "./must";

/** Results of a file's nodes as they stand, by the file's names. */
async function run(
  file: Uint8Array,
  inputs: readonly tf.Tensor[],
  backend: inference.BackendName,
): Promise<number[][]> {
  const session = await InferenceSession.create(file, { backend, optimize: false });
  try {
    const feeds: Record<string, inference.TensorData> = {};
    for (const [i, input] of session.inputs.entries()) feeds[input.name] = await feedOf(input, inputs[i]);
    const results = await session.run(feeds);
    return session.outputNames.map((name) => Array.from(results[name].data, Number));
  } finally {
    await session.release();
  }
}

/**
 * What a network leaves dense, in INT8: the file is what the layers in INT8 compute, at the door, with the same bits by the
 * loops, inlined and natively. Returns how many layers it had.
 */
export async function checkRemainder(model: tf.LayersModel, inputs: tf.Tensor[]): Promise<number> {
  const data = examplesOf(model, inputs, { kind: "values", length: 1 });
  const options = { what: "test", data, task: null, signal: new AbortController().signal };
  const made = await integerRemainder(new NetworkGraph(model), options, 0);
  try {
    const graph = new NetworkGraph(model, made.layerOf);
    const file = exportOnnx(graph);
    const check = await inference.checkFile(file, graph, inputs);
    must(check.ok, check.sentence, model);
    must(check.explained === 0, "near ties in INT8", model);
    const [byFunctions, byLoops, inlined] = [
      await run(file, inputs, "onnxruntime"),
      await run(file, inputs, "reference"),
      await run(exportOnnx(graph, { functions: "inlined" }), inputs, "onnxruntime"),
    ];
    const text = JSON.stringify(byFunctions);
    must(text === JSON.stringify(byLoops), "the reference has other bits than the functions", model);
    must(text === JSON.stringify(inlined), "inlined nodes have other bits than the functions", model);
    // Attention, layer norm and GELU are rounded in another way natively.
    const operators = readModel(file, "test").graph!.node.map(({ opType }) => opType);
    const natively = await run(file, inputs, "native");
    must(
      text === JSON.stringify(natively) || operators.some((one) => /Attention|LayerNorm|Gelu/.test(one)),
      "the native operators have other bits than the functions",
      model,
    );
    return made.report.layers.length;
  } finally {
    made.dispose();
  }
}
