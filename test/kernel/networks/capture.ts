import { createRequire } from "node:module";
import { tf } from "lutnn";
import { vi } from "vitest";
import type { fitLookup } from "../../../kernel/lib/conversion/fitLookup";
import type { sampleInputs } from "../../../kernel/lib/conversion/methods/sampleInputs";
import type { kMeans } from "../../../kernel/lib/pq/kmeans";
import type { Maddness } from "../../../kernel/lib/pq/maddness";

const library = createRequire(import.meta.url);

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
export async function rowsOfKMeans(during: () => Promise<unknown>): Promise<Float32Array[]> {
  const inside = library("../../../kernel/lib/pq/kmeans") as { kMeans: typeof kMeans };
  const spy = vi.spyOn(inside, "kMeans");
  await during();
  const rows = spy.mock.calls.map(([given]) => given);
  spy.mockRestore();
  return rows;
}

/** The same for Maddness. */
export async function rowsOfMaddness(during: () => Promise<unknown>): Promise<Float32Array[]> {
  const inside = library("../../../kernel/lib/pq/maddness") as { Maddness: typeof Maddness };
  const spy = vi.spyOn(inside.Maddness, "fitLayer");
  await during();
  const rows = spy.mock.calls.map(([given]) => given);
  spy.mockRestore();
  return rows;
}

/** The rows that a method takes for each layer from the dense network while something runs, in the order of the layers. */
export async function rowsOfSampling(during: () => Promise<unknown>): Promise<Float32Array[]> {
  const inside = library("../../../kernel/lib/conversion/methods/sampleInputs") as {
    sampleInputs: typeof sampleInputs;
  };
  const { sampleInputs: own } = inside;
  const rows: Float32Array[] = [];
  const spy = vi.spyOn(inside, "sampleInputs").mockImplementation(async (...given) => {
    const found = await own(...given);
    rows.push(...given[0].targets.map(({ name }) => found.get(name)!));
    return found;
  });
  await during();
  spy.mockRestore();
  return rows;
}

/** A lookup to be fitted: M, the rows (N, D) that it is given, and what it should give for them (N, M). */
interface Fit {
  outputs: number;
  inputs: Float32Array;
  wanted: Float32Array;
}

/** What least squares is given to solve while something runs, in the order of the layers. */
export async function fitsOf(during: () => Promise<unknown>): Promise<Fit[]> {
  const inside = library("../../../kernel/lib/conversion/fitLookup") as { fitLookup: typeof fitLookup };
  const { fitLookup: own } = inside;
  const fits: Fit[] = [];
  const spy = vi.spyOn(inside, "fitLookup").mockImplementation((problem, settings) => {
    const { outputs, wanted, rows, inputs } = problem;
    fits.push({ outputs, wanted, inputs: inputs(Uint32Array.from({ length: rows }, (_, i) => i)) });
    return own(problem, settings);
  });
  await during();
  spy.mockRestore();
  return fits;
}
