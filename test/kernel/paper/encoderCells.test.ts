import { join } from "node:path";
import { paper, profiles } from "lutnn";
import { expect, it, vi } from "vitest";
import type { CellOf } from "../../../kernel/lib/paper/cells/cell.js";
import { runCell } from "../../../kernel/lib/paper/cells/run.js";
import { temporary } from "./cells";

// On the real encoder and sentences, which the tests' set-up takes from PyPI.
vi.stubEnv("LUTNN_DATA", join(import.meta.dirname, "../../../.cache/lutnn"));

const training = {
  epochs: 1,
  batchSize: 16,
  learningRate: 1e-3,
  algorithm: "adam",
  schedule: "cosine",
  weightDecay: 0,
  warmupSteps: 1,
} as const;
const denseOf = (more: object): CellOf<"dense"> => ({
  kind: "dense",
  data: {
    set: "movie-snippets",
    transforms: "plus",
    train: 32,
    test: 40,
    seed: 0,
    sequenceLength: 12,
  },
  network: {
    kind: "encoder",
    weights: "minilm",
    pooling: "mean",
    last: 1,
    attentionLength: 32,
    feedForwardLength: 32,
    ...more,
  },
  head: training,
  training,
  seed: 0,
});

it("trains an encoder with dropout and its lookups without, each feed-forward layer at its own sub-vector length, hidden states or not", {
  timeout: 240_000,
}, async () => {
  const store = new paper.CellStore(temporary("encoder"));
  const { learningRate: _rate, ...lookupTraining } = training;
  const lookupOf = (dense: CellOf<"dense">, more: object): CellOf<"lookup"> => ({
    kind: "lookup",
    dense,
    profile: profiles.plus,
    calibration: 32,
    centroids: 16,
    training: lookupTraining,
    seed: 0,
    ...more,
  });
  const [calm, dropping] = [denseOf({}), denseOf({ dropout: 0.5, outerLength: 8 })];
  const [calmly, dropped] = [await runCell(calm, store), await runCell(dropping, store)];
  expect(dropped.series.loss).not.toEqual(calmly.series.loss);
  const end = await runCell(lookupOf(dropping, {}), store);
  const hidden = await runCell(lookupOf(dropping, { hiddenStates: true }), store);
  const long = await runCell(lookupOf(calm, { training: null }), store);
  // The same calibration, another loss.
  expect(hidden.figures.calibrated).toBe(end.figures.calibrated);
  expect(hidden.figures.loss).not.toBe(end.figures.loss);
  // Four times as many codebooks in one of the layers.
  expect(long.figures.operationsRatio).toBeGreaterThan(end.figures.operationsRatio!);
});
