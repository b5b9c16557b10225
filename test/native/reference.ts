// Plain loops over whole numbers, which float32 holds exactly: the codes and sums that every microkernel must give.
import type { Lookup, Window } from "lutnn-native";

/** Small whole numbers from a fixed sequence. */
export function wholeNumbers(length: number, seed: number, least = -3, most = 3): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return least + ((state >>> 8) % (most - least + 1));
  });
}

export function makeLookup(C: number, K: number, V: number, M: number, seed = 1): Lookup {
  return {
    numCodebooks: C,
    numCentroids: K,
    subvectorLength: V,
    outputs: M,
    centroids: Float32Array.from(wholeNumbers(C * K * V, seed)),
    lookupTable: Int8Array.from(wholeNumbers(C * K * M, seed + 1, -128, 127)),
    tableScale: Float32Array.from(wholeNumbers(M, seed + 2), (n) => n / 4),
    bias: Float32Array.from(wholeNumbers(M, seed + 3)),
  };
}

/** rows (rows, C·V) → codes (rows, C): the greatest a · P − ½‖P‖², of equals the first. */
export function referenceCodes(lookup: Lookup, rows: number[]): Uint8Array {
  const { numCodebooks: C, numCentroids: K, subvectorLength: V, centroids } = lookup;
  const codes = new Uint8Array(rows.length / V);
  codes.forEach((_, place) => {
    const c = place % C;
    let best = -Infinity;
    for (let k = 0; k < K; k++) {
      let score = 0;
      for (let v = 0; v < V; v++) {
        const p = centroids[(c * K + k) * V + v]!;
        score += rows[place * V + v]! * p - (p * p) / 2;
      }
      if (score > best) {
        best = score;
        codes[place] = k;
      }
    }
  });
  return codes;
}

/** codes (rows, C) → sums (rows, M) */
export function referenceSums(lookup: Lookup, codes: Uint8Array): Int32Array {
  const { numCodebooks: C, numCentroids: K, outputs: M, lookupTable } = lookup;
  const sums = new Int32Array((codes.length / C) * M);
  codes.forEach((code, place) => {
    const row = Math.floor(place / C);
    for (let m = 0; m < M; m++) sums[row * M + m]! += lookupTable[((place % C) * K + code) * M + m]!;
  });
  return sums;
}

/** sums (rows, M) → y (rows, M) */
export function referenceOutputs(lookup: Lookup, sums: Int32Array): Float32Array {
  const M = lookup.outputs;
  return Float32Array.from(sums, (sum, i) => {
    return Math.fround(sum * lookup.tableScale[i % M]!) + lookup.bias[i % M]!;
  });
}

/** x (batch, channels, height, width) → rows (positions, channels · filter) */
export function referenceWindows(
  w: Window,
  x: number[],
  [batch, height, width]: [number, number, number],
  [outputHeight, outputWidth]: [number, number],
): number[] {
  const rows: number[] = [];
  for (let n = 0; n < batch; n++)
    for (let oy = 0; oy < outputHeight; oy++)
      for (let ox = 0; ox < outputWidth; ox++)
        for (let channel = 0; channel < w.inputChannels; channel++)
          for (let i = 0; i < w.filterHeight; i++)
            for (let j = 0; j < w.filterWidth; j++) {
              const row = oy * w.strideHeight + i * w.dilationHeight - w.padTop;
              const column = ox * w.strideWidth + j * w.dilationWidth - w.padLeft;
              const inside = row >= 0 && row < height && column >= 0 && column < width;
              rows.push(inside ? x[((n * w.inputChannels + channel) * height + row) * width + column]! : 0);
            }
  return rows;
}
