import type { tf } from "lutnn";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";

/** Settings that every layer has, or that say nothing. */
const dull = /initializer|regularizer|constraint|^name$|^trainable$|^batchInputShape$|^dtype$/i;

/** A network as text, a line for each call: what a failure shows. */
export function describeNetwork(model: tf.LayersModel): string {
  const graph = new NetworkGraph(model);
  const names = new Map(graph.inputs.map(({ id, name }) => [id, name]));
  const lines = graph.inputs.map(
    ({ name, shape, dtype }) => `  ${name}: input ${dtype} ${shape.slice(1).join("×")}`,
  );
  for (const { key, layer, inputs, outputs, outputShapes } of graph.nodes) {
    const settings = Object.entries(layer.getConfig())
      .filter(([name, value]) => !dull.test(name) && value !== null && value !== undefined)
      .map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    const given = inputs.map((id) => names.get(id)).join(", ");
    lines.push(
      `  ${key}: ${layer.getClassName()}(${given}) → ${outputShapes[0].slice(1).join("×")} {${settings.join(", ")}}`,
    );
    names.set(outputs[0], key);
  }
  lines.push(`  outputs: ${graph.outputs.map(({ id }) => names.get(id)).join(", ")}`);
  return lines.join("\n");
}
