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
  network.kind === "encoder" ? 0.05 : network.kind === "resnet8" ? 1e-3 : 4e-3 * (network.width / 32) ** 2;

/** Examples where a cell takes all of a set: about, for efforts alone. */
export const manyExamples = 60_000;

/** Trains a dense network; its weights stay for the cells that start from it. */
export const dense: Kind<"dense"> = {
  needs: () => [],
  title: ({ network, data, seed }) => `dense ${networkTitle(network, data)}, seed ${seed}`,
  effort: ({ network, data, training }) =>
    4 + (data.train ?? manyExamples) * training.epochs * secondsAnExample(network),
  keeps: true,
  isLight: false,
  isAlone: false,
};
