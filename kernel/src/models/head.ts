import { LutnnError } from "../errors";

/** What a network gives at its end, by one of the two: both are linear outputs of a dense layer `fc`. */
export interface Head {
  /** Logits of so many classes. */
  numClasses?: number;
  /** So many numbers, as a regression has them. */
  outputs?: number;
}

/** The number of a head's outputs. Throws LutnnError unless one of the two is given; `what` opens the sentence. */
export function headSize(what: string, { numClasses, outputs }: Head): number {
  const size = numClasses ?? outputs;
  if (size === undefined || (numClasses !== undefined && outputs !== undefined))
    throw new LutnnError(
      `${what}: one of numClasses and outputs must be given (got ${size === undefined ? "neither" : "both"}); numClasses are a classifier's, outputs a regression's`,
    );
  if (!Number.isInteger(size) || size < 1)
    throw new LutnnError(
      `${what}: ${numClasses === undefined ? "outputs" : "numClasses"} must be a positive integer (got ${size})`,
    );
  return size;
}
