import type { InputGradient } from "../compute/straightThrough";

/** How gradients flow through a lookup while training; see FineTuneSettings. */
export interface Learning {
  softShare: number;
  commitment: number;
  centroidPull: number;
  /** Of the dense layer: where the straight-through share of the input's gradient comes from. */
  inputGradient: InputGradient | null;
}

/** The paper: the soft path alone. */
export const softLearning: Learning = { softShare: 1, commitment: 0, centroidPull: 0, inputGradient: null };
