import { layers, tf } from "lutnn";
import type { Draw } from "./draw";
import { type Pool, shapeOf, type Value } from "./pool";

const L = tf.layers;
const sequence = (shape: number[], { dtype }: Value) => shape.length === 2 && dtype === "float32";

/** Queries, keys and values of a sequence: attention as plain layers write it. */
export function attention(pool: Pool, draw: Draw): Value | null {
  const x = pool.masks ? null : pool.pick(draw, sequence);
  if (!x) return null;
  const units = draw.integer(1, 4);
  const project = () => pool.apply(L.dense({ units, name: pool.names() }), x);
  const [query, key, value] = [project(), project(), project()];
  const scores = query && key && pool.apply(L.dot({ axes: [2, 2], name: pool.names() }), [query, key]);
  const shares = scores && pool.apply(L.softmax({ name: pool.names() }), scores);
  return shares && value && pool.apply(L.dot({ axes: [2, 1], name: pool.names() }), [shares, value]);
}

/** Attention in several heads of one sequence to another or itself, now and then with a mask. */
export function attentionLayer(pool: Pool, draw: Draw): Value | null {
  const [from, to] = [pool.pick(draw, sequence), pool.pick(draw, sequence)];
  if (!from || !to) return null;
  const numHeads = draw.integer(1, 3);
  const [depth, width] = [numHeads * draw.integer(1, 3), numHeads * draw.integer(1, 3)];
  const project = (x: Value, units: number) => pool.apply(L.dense({ units, name: pool.names() }), x);
  const [query, key, value] = [project(from, depth), project(to, depth), project(to, width)];
  if (!query || !key || !value) return null;
  const mask = draw.sometimes(3)
    ? pool.newMask(shapeOf(key)[0], draw.of(["int32", "float32"] as const))
    : null;
  return pool.apply(layers.attention({ numHeads, name: pool.names() }), [
    ...[query, key, value],
    ...(mask ? [mask] : []),
  ]);
}

/** The mean over the real positions of a sequence, as a mask that is an input of its own says which they are. */
export function maskedMean(pool: Pool, draw: Draw): Value | null {
  const x = pool.masks ? null : pool.pick(draw, sequence);
  const mask = x && pool.newMask(shapeOf(x)[0], draw.of(["int32", "float32"] as const));
  return x && mask && pool.apply(new layers.MaskedMean({ name: pool.names() }), [x, mask]);
}

/** A row added to each position of a sequence, out of a table that may have more of them. */
export function positionEmbedding(pool: Pool, draw: Draw): Value | null {
  const x = pool.pick(draw, sequence);
  if (!x) return null;
  const positions = shapeOf(x)[0] + draw.integer(0, 2);
  return pool.apply(new layers.PositionEmbedding({ positions, name: pool.names() }), x);
}
