import { alea } from "seedrandom";

/** Uniform numbers in [0, 1). */
export type Random = () => number;

/**
 * A generator whose numbers depend on the seed and the path of labels alone, so that a part of a computation keeps its
 * numbers when another part is added, removed or run at another time.
 */
export function seededRandom(seed: number, ...labels: (string | number)[]): Random {
  return alea([seed, ...labels].join("/"));
}

/**
 * Random integers from 0, below 2³², by the same seeds and some times as fast, where millions are drawn (xorshift128: Marsaglia,
 * 2003).
 */
export function bits32(seed: number, ...labels: (string | number)[]): Random {
  const start = seededRandom(seed, ...labels);
  const word = () => Math.floor(start() * 2 ** 32) | 0;
  let [x, y, z, w] = [word(), word(), word(), word() | 1]; // never all zero
  return () => {
    const t = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
    return w >>> 0;
  };
}

/** The indices 0 … count−1 in random order (Fisher-Yates). */
export function permutation(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const kept = order[last];
    order[last] = order[other];
    order[other] = kept;
  }
  return order;
}

/** From so many indices on a few of them are drawn one by one, in memory for those alone. */
const sparseFrom = 2 ** 20;

/** Each later index takes the place of a draw that came before (Floyd's algorithm: Bentley and Floyd, 1987). */
function sparseIndices(count: number, wanted: number, random: Random): Uint32Array {
  const found = new Set<number>();
  for (let last = count - wanted; last < count; last++) {
    const drawn = Math.floor(random() * (last + 1));
    found.add(found.has(drawn) ? last : drawn);
  }
  return Uint32Array.from(found).sort();
}

/** `wanted` different indices of 0 … count−1 in rising order; all of them when wanted ≥ count. */
export function sampleIndices(count: number, wanted: number, random: Random): Uint32Array {
  if (wanted >= count) return Uint32Array.from({ length: count }, (_, index) => index);
  if (count > sparseFrom && wanted < count / 4) return sparseIndices(count, wanted, random);
  return permutation(count, random).slice(0, wanted).sort();
}
