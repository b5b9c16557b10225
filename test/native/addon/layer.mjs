// A layer's arguments as the lookup addon takes them, with numbers that follow from their places.

export const floats = (length, scale = 1) => Float32Array.from({ length }, (_, i) => Math.sin(i + 1) * scale);

export const lookupOf = (C, K, V, M) => ({
  numCodebooks: C,
  numCentroids: K,
  subvectorLength: V,
  outputs: M,
  centroids: floats(C * K * V),
  lookupTable: Int8Array.from({ length: C * K * M }, (_, i) => i * 37),
  tableScale: floats(M),
  bias: floats(M),
});

/** 3×3, padded so that the output is as large as the input. */
export const windowOf = (inputChannels) => ({
  inputChannels,
  filterHeight: 3,
  filterWidth: 3,
  strideHeight: 1,
  strideWidth: 1,
  dilationHeight: 1,
  dilationWidth: 1,
  padTop: 1,
  padLeft: 1,
  padBottom: 1,
  padRight: 1,
});
