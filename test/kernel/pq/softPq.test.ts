import { pq, tf } from "lutnn";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { softLookupReference } from "../../../kernel/lib/pq/reference";
import { randomFloats } from "../random";

/** Of gradients, relative to the largest entry: float32 sums of a few hundred terms. */
const gradientTolerance = 2e-4;
/** Step of the central differences; in double, so that neither rounding nor curvature shows. */
const step = 1e-5;

const sizes = [
  { N: 1, C: 1, K: 2, V: 1, M: 1 },
  { N: 3, C: 2, K: 5, V: 3, M: 4 },
  { N: 7, C: 3, K: 16, V: 9, M: 5 },
  { N: 17, C: 5, K: 16, V: 4, M: 3 },
];
const cases = sizes.flatMap((size) =>
  (["l2", "squaredL2"] as const).map((distance) => ({ ...size, distance })),
);

interface Size {
  N: number;
  C: number;
  K: number;
  V: number;
  M: number;
}

function arrays({ N, C, K, V, M }: Size) {
  return {
    x: randomFloats(N * C * V, 1),
    centroids: randomFloats(C * K * V, 2),
    table: randomFloats(C * K * M, 3),
    weight: randomFloats(C * V * M, 4),
    dy: randomFloats(N * M, 5),
    theta: 0.4,
  };
}

const largest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((a, b) => Math.max(a, Math.abs(b)), 0);

function expectClose(name: string, got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number) {
  expect(got.length).toBe(wanted.length);
  const size = Math.max(largest(wanted), 1e-3);
  const worst = Array.from(got).reduce((max, value, i) => Math.max(max, Math.abs(value - wanted[i])), 0);
  expect(worst / size, `largest relative difference of ${name}`).toBeLessThan(tolerance);
}

let tensorsBefore = 0;
beforeEach(() => {
  tf.engine().startScope();
  tensorsBefore = tf.memory().numTensors;
});
afterEach(() => {
  tf.engine().endScope();
});

/** Every form of the lookup must pass; a machine where one is missing fails. */
const backends = ["tfjs", "native"] as const;

describe.each(backends)("the soft-PQ lookup (%s)", (backend) => {
  it.each(cases)(
    "has the gradients of the soft function by central differences (N $N, C $C, K $K, V $V, M $M, $distance)",
    (size) => {
      const { N, C, K, V, M, distance } = size;
      const { x, centroids, table, dy, theta } = arrays(size);
      const shape = { numCodebooks: C, numCentroids: K, subvectorLength: V };
      const inDouble = {
        x: Float64Array.from(x),
        centroids: Float64Array.from(centroids),
        table: Float64Array.from(table),
      };
      const loss = (changed: Partial<typeof inDouble>, t = theta) =>
        softLookupReference(
          { ...inDouble, ...changed, inverseTemperatureLogit: t },
          shape,
          M,
          distance,
        ).reduce((sum, value, i) => sum + value * dy[i], 0);
      const differences = (name: keyof typeof inDouble) =>
        inDouble[name].map((value, i) => {
          const at = (v: number) => loss({ [name]: inDouble[name].with(i, v) });
          return (at(value + step) - at(value - step)) / (2 * step);
        });
      const gradients = tf.grads((a, p, t, th) =>
        tf.sum(
          tf.mul(
            pq.softPqLookup(a as tf.Tensor2D, p as tf.Tensor3D, t as tf.Tensor3D, th as tf.Scalar, {
              distance,
              backend,
            }),
            tf.tensor2d(dy, [N, M]),
          ),
        ),
      )([
        tf.tensor2d(x, [N, C * V]),
        tf.tensor3d(centroids, [C, K, V]),
        tf.tensor3d(table, [C, K, M]),
        tf.scalar(theta),
      ]);
      expectClose("x", gradients[0].dataSync(), differences("x"), gradientTolerance);
      expectClose("centroids", gradients[1].dataSync(), differences("centroids"), gradientTolerance);
      expectClose("table", gradients[2].dataSync(), differences("table"), gradientTolerance);
      const dTheta = (loss({}, theta + step) - loss({}, theta - step)) / (2 * step);
      expectClose("θ", gradients[3].dataSync(), [dTheta], gradientTolerance);
    },
  );

  it.each(sizes)(
    "gives forward exactly what the INT8 table gives at inference (N $N, C $C, K $K, V $V, M $M)",
    (size) => {
      const { N, C, K, V, M } = size;
      const { x, centroids, table, theta } = arrays(size);
      const shape = { numCodebooks: C, numCentroids: K, subvectorLength: V };
      for (const tableScale of ["layer", "output"] as const) {
        const y = pq.softPqLookup(
          tf.tensor2d(x, [N, C * V]),
          tf.tensor3d(centroids, [C, K, V]),
          tf.tensor3d(table, [C, K, M]),
          tf.scalar(theta),
          { tableScale, backend },
        );
        const quantized = pq.quantizeTable(table, M, tableScale);
        const sums = pq.lookupReference(
          pq.encodeReference(x, N, centroids, shape),
          N,
          quantized.values,
          shape,
          M,
        );
        expect(y.dataSync()).toEqual(pq.scaleSumsReference(sums, quantized.scale, new Float32Array(M)));
      }
    },
  );

  it("refuses shapes that do not belong together", () => {
    const [x, p, t, th] = [tf.zeros([2, 6]), tf.zeros([2, 4, 2]), tf.zeros([2, 4, 3]), tf.scalar(0)] as const;
    expect(() =>
      pq.softPqLookup(x as tf.Tensor2D, p as tf.Tensor3D, t as tf.Tensor3D, th, { backend }),
    ).toThrow(/x must have C·V = 4 columns \(got 6\)/);
    expect(() =>
      pq.softPqLookup(tf.zeros([2, 4]), p as tf.Tensor3D, tf.zeros([2, 5, 3]), th, { backend }),
    ).toThrow(/table must be \(C, K, M\).*got 2,5,3/);
  });

  it("keeps no tensor beyond its results", () => {
    const { x, centroids, table, theta } = arrays({ N: 3, C: 2, K: 4, V: 2, M: 3 });
    const inputs = [
      tf.tensor2d(x, [3, 4]),
      tf.tensor3d(centroids, [2, 4, 2]),
      tf.tensor3d(table, [2, 4, 3]),
      tf.scalar(theta),
    ];
    const gradients = tf.grads((a, p, t, th) =>
      tf.sum(
        pq.softPqLookup(a as tf.Tensor2D, p as tf.Tensor3D, t as tf.Tensor3D, th as tf.Scalar, { backend }),
      ),
    )(inputs);
    tf.dispose([...gradients, ...inputs]);
    expect(tf.memory().numTensors).toBe(tensorsBefore);
  });
});

describe.each(backends)("the soft-PQ matrix product (%s)", (backend) => {
  it("sends gradients through the table to weight, centroids and bias", () => {
    const size = { N: 7, C: 3, K: 16, V: 9, M: 5 };
    const { N, C, K, V, M } = size;
    const { x, centroids, weight, dy, theta } = arrays(size);
    const shape = { numCodebooks: C, numCentroids: K, subvectorLength: V };
    /** P·W in double. */
    const tableOf = (p: Float64Array, w: Float64Array) => {
      const table = new Float64Array(C * K * M);
      for (let c = 0; c < C; c++)
        for (let k = 0; k < K; k++)
          for (let m = 0; m < M; m++)
            for (let v = 0; v < V; v++)
              table[(c * K + k) * M + m] += p[(c * K + k) * V + v] * w[(c * V + v) * M + m];
      return table;
    };
    const [x64, p64, w64] = [x, centroids, weight].map((values) => Float64Array.from(values));
    const loss = (p: Float64Array, w: Float64Array) =>
      softLookupReference(
        { x: x64, centroids: p, table: tableOf(p, w), inverseTemperatureLogit: theta },
        shape,
        M,
        "l2",
      ).reduce((sum, value, i) => sum + value * dy[i], 0);
    const [dP, dW, dBias] = tf.grads((p, w, bias) =>
      tf.sum(
        tf.mul(
          pq.softPqMatMul(tf.tensor2d(x, [N, C * V]), p as tf.Tensor3D, w as tf.Tensor2D, {
            bias: bias as tf.Tensor1D,
            inverseTemperatureLogit: tf.scalar(theta),
            backend,
          }),
          tf.tensor2d(dy, [N, M]),
        ),
      ),
    )([tf.tensor3d(centroids, [C, K, V]), tf.tensor2d(weight, [C * V, M]), tf.zeros([M])]);
    expectClose(
      "centroids",
      dP.dataSync(),
      p64.map(
        (value, i) =>
          (loss(p64.with(i, value + step), w64) - loss(p64.with(i, value - step), w64)) / (2 * step),
      ),
      gradientTolerance,
    );
    expectClose(
      "weight",
      dW.dataSync(),
      w64.map(
        (value, i) =>
          (loss(p64, w64.with(i, value + step)) - loss(p64, w64.with(i, value - step))) / (2 * step),
      ),
      gradientTolerance,
    );
    expectClose(
      "bias",
      dBias.dataSync(),
      Array.from({ length: M }, (_, m) => dy.reduce((sum, value, i) => (i % M === m ? sum + value : sum), 0)),
      gradientTolerance,
    );
  });

  it("approaches the exact product when every sub-vector is a centroid", () => {
    const [C, K, V, M] = [2, 4, 3, 5];
    const centroids = randomFloats(C * K * V, 7);
    const codes = [0, 3, 2, 1, 3, 3];
    const x = new pq.ProductQuantizer(
      { numCodebooks: C, numCentroids: K, subvectorLength: V },
      centroids,
    ).decode(Uint8Array.from(codes));
    const weight = tf.tensor2d(randomFloats(C * V * M, 8), [C * V, M]);
    const rows = tf.tensor2d(x, [3, C * V]);
    const y = pq.softPqMatMul(rows, tf.tensor3d(centroids, [C, K, V]), weight, {
      inverseTemperatureLogit: tf.scalar(0),
      backend,
    });
    const exact = tf.matMul(rows, weight).dataSync();
    expectClose("y", y.dataSync(), exact, 0.02); // two INT8 roundings of 1/127 of the largest entry each
  });
});
