// Operations and bytes of a linear operator, before and after: the counting rules of the paper
// (1 multiply-add = 1 operation; bias and batch norm not counted).

/** Sizes of a linear operator and its lookup. */
export interface OperatorSizes {
  /** N: output positions for one input (1 for a matrix row). */
  positions: number;
  /** D = C·V. */
  inputLength: number;
  /** M. */
  outputs: number;
  /** K */
  numCentroids: number;
  /** V */
  subvectorLength: number;
  /** In which numbers codes are defined; default "float32". */
  codes?: "float32" | "int8";
}

export interface Cost {
  /** Multiply-adds plus additions. */
  operations: number;
  bytes: number;
}

export interface LookupCost extends Cost {
  multiplyAdds: number;
  additions: number;
}

/** Dense: N·D·M multiply-adds, 4·D·M bytes of float32 weights. */
export function denseCost({
  positions,
  inputLength,
  outputs,
}: Pick<OperatorSizes, "positions" | "inputLength" | "outputs">): Cost {
  return { operations: positions * inputLength * outputs, bytes: 4 * inputLength * outputs };
}

/**
 * Lookup: N·D·K multiply-adds to encode and N·C·M additions; 4·K·D bytes of float32 centroids (or K·D of int8 ones and
 * 4·C·K of their half norms) and C·K·M bytes of INT8 table.
 */
export function lookupCost(sizes: OperatorSizes): LookupCost {
  const { positions, inputLength, outputs, numCentroids, subvectorLength, codes } = sizes;
  const numCodebooks = inputLength / subvectorLength;
  const centroidBytes =
    codes === "int8" ? numCentroids * (inputLength + 4 * numCodebooks) : 4 * numCentroids * inputLength;
  const multiplyAdds = positions * inputLength * numCentroids;
  const additions = positions * numCodebooks * outputs;
  return {
    operations: multiplyAdds + additions,
    multiplyAdds,
    additions,
    bytes: centroidBytes + numCodebooks * numCentroids * outputs,
  };
}

/** The sums of some costs. */
export const totalCost = (costs: readonly Cost[]): Cost => ({
  operations: costs.reduce((sum, { operations }) => sum + operations, 0),
  bytes: costs.reduce((sum, { bytes }) => sum + bytes, 0),
});
