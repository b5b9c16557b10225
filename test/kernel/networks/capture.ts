import { createRequire } from "node:module";
import { tf } from "lutnn";
import { vi } from "vitest";
import type { kMeans } from "../../../kernel/lib/pq/kmeans";

/** What each layer of a network receives while TensorFlow.js itself computes it: every call's first input. */
export function capturedInputs(
  layers: ReadonlyMap<string, tf.layers.Layer>,
  compute: () => tf.Tensor[],
): Map<string, tf.Tensor[]> {
  const found = new Map<string, tf.Tensor[]>();
  const spies = [...layers].map(([name, layer]) => {
    const own = layer.call.bind(layer);
    return vi.spyOn(layer, "call").mockImplementation((inputs, kwargs) => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      found.set(name, [...(found.get(name) ?? []), tf.keep(x.clone())]);
      return own(inputs, kwargs);
    });
  });
  tf.dispose(compute());
  for (const spy of spies) spy.mockRestore();
  return found;
}

/** The rows that k-means is given while something runs, in the order of the layers. */
export async function capturedRows(during: () => Promise<unknown>): Promise<Float32Array[]> {
  const inside = createRequire(import.meta.url)("../../../kernel/lib/pq/kmeans") as { kMeans: typeof kMeans };
  const { kMeans: own } = inside;
  const rows: Float32Array[] = [];
  const spy = vi.spyOn(inside, "kMeans").mockImplementation((given, ...rest) => {
    rows.push(given.slice());
    return own(given, ...rest);
  });
  await during();
  spy.mockRestore();
  return rows;
}
