import type { CellOf, TrainingChoice } from "../cells/cell";
import type { PublishedNetwork, PublishedSet } from "../published";
import { adam, denseCell } from "./choices";

const sgd = (
  epochs: number,
  learningRate: number,
  weightDecay: number,
  schedule: TrainingChoice["schedule"] = "cosine",
): TrainingChoice => ({ epochs, batchSize: 256, learningRate, algorithm: "sgd", schedule, weightDecay });

/** Times 0.1 after every 30 epochs. */
const steps = { every: 30, factor: 0.1 };

/** The dense baselines' schedules, as published. */
const denseSchedules: Readonly<Record<PublishedSet, TrainingChoice>> = {
  "cifar-10": sgd(200, 0.1, 5e-4),
  gtsrb: sgd(200, 0.1, 5e-4),
  svhn: sgd(200, 0.1, 5e-4),
  "speech-commands": sgd(200, 0.01, 5e-4),
  utkface: sgd(90, 1e-3, 1e-4, steps),
  imagenet: sgd(90, 0.1, 1e-4, steps),
};

/** Those of the lookups: Adam without weight decay, cosine. */
const lookupSchedules: Readonly<Record<PublishedSet, TrainingChoice>> = {
  "cifar-10": adam(200, 1e-3, 256),
  gtsrb: adam(200, 1e-3, 256),
  svhn: adam(200, 1e-3, 256),
  "speech-commands": adam(200, 1e-4, 256),
  utkface: adam(150, 1e-4, 256),
  imagenet: adam(150, 1e-3, 256),
};

export const paperLookup = (set: PublishedSet): TrainingChoice => lookupSchedules[set];

/** A dense network of the paper, on the paper's data with its transforms. */
export const paperDense = (set: PublishedSet, network: PublishedNetwork, seed: number): CellOf<"dense"> =>
  denseCell(
    { set, transforms: "paper", train: null, test: null, seed: 0 },
    { kind: network, width: 64 },
    denseSchedules[set],
    seed,
  );
