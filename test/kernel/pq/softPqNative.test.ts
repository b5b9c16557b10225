import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { pq, tf } from "lutnn";
import { availableIsas } from "lutnn-native";
import { afterEach, describe, expect, it } from "vitest";
import { imageWindows } from "../../../kernel/lib/compute/imageWindows";
import { softLookupTfjs } from "../../../kernel/lib/compute/softPqTfjs";
import { roundHalfToEven } from "../../../kernel/lib/pq/lookupTable";
import { randomFloats } from "../random";
import { residentGrowth } from "../residentGrowth";

// Outputs are compared with plain loops that are given the native form's own real table: entries lie between integers, and
// where one lies half-way, the last bit of P·W, which depends on the order of its sum and so on the processor, decides a
// whole step of the table. Gradients go through the real table and have no such steps.

/** Between the two forms, relative to the largest entry of a gradient. */
const tolerance = 1e-4;
/** Of dθ: one sum over everything, whose terms cancel. */
const thetaTolerance = 1e-3;

type Backend = pq.TrainingBackend;
const distances = ["l2", "squaredL2"] as const;
const kinds = ["weight", "table"] as const;

/** Largest difference relative to the largest wanted value. */
function relativeDifference(got: tf.Tensor, wanted: tf.Tensor): number {
  expect(got.shape).toEqual(wanted.shape);
  return tf.tidy(() => {
    const largest = tf.max(tf.abs(wanted)).dataSync()[0];
    return tf.max(tf.abs(tf.sub(got, wanted))).dataSync()[0] / Math.max(largest, 1e-3);
  });
}

const random = (shape: number[], seed: number) =>
  tf.tensor(
    randomFloats(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    shape,
  );

interface Case {
  x: number[];
  window: pq.ConvWindow | null;
  C: number;
  K: number;
  V: number;
  M: number;
}

/** x, centroids, weight or table, θ. */
const inputsOf = ({ x, C, K, V, M }: Case, kind: "weight" | "table") => [
  random(x, 1),
  random([C, K, V], 2),
  random(kind === "weight" ? [C * V, M] : [C, K, M], 3),
  tf.scalar(1.2),
];

/** Output and gradients of one form. */
function outputAndGradients(
  shape: Case,
  kind: "weight" | "table",
  options: pq.SoftLookupOptions,
): tf.Tensor[] {
  const { window } = shape;
  const inputs = inputsOf(shape, kind);
  const apply = (...[a, p, t, inverseTemperatureLogit]: tf.Tensor[]) => {
    const centroids = p as tf.Tensor3D;
    const theta = inverseTemperatureLogit as tf.Scalar;
    const all = { ...options, inverseTemperatureLogit: theta };
    const parameter =
      kind === "weight"
        ? ({ kind, tensor: t as tf.Tensor2D } as const)
        : ({ kind, tensor: t as tf.Tensor3D } as const);
    if (window) return pq.softPqConv2d(a as tf.Tensor4D, window, centroids, parameter, all);
    return parameter.kind === "weight"
      ? pq.softPqMatMul(a as tf.Tensor2D, centroids, parameter.tensor, all)
      : pq.softPqLookup(a as tf.Tensor2D, centroids, parameter.tensor, theta, options);
  };
  const y = apply(...inputs);
  const dy = random(y.shape, 4);
  return [y, ...tf.grads((...args: tf.Tensor[]) => tf.sum(tf.mul(apply(...args), dy)))(inputs)];
}

/** The output by plain loops: codes by the definition, the table rounded to integers, their sum times the scale. */
function outputByLoops(shape: Case, kind: "weight" | "table", options: pq.SoftLookupOptions): number[] {
  const { C, K, V, M } = shape;
  const { tableBits = 8, tableScale = "layer" } = options;
  const [x, centroids, parameter] = inputsOf(shape, kind);
  const rows = shape.window ? imageWindows(x as tf.Tensor4D, shape.window).rows : x;
  const table = (
    kind === "weight" ? pq.realTable(centroids as tf.Tensor3D, parameter as tf.Tensor2D, "native") : parameter
  ).dataSync() as Float32Array;
  const codes = pq.encodeReference(
    rows.dataSync() as Float32Array,
    rows.shape[0],
    centroids.dataSync() as Float32Array,
    { numCodebooks: C, numCentroids: K, subvectorLength: V },
  );
  const largest = Array.from({ length: M }, (_, m) =>
    table.reduce((most, value, i) => (i % M === m ? Math.max(most, Math.abs(value)) : most), 0),
  );
  if (tableScale === "layer") largest.fill(Math.max(...largest));
  const limit = tableBits === "float" ? 0 : 2 ** (tableBits - 1) - 1;
  const scale = largest.map((value) => (limit === 0 ? 1 : Math.fround(value / limit)));
  const entry = (i: number) =>
    limit === 0 ? table[i] : roundHalfToEven(Math.fround(table[i] / scale[i % M]));
  return Array.from({ length: rows.shape[0] * M }, (_, i) => {
    const [n, m] = [Math.floor(i / M), i % M];
    let sum = 0;
    for (let c = 0; c < C; c++) sum = Math.fround(sum + entry((c * K + codes[n * C + c]) * M + m));
    return Math.fround(sum * scale[m]);
  });
}

function expectSame(shape: Case, kind: "weight" | "table", options: pq.SoftLookupOptions) {
  tf.tidy(() => {
    const run = (backend: Backend) => outputAndGradients(shape, kind, { ...options, backend });
    const [y, ...gradients] = run("native");
    expect(Array.from(y.dataSync()), "y").toEqual(outputByLoops(shape, kind, options));
    const wanted = run("tfjs").slice(1);
    gradients.forEach((got, i) => {
      const name = ["dx", "dCentroids", `d${kind}`, "dθ"][i];
      const most = [tolerance, tolerance, tolerance, thetaTolerance][i];
      expect(relativeDifference(got, wanted[i]), name).toBeLessThan(most);
    });
  });
}

const window = (filter: number[], stride: number[], pads: number[], dilation = [1, 1]): pq.ConvWindow => ({
  inputChannels: 0,
  filterHeight: filter[0],
  filterWidth: filter[1],
  strideHeight: stride[0],
  strideWidth: stride[1],
  dilationHeight: dilation[0],
  dilationWidth: dilation[1],
  padTop: pads[0],
  padLeft: pads[1],
  padBottom: pads[2],
  padRight: pads[3],
});

describe.each(kinds)(
  "the native lookup with a trained %s: output of plain loops, gradients of tf.js",
  (kind) => {
    describe.each(distances)("distance %s", (distance) => {
      it.each([
        { N: 1, C: 1, K: 16, V: 9, M: 1 },
        { N: 130, C: 3, K: 16, V: 9, M: 47 },
        { N: 257, C: 17, K: 16, V: 4, M: 33 },
        { N: 65, C: 2, K: 16, V: 32, M: 70 },
        { N: 40, C: 2, K: 40, V: 5, M: 7 },
        { N: 33, C: 4, K: 7, V: 3, M: 16 },
      ])("on rows (N $N, C $C, K $K, V $V, M $M)", ({ N, ...sizes }) => {
        expectSame({ x: [N, sizes.C * sizes.V], window: null, ...sizes }, kind, { distance });
      });

      it.each([
        { name: "3×3 same", x: [2, 7, 5, 6], window: window([3, 3], [1, 1], [1, 1, 1, 1]), perBook: 1 },
        {
          name: "3×3 same, stride 2",
          x: [3, 8, 8, 4],
          window: window([3, 3], [2, 2], [0, 0, 1, 1]),
          perBook: 1,
        },
        { name: "3×3 valid", x: [2, 19, 30, 3], window: window([3, 3], [1, 1], [0, 0, 0, 0]), perBook: 1 },
        {
          name: "2×3, stride 1×2, two channels a codebook, dilation 2×1",
          x: [1, 9, 11, 6],
          window: window([2, 3], [1, 2], [0, 1, 1, 0], [2, 1]),
          perBook: 2,
        },
        { name: "1×1, stride 2", x: [3, 6, 5, 8], window: window([1, 1], [2, 2], [0, 0, 0, 0]), perBook: 4 },
        { name: "4×4 images", x: [9, 4, 4, 20], window: window([3, 3], [1, 1], [1, 1, 1, 1]), perBook: 1 },
      ])("on images ($name)", ({ x, window, perBook }) => {
        const V = perBook * window.filterHeight * window.filterWidth;
        expectSame({ x, window, C: x[3] / perBook, K: 16, V, M: 11 }, kind, { distance });
      });
    });

    it.each([4, 6, 7, 8, 16, "float"] as const)("with table entries of %s bits", (tableBits) => {
      for (const tableScale of ["layer", "output"] as const)
        expectSame({ x: [50, 27], window: null, C: 3, K: 16, V: 9, M: 19 }, kind, { tableBits, tableScale });
    });
  },
);

describe("the native lookup", () => {
  afterEach(() => {
    delete process.env.LUTNN_TRAINING;
  });

  it("is what runs by default, and says its instruction set and threads", () => {
    const status = pq.trainingStatus();
    expect(status).toMatchObject({
      backend: "native",
      isa: expect.stringMatching(/^(avx512|avx2|neon|scalar)$/),
      threads: expect.any(Number),
    });
    // Whatever lookups run on: only where there is nothing else for them training goes by plain loops.
    expect("isa" in status && status.isa === "scalar").toBe(availableIsas()[0] === "scalar");
  });

  it.each(availableIsas())(
    "has the output of plain loops and tf.js' gradients with LUTNN_FORCE_ISA=%s, and says what ran",
    { timeout: 120_000 },
    (isa) => {
      const script = join(import.meta.dirname, "gradientsOfIsa.mjs");
      const env = { ...process.env, LUTNN_FORCE_ISA: isa };
      const result = JSON.parse(execFileSync(process.execPath, [script], { env, encoding: "utf8" }));
      const family = isa === "amx" ? "avx512" : isa; // one form for all AVX-512, AMX with them, one for all NEON
      expect(family.startsWith(result.isa)).toBe(true);
      expect(result.largest).toBeLessThan(tolerance);
      expect(result.wrongOutputs).toBe(0);
    },
  );

  it("gives way to tf.js' operations by LUTNN_TRAINING=tfjs", () => {
    process.env.LUTNN_TRAINING = "tfjs";
    expect(pq.trainingStatus()).toEqual({ backend: "tfjs", reason: "asked for by name" });
    process.env.LUTNN_TRAINING = "cuda";
    expect(() => pq.trainingStatus()).toThrow(/LUTNN_TRAINING must be native or tfjs \(got "cuda"\)/);
  });

  it("is missed aloud when it is asked for by name and cannot run", async () => {
    await tf.setBackend("cpu");
    try {
      expect(pq.trainingStatus()).toMatchObject({ backend: "tfjs" });
      expect(() => pq.trainingStatus("native")).toThrow(
        /asked for by name but do not load .*remedy|run npm run setup/,
      );
    } finally {
      await tf.setBackend("tensorflow");
    }
  });

  it("rounds the very table that the layer exports", () => {
    tf.tidy(() => {
      const [C, K, V, M] = [5, 16, 9, 37];
      const centroids = random([C, K, V], 5) as tf.Tensor3D;
      const weight = random([C * V, M], 6) as tf.Tensor2D;
      const rows = 64;
      const x = random([rows, C * V], 7) as tf.Tensor2D;
      const y = pq.softPqMatMul(x, centroids, weight, {
        inverseTemperatureLogit: tf.scalar(1),
        backend: "native",
      });
      const table = pq.realTable(centroids, weight, "native").dataSync() as Float32Array;
      const { values, scale } = pq.quantizeTable(table, M, "layer");
      const shape = { numCodebooks: C, numCentroids: K, subvectorLength: V };
      const codes = pq.encodeReference(
        x.dataSync() as Float32Array,
        rows,
        centroids.dataSync() as Float32Array,
        shape,
      );
      const sums = pq.lookupReference(codes, rows, values, shape, M);
      expect(y.dataSync()).toEqual(pq.scaleSumsReference(sums, scale, new Float32Array(M)));
    });
  });

  describe.each(kinds)("hands out, of a %s,", (kind) => {
    const [C, K, V, M] = [3, 5, 4, 37]; // neither outputs nor entries fill whole vectors or words
    const centroids = random([C, K, V], 8) as tf.Tensor3D;
    const parameterOf = (values: tf.Tensor) => ({ kind, tensor: values }) as pq.SoftParameter;
    const shape = kind === "weight" ? [C * V, M] : [C, K, M];
    const realOf = (parameter: pq.SoftParameter) =>
      (kind === "weight"
        ? pq.realTable(centroids, parameter.tensor as tf.Tensor2D, "native")
        : parameter.tensor
      ).dataSync() as Float32Array;

    it.each([
      ["layer", 8],
      ["output", 8],
      ["layer", 4],
      ["output", 7],
    ] as const)("the table as it is rounded: one scale per %s, %d bits", (tableScale, tableBits) => {
      const parameter = parameterOf(random(shape, 9));
      const got = pq.roundedTable(centroids, parameter, { tableScale, tableBits, backend: "native" });
      expect(got).toEqual(pq.quantizeTable(realOf(parameter), M, tableScale, tableBits));
    });

    it("zeros and entries too small for a scale with scale 1, and no table that is not finite", () => {
      const tiny = Float32Array.from(
        { length: shape.reduce((a, b) => a * b) },
        (_, i) => ((i % M) % 3) * 2 ** -149,
      );
      const parameter = parameterOf(tf.tensor(tiny, shape));
      const options = { tableScale: "output", backend: "native" } as const;
      expect(pq.roundedTable(centroids, parameter, options)).toEqual(
        pq.quantizeTable(realOf(parameter), M, "output"),
      );
      tiny[M + 1] = Number.NaN;
      expect(() => pq.roundedTable(centroids, parameterOf(tf.tensor(tiny, shape)), options)).toThrow(
        `quantizeTable: all table values must be finite (got NaN at index ${kind === "table" ? M + 1 : 1})`,
      );
    });
  });

  it("says which shapes do not belong together", () => {
    const x = tf.zeros([2, 5, 5, 2]) as tf.Tensor4D;
    const parameter = { kind: "weight", tensor: tf.zeros([18, 3]) as tf.Tensor2D } as const;
    const options = { inverseTemperatureLogit: tf.scalar(0), backend: "native" } as const;
    const w = window([3, 3], [1, 1], [0, 0, 0, 0]);
    const conv = (centroids: number[], p: pq.SoftParameter = parameter) =>
      pq.softPqConv2d(x, w, tf.zeros(centroids as [number, number, number]), p, options);
    expect(conv([2, 4, 9]).shape).toEqual([2, 3, 3, 3]);
    expect(() => conv([3, 4, 9])).toThrow(/x must have C·V = 27 elements in a window \(got 18\)/);
    expect(() => conv([6, 4, 3])).toThrow(/V must be a multiple of the filter's 9 positions \(got 3\)/);
    expect(() => conv([2, 4, 9], { kind: "weight", tensor: tf.zeros([17, 3]) })).toThrow(
      /the weight must have C·V = 18 rows \(got 17\)/,
    );
    expect(() => conv([2, 300, 9])).toThrow(
      /K, the length of the second axis of the centroids, must be 1 … 256/,
    );
  });

  it("keeps the number of tensors and the resident memory over many steps", async () => {
    const steps = process.env.LUTNN_LONG_TESTS ? 2000 : 200; // an output that is kept costs 256 KiB a step
    const x = random([8, 16, 16, 16], 8) as tf.Tensor4D;
    const w = window([3, 3], [1, 1], [1, 1, 1, 1]);
    const centroids = tf.variable(random([16, 16, 9], 9)) as tf.Variable<tf.Rank.R3>;
    const weight = tf.variable(random([144, 32], 10)) as tf.Variable<tf.Rank.R2>;
    const theta = tf.variable(tf.scalar(1)) as tf.Variable<tf.Rank.R0>;
    const optimizer = tf.train.sgd(1e-4);
    const step = () =>
      optimizer.minimize(() => {
        const parameter = { kind: "weight", tensor: weight } as const;
        const y = pq.softPqConv2d(x, w, centroids, parameter, {
          inverseTemperatureLogit: theta,
          backend: "native",
        });
        return tf.sum(tf.square(y)) as tf.Scalar;
      });
    for (let i = 0; i < 50; i++) step();
    const tensors = tf.memory().numTensors;
    const limit = 20 * 2 ** 20;
    const growth = await residentGrowth(limit, () => {
      for (let i = 0; i < steps; i++) step();
    });
    expect(tf.memory().numTensors).toBe(tensors);
    expect(growth).toBeLessThan(limit);
    tf.dispose([x, centroids, weight, theta]);
  });
});

describe("the fallback's windows", () => {
  it("are those that tf.js' convolution multiplies", () => {
    tf.tidy(() => {
      const x = random([2, 6, 7, 3], 11) as tf.Tensor4D;
      const filter = random([3, 3, 3, 4], 12) as tf.Tensor4D;
      const { rows, outputSize } = imageWindows(x, window([3, 3], [2, 2], [0, 1, 1, 1]));
      const matrix = filter.transpose([2, 0, 1, 3]).reshape([27, 4]) as tf.Tensor2D;
      const y = tf.matMul(rows, matrix).reshape([2, ...outputSize, 4]);
      expect(relativeDifference(y, tf.conv2d(x, filter, 2, "same"))).toBeLessThan(1e-5);
    });
  });

  it("serve softLookupTfjs alone", () => {
    tf.tidy(() => {
      const y = softLookupTfjs({
        x: random([2, 4, 4, 2], 13) as tf.Tensor4D,
        window: window([3, 3], [1, 1], [1, 1, 1, 1]),
        centroids: random([2, 4, 9], 14) as tf.Tensor3D,
        parameter: { kind: "weight", tensor: random([18, 5], 15) as tf.Tensor2D },
        inverseTemperatureLogit: tf.scalar(0),
        distance: "l2",
        tableScale: "layer",
        tableBits: 8,
        integers: null,
      });
      expect(y.shape).toEqual([2, 4, 4, 5]);
    });
  });
});
