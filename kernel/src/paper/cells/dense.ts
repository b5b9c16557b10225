import type { DataChoice, NetworkChoice } from "./cell";
import type { Kind } from "./kind";

/** "resnet18 of width 32 on fashion-mnist". */
export function networkTitle(network: NetworkChoice, { set }: DataChoice): string {
  return network.kind === "encoder"
    ? `${network.weights} on ${set}`
    : `${network.kind} of width ${network.width} on ${set}`;
}

/** Seconds that a pass of an image takes, roughly, by the network's width; and of a sentence. */
export const secondsAnExample = (network: NetworkChoice): number =>
  network.kind === "encoder" ? 0.05 : network.kind === "resnet8" ? 1e-3 : 6e-3 * (network.width / 32) ** 2;

/** Training examples of each set, about, for efforts alone. */
const setSizes: Readonly<Record<string, number>> = {
  digits: 1_400,
  "movie-ratings": 9_100,
  "movie-snippets": 8_800,
  rte: 2_500,
  gtsrb: 39_000,
  "sst-2": 67_000,
  svhn: 73_000,
  "speech-commands": 85_000,
  qnli: 105_000,
  qqp: 364_000,
  imagenet: 1_280_000,
};

/** Examples that a cell learns from in an epoch, about. */
export const examplesOf = ({ set, train }: DataChoice): number => train ?? setSizes[set] ?? 60_000;

/** Trains a dense network; its weights stay for the cells that start from it. */
export const dense: Kind<"dense"> = {
  needs: () => [],
  title: ({ network, data, seed }) => `dense ${networkTitle(network, data)}, seed ${seed}`,
  effort: ({ network, data, head, training }) =>
    4 + examplesOf(data) * (training.epochs + (head?.epochs ?? 0) / 2) * secondsAnExample(network),
  keeps: true,
  isLight: false,
  isAlone: false,
};
