// The order of axes. tf.js numbers a tensor's axes 0 (the batch), 1, 2 …; an order says which of them each axis of the
// ONNX value holds: [0, 3, 1, 2] is an image of tf.js (batch, height, width, channels) written channels first.

/** As tf.js has them. */
export const plainOrder = (rank: number): number[] => Array.from({ length: rank }, (_, axis) => axis);

/** Which axes of tf.js hold the channels and the space of an image, a sequence or a volume. */
export interface ImageAxes {
  channels: number;
  space: number[];
}

/** @param dataFormat tf.js' name for it; channels last unless it says otherwise */
export function imageAxes(rank: number, dataFormat: unknown): ImageAxes {
  const rest = plainOrder(rank).slice(1);
  return isChannelsFirst(dataFormat)
    ? { channels: 1, space: rest.slice(1) }
    : { channels: rank - 1, space: rest.slice(0, -1) };
}

export const isChannelsFirst = (dataFormat: unknown): boolean =>
  dataFormat === "channelsFirst" || dataFormat === "channels_first";

/** Batch, channels, then space: what ONNX's convolutions and poolings take. */
export function imageOrder(rank: number, dataFormat: unknown): number[] {
  const { channels, space } = imageAxes(rank, dataFormat);
  return [0, channels, ...space];
}

/**
 * The order in which a file holds the inputs and outputs of its network: images of tf.js (three axes after the batch:
 * height, width, channels) are written channels first, everything else as tf.js has it.
 */
export const fileOrder = (rank: number): number[] =>
  rank === 4 ? imageOrder(rank, "channelsLast") : plainOrder(rank);

export const sameOrder = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((axis, i) => axis === b[i]);

/** Row-major values of a shape, their axes put in another order: axis i of the result is axis `order[i]` of the values. */
export function reorder(
  values: Float32Array,
  shape: readonly number[],
  order: readonly number[],
): Float32Array {
  const lengths = order.map((axis) => shape[axis]);
  const strides = order.map((axis) => shape.slice(axis + 1).reduce((product, length) => product * length, 1));
  const out = new Float32Array(values.length);
  const last = order.length - 1;
  if (last < 0) return values.slice();
  const [length, stride] = [lengths[last], strides[last]];
  const index = order.map(() => 0);
  for (let to = 0, from = 0; to < out.length; ) {
    for (let i = 0, at = from; i < length; i++, at += stride) out[to++] = values[at];
    for (let axis = last - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < lengths[axis]) break;
      from -= lengths[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return out;
}
