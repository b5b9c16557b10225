// The layers that networks of other origins need, by numbers written out; that files compute the same is test/kernel/onnx.
import * as lutnn from "lutnn";
import { describe, expect, it } from "vitest";

const { tf } = lutnn;
const { Affine, Elementwise, Expand, MatMul, Padding, Reduce, Slice } = lutnn.layers;
type Layer = lutnn.tf.layers.Layer;
type Nested = number | Nested[];

/** What a layer makes of numbers, once its own word about the shape is found to be true. */
function made(layer: Layer, ...inputs: Nested[]): Nested {
  const tensors = inputs.map((values) => tf.tensor(values as number[]));
  const symbolic = tensors.map(({ shape }) => tf.input({ shape: shape.slice(1) }));
  const one = <T>(all: T[]) => (all.length === 1 ? all[0] : all);
  const output = layer.apply(one(symbolic)) as lutnn.tf.SymbolicTensor;
  const y = layer.apply(one(tensors)) as lutnn.tf.Tensor;
  expect([null, ...y.shape.slice(1)]).toEqual(output.shape);
  // The same again from its config.
  const kind = layer.constructor as lutnn.tf.serialization.SerializableConstructor<Layer>;
  const again = kind.fromConfig(kind, layer.getConfig());
  expect((again.apply(one(tensors)) as lutnn.tf.Tensor).arraySync()).toEqual(y.arraySync());
  return y.arraySync() as Nested;
}

const refusal =
  (layer: () => Layer, ...shapes: (number | null)[][]) =>
  () => {
    const inputs = shapes.map((shape) => tf.input({ shape }));
    layer().apply(inputs.length === 1 ? inputs[0] : inputs);
  };

/** Two examples of two rows of three. */
const rows = [
  [
    [1, 2, 3],
    [4, 5, 6],
  ],
  [
    [-1, 0, 9],
    [7, 8, -5],
  ],
];

describe("a slice", () => {
  const slice = (axis: number, start: number, length: number, step?: number) =>
    new Slice({ name: "s", axis, start, length, ...(step === undefined ? {} : { step }) });

  it("takes places of one axis, in steps and backwards", () => {
    expect(made(slice(2, 1, 2), rows)).toEqual([
      [
        [2, 3],
        [5, 6],
      ],
      [
        [0, 9],
        [8, -5],
      ],
    ]);
    expect(made(slice(1, 1, 1), rows)).toEqual([[[4, 5, 6]], [[7, 8, -5]]]);
    expect(made(slice(2, 0, 2, 2), rows)).toEqual([
      [
        [1, 3],
        [4, 6],
      ],
      [
        [-1, 9],
        [7, -5],
      ],
    ]);
    expect(made(slice(2, 2, 3, -1), rows)).toEqual([
      [
        [3, 2, 1],
        [6, 5, 4],
      ],
      [
        [9, 0, -1],
        [-5, 8, 7],
      ],
    ]);
  });

  it.each<[[number, number, number, number?], boolean]>([
    [[1, 0, 2], true],
    [[1, 1, 2], false],
    [[1, 0, 3], false],
    [[1, 2, 1], false],
    [[1, -1, 1], false],
    [[2, 0, 0], false],
    [[2, 0, 1, 0], false],
    [[2, 2, 3, -1], true],
    [[2, 1, 3, -1], false],
    [[2, 0, 2, 2], true],
    [[2, 0, 3, 2], false],
    [[0, 0, 1], false],
    [[3, 0, 1], false],
    [[-1, 0, 1], false],
  ])("of %j is one of 2 rows of 3: %s", (given, fits) => {
    const attempt = refusal(() => slice(...given), [2, 3]);
    if (fits) attempt();
    else {
      expect(attempt).toThrow(lutnn.LutnnError);
      expect(attempt).toThrow(/^s: start, length and step must name places of axis/);
    }
  });

  it("of an axis of open length is taken at its word", () => {
    expect(refusal(() => slice(1, 5, 2), [null, 3])).not.toThrow();
    expect(refusal(() => slice(1, -1, 2), [null, 3])).toThrow(/\(got -1, 2 and 1 for null places\)/);
  });
});

describe("a padding", () => {
  const around = (paddings: [number, number][], value?: number) =>
    new Padding({ name: "p", paddings, ...(value === undefined ? {} : { value }) });

  it("is put before and behind, zeros unless told", () => {
    expect(
      made(
        around([
          [0, 1],
          [2, 0],
        ]),
        rows,
      ),
    ).toEqual([
      [
        [0, 0, 1, 2, 3],
        [0, 0, 4, 5, 6],
        [0, 0, 0, 0, 0],
      ],
      [
        [0, 0, -1, 0, 9],
        [0, 0, 7, 8, -5],
        [0, 0, 0, 0, 0],
      ],
    ]);
    expect(made(around([[1, 1]], 7), [[3]])).toEqual([[7, 3, 7]]);
    expect(made(around([[0, 0]]), [[3]])).toEqual([[3]]);
  });

  it("is whole numbers from 0, for every axis", () => {
    expect(() => around([[-1, 0]])).toThrow("p: paddings must be whole numbers from 0 (got [[-1,0]])");
    expect(() => around([[0, 0.5]])).toThrow(lutnn.LutnnError);
    expect(refusal(() => around([[1, 1]]), [2, 3])).toThrow(/as many as .*, 2 \(got 1\)/);
    const output = around([[1, 2]]).apply(tf.input({ shape: [null] })) as lutnn.tf.SymbolicTensor;
    expect(output.shape).toEqual([null, null]);
  });
});

describe("an expansion", () => {
  const expand = (...lengths: number[]) => new Expand({ name: "e", lengths });

  it("repeats the one number of an axis", () => {
    expect(made(expand(2, 3), [[[1], [2]]])).toEqual([
      [
        [1, 1, 1],
        [2, 2, 2],
      ],
    ]);
    expect(made(expand(2, 2), [[[1, 2]], [[3, 4]]])).toEqual([
      [
        [1, 2],
        [1, 2],
      ],
      [
        [3, 4],
        [3, 4],
      ],
    ]);
  });

  it.each([
    [[2, 3], [1, 3], true],
    [[2, 3], [2, 2], false],
    [[4, 3], [2, 3], false],
    [[2, 3], [3], false],
    [[3], [2, 3], false],
  ])("to %j of %j: %s", (lengths, shape, fits) => {
    const attempt = refusal(() => expand(...lengths), shape);
    if (fits) attempt();
    else expect(attempt).toThrow(/^e: lengths must be those of the input's axes after the batch/);
  });
});

describe("a product of matrices", () => {
  const product = () => new MatMul({ name: "m" });

  it("is that of each example's own", () => {
    const columns = [
      [[1], [0], [2]],
      [[2], [1], [-1]],
    ];
    expect(made(product(), rows, columns)).toEqual([
      [[7], [16]],
      [[-11], [27]],
    ]);
    expect(
      made(
        product(),
        [[[[2, 1]]]],
        [
          [
            [
              [3, 4, 5],
              [6, 7, 8],
            ],
          ],
        ],
      ),
    ).toEqual([[[[12, 15, 18]]]]);
  });

  it.each([
    [
      [
        [2, 3],
        [3, 4],
      ],
      true,
    ],
    [
      [
        [2, 3],
        [2, 4],
      ],
      false,
    ],
    [[[3], [3]], false],
    [
      [
        [5, 2, 3],
        [5, 3, 4],
      ],
      true,
    ],
    [
      [
        [5, 2, 3],
        [4, 3, 4],
      ],
      false,
    ],
    [
      [
        [5, 2, 3],
        [3, 4],
      ],
      false,
    ],
    [
      [
        [2, 3],
        [3, 4],
        [3, 4],
      ],
      false,
    ],
  ])("of %j: %s", (shapes, fits) => {
    const attempt = refusal(product, ...shapes);
    if (fits) attempt();
    else expect(attempt).toThrow(/^m: the inputs must be matrices that can be multiplied/);
  });

  it("of one input is refused with its shape", () => {
    expect(refusal(product, [2, 3])).toThrow("(got [null, 2, 3])");
  });
});

describe("a reduction", () => {
  const reduce = (reduction: lutnn.layers.ReductionName, axes: number[], keepDims?: boolean) =>
    new Reduce({ name: "r", reduction, axes, ...(keepDims === undefined ? {} : { keepDims }) });

  it("is one number of all along its axes", () => {
    expect(made(reduce("sum", [2]), rows)).toEqual([
      [6, 15],
      [8, 10],
    ]);
    expect(made(reduce("mean", [1]), rows)).toEqual([
      [2.5, 3.5, 4.5],
      [3, 4, 2],
    ]);
    expect(made(reduce("maximum", [1, 2]), rows)).toEqual([6, 9]);
    expect(made(reduce("minimum", [2], true), rows)).toEqual([
      [[1], [4]],
      [[-1], [-5]],
    ]);
  });

  it("is of axes behind the batch", () => {
    for (const axes of [[], [0], [3], [-1], [1, 3]])
      expect(refusal(() => reduce("sum", axes), [2, 3])).toThrow(/^r: axes must be from 1 to 2/);
    expect(refusal(() => reduce("sum", [2]), [2, 3])).not.toThrow();
    expect(refusal(() => reduce("sum", []), [2, 3])).toThrow("(got none)");
    expect(() => reduce("median" as "mean", [1])).toThrow(
      "r: reduction must be one of maximum, mean, minimum, sum (got median)",
    );
  });
});

describe("an affine map", () => {
  const affine = (config: object) => new Affine({ name: "a", weightShape: [1, 3], ...config });

  it("has ones and zeros at first, then what it is given", () => {
    expect(made(affine({}), rows)).toEqual(rows);
    for (const [config, weights, wanted] of [
      [
        {},
        [[[2, 3, 4]], [[1, 0, -1]]],
        [
          [3, 6, 11],
          [9, 15, 23],
        ],
      ],
      [
        { scale: false },
        [[[1, 0, -1]]],
        [
          [2, 2, 2],
          [5, 5, 5],
        ],
      ],
      [
        { offset: false },
        [[[2, 3, 4]]],
        [
          [2, 6, 12],
          [8, 15, 24],
        ],
      ],
      [
        { weightShape: [2, 1], offset: false },
        [[[10], [1]]],
        [
          [10, 20, 30],
          [4, 5, 6],
        ],
      ],
      [{ scale: false, offset: false }, [], rows[0]],
    ] as const) {
      const layer = affine(config);
      const x = tf.tensor3d(rows);
      layer.apply(x);
      layer.setWeights(weights.map((values) => tf.tensor(values as never)));
      expect((layer.apply(x) as lutnn.tf.Tensor3D).arraySync()[0]).toEqual(wanted);
      expect(layer.trainableWeights).toHaveLength(weights.length);
    }
  });

  it("has numbers of the input's shape, or one for all along an axis", () => {
    for (const [weightShape, fits] of [
      [[2, 3], true],
      [[1, 1], true],
      [[2, 2], false],
      [[3], false],
      [[1, 2, 3], false],
    ] as const) {
      const attempt = refusal(() => affine({ weightShape }), [2, 3]);
      if (fits) attempt();
      else expect(attempt).toThrow(/^a: weightShape must have the input's axes after the batch/);
    }
  });
});

describe("a function of each number", () => {
  const by = (operation: lutnn.layers.ElementwiseOperation, numbers = {}) =>
    new Elementwise({ name: "f", operation, ...numbers });
  const digits = 6;

  it.each([
    ["absolute", {}, [2, 0.5, 4]],
    ["exponential", {}, [Math.exp(-2), Math.exp(0.5), Math.exp(4)]],
    ["square", {}, [4, 0.25, 16]],
    ["reciprocal", {}, [-0.5, 2, 0.25]],
    ["clip", { minimum: -1 }, [-1, 0.5, 4]],
    ["clip", { maximum: 3 }, [-2, 0.5, 3]],
    ["clip", { minimum: 0, maximum: 1 }, [0, 0.5, 1]],
    ["power", { exponent: 2 }, [4, 0.25, 16]],
    ["power", { exponent: 3 }, [-8, 0.125, 64]],
    ["power", {}, [-2, 0.5, 4]],
    ["erf", {}, [-0.995322, 0.5205, 1]],
  ] as const)("%s of −2, ½ and 4, with %j", (operation, numbers, wanted) => {
    const [given] = made(by(operation, numbers), [[-2, 0.5, 4]]) as number[][];
    for (const [i, value] of wanted.entries()) expect(given[i]).toBeCloseTo(value, digits - 1);
  });

  it("has logarithms and roots of what is positive", () => {
    const [logarithms] = made(by("logarithm"), [[1, Math.E]]) as number[][];
    expect(logarithms[0]).toBe(0);
    expect(logarithms[1]).toBeCloseTo(1, digits);
    expect(made(by("squareRoot"), [[9, 0.25]])).toEqual([[3, 0.5]]);
    expect(() => by("sine" as "erf")).toThrow(/^f: operation must be one of absolute, clip, erf,/);
  });
});
