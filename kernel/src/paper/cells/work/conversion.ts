import type { Conversion } from "../../../conversion/conversion";
import { convert } from "../../../conversion/convert";
import type { Profile } from "../../../conversion/profile";
import type { ExampleSource } from "../../../datasets/examples";
import type { CellOf } from "../cell";
import type { CellRun } from "../kind";
import { loadData } from "./data";
import { learnOnly, replacedLayers, trainedNetwork } from "./network";

/** A trained dense network, ready to be converted. */
export interface Prepared {
  conversion: Conversion;
  train: ExampleSource;
  test: ExampleSource;
  dispose(): void;
}

/** Opens the dense cell that a cell starts from and prepares its conversion; nothing is learnt yet. */
export async function prepareConversion(
  cell: CellOf<"dense">,
  profile: Profile,
  { store, signal }: CellRun,
  numCentroids = 16,
): Promise<Prepared> {
  const { train, test } = await loadData(cell, signal);
  const { model, fresh } = await trainedNetwork(cell, train, store, signal);
  const layers = replacedLayers(model, cell.network);
  if (layers.layers) learnOnly(model, [...fresh, ...layers.layers]);
  const task = train.target.kind === "class" ? "classification" : "regression";
  const conversion = convert(model, { profile, task, numCentroids, ...layers });
  return { conversion, train, test, dispose: () => model.dispose() };
}
