// Which loops run natively, and that they give what the plain ones do.
import { createRequire } from "node:module";
import { pq, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { roundedProducts } from "../../../kernel/lib/compute/roundedProducts";
import { randomFloats } from "../random";

// The library's own copy of the file, which an import by a test would double.
const { accelerated } = createRequire(import.meta.url)(
  "../../../kernel/lib/pq/acceleration.js",
) as typeof import("../../../kernel/lib/pq/acceleration");

const [rows, C, K, V, M] = [37, 3, 5, 7, 11];
const shape = { numCodebooks: C, numCentroids: K, subvectorLength: V };
const x = randomFloats(rows * C * V, 1);
const centroids = randomFloats(C * K * V, 2);
const codes = pq.encodeReference(x, rows, centroids, shape);

describe("the library's loops run natively, with the plain ones' bits:", () => {
  it("codes", () => {
    const got = new Uint8Array(codes.length);
    accelerated("encode")!(x, rows, centroids, C, K, V, got);
    expect(got).toEqual(codes);
  });

  it("codes in integers", () => {
    const books = {
      input: { scale: 1 / 128, zeroPoint: 128 },
      centroids: Int8Array.from(centroids, (value) => 127 * value),
      halfNorms: Int32Array.from({ length: C * K }, (_, i) => 100 * i),
    };
    const got = new Uint8Array(codes.length);
    accelerated("encodeIntegers")!(x, rows, books, shape, got);
    expect(got).toEqual(pq.encodeIntegersReference(x, rows, books, shape));
  });

  it("sums of a table's rows, and rows added to a table", () => {
    const table = randomFloats(C * K * M, 3);
    const begun = randomFloats(rows * M, 4);
    const [sums, wantedSums] = [begun.slice(), begun.slice()];
    const [added, wantedAdded] = [table.slice(), table.slice()];
    for (let n = 0; n < rows; n++)
      for (let c = 0; c < C; c++)
        for (let m = 0; m < M; m++) {
          const at = (c * K + codes[n * C + c]) * M + m;
          wantedSums[n * M + m] += table[at];
          wantedAdded[at] += begun[n * M + m];
        }
    accelerated("lookupAdd")!(codes, rows, table, C, K, M, sums);
    expect(sums).toEqual(wantedSums);
    accelerated("scatterAdd")!(codes, rows, begun, C, K, M, added);
    expect(added).toEqual(wantedAdded);
  });

  it("k-means and rounded tables", () => {
    expect(accelerated("kMeans")).toBeTypeOf("function");
    expect(accelerated("quantizeTable")).toBeTypeOf("function");
  });
});

describe("a real table", () => {
  it.each(["native", "tfjs"] as const)("is to the last bit what a %s lookup adds up", (backend) => {
    // Inputs that are the centroids themselves: the lookup of row k is the table's row k.
    const [k, v, m] = [5, 1024, 19]; // long enough that the two add up in another order
    tf.tidy(() => {
      const book = tf.tensor3d(randomFloats(k * v, 5), [1, k, v]);
      const weight = tf.tensor2d(randomFloats(v * m, 6), [v, m]);
      const table = pq.realTable(book, weight, backend);
      const y = pq.softPqMatMul(book.reshape([k, v]), book, weight, {
        inverseTemperatureLogit: tf.scalar(0),
        tableBits: "float",
        backend,
      });
      expect(y.dataSync()).toEqual(table.dataSync());
      const other = pq.realTable(book, weight, backend === "native" ? "tfjs" : "native");
      expect(other.dataSync()).not.toEqual(table.dataSync());
    });
  });
});

describe("what cannot be computed in a lookup", () => {
  it("is refused: sub-vectors too long for integers, tables too wide for bytes", () => {
    tf.tidy(() => {
      const zeros = (...shape: number[]) => tf.zeros(shape);
      const integers = { scale: tf.scalar(0.5), zeroPoint: tf.scalar(128) };
      const of = (v: number) => () =>
        pq.softPqMatMul(
          zeros(2, v) as tf.Tensor2D,
          zeros(1, 4, v) as tf.Tensor3D,
          zeros(v, 3) as tf.Tensor2D,
          {
            inverseTemperatureLogit: tf.scalar(0),
            integers,
          },
        );
      expect(of(256)().shape).toEqual([2, 3]);
      expect(of(257)).toThrow("V) must be at most 256 for codes in int8 (got 257)");
      for (const backend of ["native", "tfjs"] as const)
        for (const tableBits of [16, "float"] as const) {
          const parameter = { kind: "table", tensor: zeros(1, 4, 3) as tf.Tensor3D } as const;
          expect(() =>
            pq.roundedTable(zeros(1, 4, 2) as tf.Tensor3D, parameter, { tableBits, backend }),
          ).toThrow(`a table for inference has at most 8 bits (got ${tableBits})`);
        }
    });
  });
});

it("products may be rounded where the environment asks TensorFlow's library to, by its newer name first", () => {
  const of = (mode?: string, older?: string) =>
    roundedProducts({ ONEDNN_DEFAULT_FPMATH_MODE: mode, DNNL_DEFAULT_FPMATH_MODE: older });
  expect([of(), of(""), of("strict"), of(undefined, "STRICT")]).toEqual([null, null, null, null]);
  expect([of("bf16"), of(undefined, "any"), of("STRICT", "bf16"), of("tf32", "strict")]).toEqual([
    ...["BF16", "ANY", null, "TF32"],
  ]);
});
