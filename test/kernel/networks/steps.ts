import { layers, tf } from "lutnn";
import { attention, attentionLayer, maskedMean, positionEmbedding } from "./attentionSteps";
import type { Draw } from "./draw";
import type { Pool, Value } from "./pool";
import { shapeOf } from "./pool";

// What a random network is made of: a step takes values from the pool and adds what a new layer makes of them. A new kind
// of layer is a line in one of these lists.

const L = tf.layers;
type Layer = tf.layers.Layer;
export type Step = (pool: Pool, draw: Draw) => Value | null;

const isFloat = ({ dtype }: Value) => dtype === "float32";
const image = (shape: number[], value: Value) => shape.length === 3 && isFloat(value);
const sequence = (shape: number[], value: Value) => shape.length === 2 && isFloat(value);
const tokens = (shape: number[], value: Value) => shape.length === 1 && !isFloat(value);
const floats = (_: number[], value: Value) => isFloat(value);

const activations = [
  ...["linear", "relu", "tanh", "sigmoid", "softmax", "elu", "selu", "relu6"],
  ...["softplus", "softsign", "swish", "hardSigmoid", "gelu", "gelu_new", "mish", "logSoftmax"],
];
/** Known to tf.js, though not to its types. */
const activation = (draw: Draw) => draw.of(activations) as "relu";

/** A step by one layer on one value. */
const unary =
  (
    fits: (shape: number[], value: Value) => boolean,
    make: (draw: Draw, shape: number[], name: string, masks: boolean) => Layer | null,
  ): Step =>
  (pool, draw) => {
    const x = pool.pick(draw, fits);
    if (!x) return null;
    const layer = make(draw, shapeOf(x), pool.names(), pool.masks);
    return layer && pool.apply(layer, x);
  };

/** Now and then channels first, of which the sizes of the image follow. */
function format(draw: Draw, shape: number[]) {
  const first = draw.sometimes(5);
  const [height, width] = first ? shape.slice(1) : shape;
  return {
    size: [height, width],
    channels: first ? shape[0] : shape[2],
    dataFormat: first ? "channelsFirst" : "channelsLast",
  } as const;
}

/** A window along each axis: sizes that fit, steps, gaps (where there are no steps), padding. */
function window(draw: Draw, size: readonly number[], sameStrides = false) {
  const kernelSize = size.map((length) => draw.integer(1, Math.min(3, length)));
  const strides = size.map(() => draw.integer(1, 2));
  if (sameStrides) strides.fill(strides[0]);
  const gaps = size.map(() => draw.integer(1, 2));
  const dilated = strides.every((one) => one === 1) && draw.sometimes(3);
  const fits = kernelSize.every((filter, i) => (filter - 1) * gaps[i] < size[i]);
  return {
    kernelSize,
    strides,
    dilationRate: dilated && fits ? gaps : size.map(() => 1),
    padding: draw.of(["valid", "same"] as const),
  };
}
type Pair = [number, number];

const conv2d = unary(image, (draw, shape, name) => {
  const { size, dataFormat } = format(draw, shape);
  const { kernelSize, strides, dilationRate, padding } = window(draw, size);
  return L.conv2d({
    filters: draw.integer(1, 5),
    kernelSize,
    strides: strides as Pair,
    dilationRate: dilationRate as Pair,
    padding,
    dataFormat,
    useBias: !draw.sometimes(3),
    activation: activation(draw),
    name,
  });
});

const conv1d = unary(sequence, (draw, [length], name) => {
  const { kernelSize, strides, dilationRate, padding } = window(draw, [length]);
  return L.conv1d({
    filters: draw.integer(1, 5),
    kernelSize,
    strides: strides[0],
    dilationRate: dilationRate[0],
    padding: draw.sometimes(5) && strides[0] === 1 ? "causal" : padding,
    useBias: !draw.sometimes(3),
    activation: activation(draw),
    name,
  });
});

const dense = unary(floats, (draw, _shape, name) =>
  L.dense({
    units: draw.integer(1, 6),
    useBias: !draw.sometimes(3),
    activation: activation(draw),
    name,
  }),
);

const depthwise = unary(image, (draw, shape, name) => {
  const { size, dataFormat } = format(draw, shape);
  const { kernelSize, strides, padding } = window(draw, size, true);
  const depthMultiplier = draw.integer(1, 2);
  const rest = { kernelSize: kernelSize as Pair, strides: strides as Pair, padding, dataFormat, name };
  return draw.sometimes(2)
    ? L.separableConv2d({
        ...rest,
        filters: draw.integer(1, 4),
        depthMultiplier: 1, // TensorFlow.js does not write another one into a stored network
        useBias: !draw.sometimes(3),
        activation: activation(draw),
      })
    : L.depthwiseConv2d({
        ...rest,
        depthMultiplier,
        useBias: !draw.sometimes(3),
        activation: activation(draw),
      });
});

const conv2dTranspose = unary(image, (draw, shape, name) => {
  const { size, dataFormat } = format(draw, shape);
  const { kernelSize, strides, padding } = window(draw, size);
  return L.conv2dTranspose({
    filters: draw.integer(1, 3),
    kernelSize: kernelSize as Pair,
    strides: strides as Pair,
    padding,
    dataFormat,
    useBias: !draw.sometimes(3),
    activation: activation(draw),
    name,
  });
});

const pooling2d = unary(image, (draw, shape, name) => {
  const { size, dataFormat } = format(draw, shape);
  const { kernelSize, strides, padding } = window(draw, size);
  const args = { poolSize: kernelSize as Pair, strides: strides as Pair, padding, dataFormat, name };
  return draw.sometimes(2) ? L.averagePooling2d(args) : L.maxPooling2d(args);
});

const pooling1d = unary(sequence, (draw, [length], name) => {
  const { kernelSize, strides, padding } = window(draw, [length]);
  const args = { poolSize: kernelSize[0], strides: strides[0], padding, name };
  return draw.sometimes(2) ? L.averagePooling1d(args) : L.maxPooling1d(args);
});

const globalPooling = unary(floats, (draw, shape, name) => {
  const mean = draw.sometimes(2);
  if (shape.length === 2) return mean ? L.globalAveragePooling1d({ name }) : L.globalMaxPooling1d({ name });
  if (shape.length !== 3) return null;
  const { dataFormat } = format(draw, shape);
  return mean ? L.globalAveragePooling2d({ dataFormat, name }) : L.globalMaxPooling2d({ dataFormat, name });
});

const around = (draw: Draw): [Pair, Pair] => [
  [draw.integer(0, 2), draw.integer(0, 1)],
  [draw.integer(0, 1), draw.integer(0, 2)],
];

const resize2d = unary(image, (draw, shape, name) => {
  const { dataFormat } = format(draw, shape);
  const kind = draw.integer(0, 2);
  if (kind === 0) return L.zeroPadding2d({ padding: around(draw), dataFormat, name });
  if (kind === 1) return L.cropping2D({ cropping: around(draw), dataFormat, name });
  return L.upSampling2d({
    size: [draw.integer(1, 2), draw.integer(1, 3)],
    interpolation: draw.of(["nearest", "bilinear"]),
    dataFormat,
    name,
  });
});

/** An axis after the batch, counted from the front or the back. */
function axisOf(draw: Draw, shape: number[]): number {
  const axis = draw.sometimes(3) ? draw.integer(1, shape.length) : shape.length;
  return draw.sometimes(2) ? axis : axis - shape.length - 1;
}

const normalization = unary(floats, (draw, shape, name) => {
  const [axis, on, off] = [axisOf(draw, shape), !draw.sometimes(4), !draw.sometimes(4)];
  return draw.sometimes(3)
    ? L.layerNormalization({ axis, center: on, scale: off, name })
    : L.batchNormalization({ axis, center: on, scale: off, epsilon: 0.01, name });
});

const nonlinearity = unary(floats, (draw, shape, name, masks) => {
  const makers: (() => Layer | null)[] = [
    () => L.activation({ activation: activation(draw), name }),
    () => L.reLU({ maxValue: draw.sometimes(2) ? 0.5 : undefined, name }),
    () => L.leakyReLU({ alpha: 0.1 * draw.integer(1, 5), name }),
    () => L.prelu({ sharedAxes: draw.sometimes(2) ? [1] : undefined, name }),
    () => L.elu({ alpha: 1, name }),
    () => L.thresholdedReLU({ theta: 0.37, name }),
    () => (masks ? null : L.softmax({ axis: draw.sometimes(4) ? axisOf(draw, shape) : -1, name })),
    () => layers.hardSwish({ name }),
    () => L.rescaling({ scale: 0.3 * draw.integer(1, 4), offset: 0.1 * draw.integer(0, 5), name }),
  ];
  return draw.of(makers)();
});

/** What acts while training alone. */
const noise = unary(floats, (draw, shape, name) => {
  if (shape.length === 2 && draw.sometimes(2)) return L.spatialDropout1d({ rate: 0.5, name });
  const makers: (() => Layer)[] = [
    () => L.dropout({ rate: 0.5, name }),
    () => new layers.SeededDropout({ rate: 0.5, name }),
    () => L.gaussianNoise({ stddev: 1, name }),
    () => L.gaussianDropout({ rate: 0.5, name }),
    () => L.alphaDropout({ rate: 0.5, name }),
  ];
  return draw.of(makers)();
});

/** The same numbers under another shape or in another order. */
const rearrange = unary(floats, (draw, shape, name) => {
  const all = shape.reduce((product, length) => product * length, 1);
  const kind = draw.integer(0, 3);
  if (kind === 0) return L.flatten({ dataFormat: draw.of(["channelsLast", "channelsFirst"] as const), name });
  if (kind === 1) return L.permute({ dims: draw.shuffled(shape.map((_, i) => i + 1)), name });
  if (kind === 2 && shape.length === 1) return L.repeatVector({ n: draw.integer(1, 4), name });
  const divisors = Array.from({ length: all }, (_, i) => i + 1).filter((one) => all % one === 0);
  const first = draw.of(divisors);
  const second = draw.of(divisors.filter((one) => (all / first) % one === 0));
  const rest = all / first / second;
  const targetShape = draw.of([[first, all / first], [first, second, rest], [all]]);
  if (draw.sometimes(3)) targetShape[draw.integer(0, targetShape.length - 1)] = -1;
  return L.reshape({ targetShape: targetShape as number[], name });
});

const embedding: Step = (pool, draw) => {
  const x = pool.pick(draw, tokens);
  if (!x) return null;
  const maskZero = draw.sometimes(6) && pool.masks;
  return pool.apply(
    L.embedding({ inputDim: 5, outputDim: draw.integer(1, 4), maskZero, name: pool.names() }),
    x,
  );
};

const masking: Step = (pool, draw) => {
  const x = pool.masks ? pool.pick(draw, sequence) : null;
  return x && pool.apply(L.masking({ maskValue: 0, name: pool.names() }), x);
};

const merges = (name: string): (() => Layer)[] => [
  () => L.add({ name }),
  () => L.multiply({ name }),
  () => L.average({ name }),
  () => L.maximum({ name }),
  () => L.minimum({ name }),
];

/** Whether tf.js spreads two shapes over each other. */
const spreads = (a: number[], b: number[]): boolean => {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const tail = long.slice(long.length - short.length);
  return short.every((length, i) => length === tail[i] || length === 1 || tail[i] === 1);
};

const merge: Step = (pool, draw) => {
  const x = pool.pick(draw, floats);
  if (!x) return null;
  const others = pool.pickOthers(draw, x, (shape) => spreads(shape, shapeOf(x)));
  if (others.length === 0) return null;
  return pool.apply(draw.of(merges(pool.names()))(), draw.shuffled([x, ...others]));
};

const concatenate: Step = (pool, draw) => {
  const x = pool.pick(draw, floats);
  if (!x) return null;
  const shape = shapeOf(x);
  const axis = draw.integer(1, shape.length);
  const alike = (other: number[]) =>
    other.length === shape.length && other.every((length, i) => i === axis - 1 || length === shape[i]);
  const others = pool.pickOthers(draw, x, alike);
  if (others.length === 0) return null;
  const from = draw.sometimes(2) ? axis : axis - shape.length - 1;
  return pool.apply(L.concatenate({ axis: from, name: pool.names() }), draw.shuffled([x, ...others]));
};

const dot: Step = (pool, draw) => {
  const x = pool.pick(draw, (shape, value) => floats(shape, value) && shape.length < 3);
  if (!x) return null;
  const shape = shapeOf(x);
  const axis = draw.integer(1, shape.length);
  const y = pool.pick(
    draw,
    (other, value) => floats(other, value) && other.length < 3 && other.includes(shape[axis - 1]),
  )!;
  const axes: Pair = [axis, shapeOf(y).indexOf(shape[axis - 1]) + 1];
  return pool.apply(L.dot({ axes, normalize: draw.sometimes(3), name: pool.names() }), [x, y]);
};

/** A convolution on either side of a sum, made and added in any order; one side may be the identity. */
const residual: Step = (pool, draw) => {
  const x = pool.pick(draw, image);
  if (!x) return null;
  const keeps = draw.sometimes(2);
  const filters = keeps ? shapeOf(x)[2] : draw.integer(1, 4);
  const conv = (kernelSize: number) => (): Value | null => {
    const name = pool.names();
    return pool.apply(
      L.conv2d({ filters, kernelSize, padding: "same", activation: activation(draw), name }),
      x,
    );
  };
  const made = draw.shuffled([conv(3), keeps ? () => x : conv(1)]).map((side) => side());
  if (made.includes(null)) return null;
  return pool.apply(L.add({ name: pool.names() }), draw.shuffled(made as Value[]));
};

/** Channels weighed by what a dense layer makes of their means: (N, h, w, c) times (N, c) or (N, 1, 1, c). */
const squeezeAndExcite: Step = (pool, draw) => {
  const x = pool.pick(draw, image);
  if (!x) return null;
  const channels = shapeOf(x)[2];
  const means = pool.apply(L.globalAveragePooling2d({ name: pool.names() }), x);
  const gates =
    means && pool.apply(L.dense({ units: channels, activation: "sigmoid", name: pool.names() }), means);
  const spread =
    gates && draw.sometimes(2)
      ? pool.apply(L.reshape({ targetShape: [1, 1, channels], name: pool.names() }), gates)
      : gates;
  return spread && pool.apply(L.multiply({ name: pool.names() }), draw.shuffled([x, spread]));
};

/** The small layers of networks that come from ONNX files. */
const ofFiles = unary(floats, (draw, shape, name) => {
  const axis = draw.integer(1, shape.length);
  const length = shape[axis - 1];
  const makers: (() => Layer)[] = [
    () => new layers.Elementwise({ operation: draw.of(["absolute", "square", "erf"] as const), name }),
    () => new layers.Elementwise({ operation: "clip", minimum: -0.25, maximum: 0.5, name }),
    () =>
      new layers.Affine({
        weightShape: shape.map((one) => (draw.sometimes(2) ? one : 1)),
        scale: !draw.sometimes(3),
        offset: !draw.sometimes(3),
        name,
      }),
    () => {
      const step = draw.of([1, 2, -1, -2]);
      const start = step > 0 ? draw.integer(0, length - 1) : length - 1 - draw.integer(0, length - 1);
      const most = Math.floor((step > 0 ? length - 1 - start : start) / Math.abs(step)) + 1;
      return new layers.Slice({ axis, start, length: draw.integer(1, most), step, name });
    },
    () => {
      const reduction = draw.of(["mean", "maximum", "minimum", "sum"] as const);
      return new layers.Reduce({
        reduction,
        axes: [axis],
        keepDims: shape.length === 1 || draw.sometimes(2),
        name,
      });
    },
    () =>
      new layers.Padding({
        paddings: shape.map((): Pair => [draw.integer(0, 1), draw.integer(0, 2)]),
        value: 0.5,
        name,
      }),
    () => new layers.Expand({ lengths: shape.map((one) => (one === 1 ? draw.integer(1, 3) : one)), name }),
  ];
  return draw.of(makers)();
});

/** Products of matrices, those of each example by themselves. */
const matMul: Step = (pool, draw) => {
  const x = pool.pick(draw, (shape, value) => shape.length > 1 && isFloat(value));
  if (!x) return null;
  const shape = shapeOf(x);
  const rank = shape.length;
  const dims = shape.map((_, i) => i + 1);
  const turned = pool.apply(
    L.permute({ dims: [...dims.slice(0, -2), rank, rank - 1], name: pool.names() }),
    x,
  );
  return turned && pool.apply(new layers.MatMul({ name: pool.names() }), draw.shuffled([x, turned]));
};

/** A layer that is there already, once more. */
const again: Step = (pool, draw) => {
  const found = pool.again(draw);
  return found && pool.apply(found.layer, found.input);
};

/** A sequence step by step: the last state, or all. */
const recurrent = unary(sequence, (draw, _shape, name, masks) => {
  if (masks) return null;
  const returnSequences = draw.sometimes(2);
  const args = {
    units: draw.integer(1, 4),
    returnSequences,
    goBackwards: !returnSequences && draw.sometimes(3),
    name,
  };
  return draw.of([L.lstm, L.gru, L.simpleRNN])(args as never) as tf.layers.Layer;
});

/** Layers that no file can hold: what comes of them must be a sentence. */
const unknown = unary(sequence, (_draw, _shape, name, masks) =>
  masks ? null : L.rnn({ cell: L.simpleRNNCell({ units: 2 }), name }),
);

/** By name; what comes first is simplest, what is listed twice comes up twice as often. */
export const steps: [string, Step][] = [
  ["dense", dense],
  ["dense", dense],
  ["conv2d", conv2d],
  ["conv2d", conv2d],
  ["conv2d", conv2d],
  ["conv1d", conv1d],
  ["nonlinearity", nonlinearity],
  ["nonlinearity", nonlinearity],
  ["normalization", normalization],
  ["normalization", normalization],
  ["again", again],
  ["merge", merge],
  ["merge", merge],
  ["concatenate", concatenate],
  ["residual", residual],
  ["residual", residual],
  ["squeezeAndExcite", squeezeAndExcite],
  ["pooling2d", pooling2d],
  ["pooling1d", pooling1d],
  ["globalPooling", globalPooling],
  ["rearrange", rearrange],
  ["rearrange", rearrange],
  ["depthwise", depthwise],
  ["conv2dTranspose", conv2dTranspose],
  ["resize2d", resize2d],
  ["embedding", embedding],
  ["embedding", embedding],
  ["dot", dot],
  ["attention", attention],
  ["attentionLayer", attentionLayer],
  ["noise", noise],
  ["noise", noise],
  ["ofFiles", ofFiles],
  ["ofFiles", ofFiles],
  ["matMul", matMul],
  ["masking", masking],
  ["recurrent", recurrent],
  ["unknown", unknown],
  ["maskedMean", maskedMean],
  ["positionEmbedding", positionEmbedding],
];

export const stepNamed = new Map(steps);
