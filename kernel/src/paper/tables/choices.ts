import { type Profile, profiles } from "../../conversion/profile";
import type { CellOf, DataChoice, NetworkChoice, TrainingChoice } from "../cells/cell";

/** `paper`: the paper's networks, schedules and data. `small`: narrower networks on data at hand. `rehearsal`: the cells of `small`, none measured. */
export type Scale = "small" | "paper" | "rehearsal";

/** What a user may choose of the tables. */
export interface TableChoices {
  scale: Scale;
  /** The least that shows every part at work, for continuous integration. */
  quick: boolean;
  /** Repetitions of whatever is random, from seed 0 on. */
  seeds: number;
  /** Of the small scale's long runs. */
  denseEpochs: number;
  lookupEpochs: number;
}

export const defaultChoices: TableChoices = {
  scale: "small",
  quick: false,
  seeds: 1,
  denseEpochs: 3,
  lookupEpochs: 1,
};

type Dense = CellOf<"dense">;
type Lookup = CellOf<"lookup">;

export const seedsOf = ({ seeds }: TableChoices): number[] =>
  Array.from({ length: seeds }, (_, seed) => seed);

export const adam = (epochs: number, learningRate: number, batchSize = 64): TrainingChoice => ({
  epochs,
  batchSize,
  learningRate,
  algorithm: "adam",
  schedule: "cosine",
  weightDecay: 0,
});

export const dataChoice = (set: string, train: number | null, test: number | null = null): DataChoice => ({
  set,
  transforms: "plus",
  train,
  test,
  seed: 0,
});

export const denseCell = (
  data: DataChoice,
  network: NetworkChoice,
  training: TrainingChoice,
  seed: number,
): Dense => ({ kind: "dense", data, network, training, seed });

/** The dense network of every quick table. */
export const quickDense = (seed: number): CellOf<"dense"> =>
  denseCell(dataChoice("digits", 720, 180), { kind: "resnet8", width: 16 }, adam(3, 3e-3), seed);

/** Lookups by a profile, trained with its learning rate; `epochs` 0 is calibrated only. */
export function lookupCell(
  dense: Dense,
  profile: Profile,
  epochs: number,
  calibration: number,
  more: Partial<Omit<TrainingChoice, "epochs" | "learningRate">> = {},
): Lookup {
  const { learningRate: _rate, ...training } = { ...adam(Math.max(1, epochs), 1e-3), ...more };
  return {
    kind: "lookup",
    dense,
    profile,
    calibration,
    centroids: 16,
    training: epochs > 0 ? training : null,
    seed: dense.seed,
  };
}

/** Examples that k-means, as published, and least squares take. */
export const calibrations = { paper: 1024, plus: 4096 } as const;

export const { paper, plus } = profiles;

/** A profile whose training differs in some settings. */
export const trainedBy = (profile: Profile, fineTune: Partial<Profile["fineTune"]>): Profile => ({
  ...profile,
  fineTune: { ...profile.fineTune, ...fineTune },
});
