/** The end of a network, as far as a task must know it. */
export interface Head {
  /**
   * The last nonlinearity before an output, over its last axis where that is a softmax. "none": the outputs are linear,
   * so logits or numbers; "other": whatever `activation` says.
   */
  nonlinearity: "softmax" | "sigmoid" | "none" | "other";
  /** As tf.js calls it: "relu"; "linear" for none. */
  activation: string;
  /** The layer that sets it. */
  layer: string;
  /** Length of the output's last axis, and product of those between it and the batch; null where one is open. */
  units: number | null;
  positions: number | null;
}

/** Numbers that the network gives for every example; null where a length is open. */
export const outputCount = ({ units, positions }: Head): number | null =>
  units === null || positions === null ? null : units * positions;

/** As words in brackets behind a task: "softmax of layer fc". */
export function describeHead({ nonlinearity, activation, layer }: Head, ofNone: string): string {
  return `${nonlinearity === "none" ? ofNone : activation} of layer ${layer}`;
}
