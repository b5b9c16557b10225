import { seededRandom } from "../../kernel/lib/pq/random";

/** Uniform float32 numbers in [−1, 1), the same for a seed. */
export function randomFloats(count: number, seed: number): Float32Array {
  const random = seededRandom(seed, "test");
  return Float32Array.from({ length: count }, () => 2 * random() - 1);
}
