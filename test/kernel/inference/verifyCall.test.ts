import { describe, expect, it } from "vitest";
import { addVerifications, type ComputedCall, verifyCall } from "../../../kernel/lib/inference/verifyCall";
import type { ExportedLookup } from "../../../kernel/lib/layers/lookupLayer";

/** One row of one codebook with two centroids far apart: the lookup gives the first one's entries, as they are. */
function call(table: number[]): ComputedCall {
  const lookup: ExportedLookup = {
    numCodebooks: 1,
    numCentroids: 2,
    subvectorLength: 1,
    outputs: 2,
    centroids: Float32Array.of(1, -1),
    lookupTable: Int8Array.from([...table, 0, 0]),
    tableScale: Float32Array.of(1, 1),
    bias: Float32Array.of(0, 0),
  };
  const row = () => Float32Array.from(table);
  const accumulate = () => Int32Array.from(table);
  return {
    layer: "l",
    lookup,
    windows: Float32Array.of(1),
    codes: Uint8Array.of(0),
    accumulate,
    native: row(),
    file: row(),
  };
}

describe("rounding of a row", () => {
  it.each([1e-6, 0.6e-6])("is allowed up to a millionth of the row's largest number (%f of it)", (share) => {
    for (const largest of [-100, 100])
      for (const side of ["native", "file"] as const) {
        const rounded = call([largest, 1]);
        rounded[side][1] += 0.9 * share * 100;
        expect(verifyCall(rounded)).toMatchObject({ rowsDifferent: 1, rowsUnexplained: 0 });
        const wrong = call([largest, 1]);
        wrong[side][1] += 1.2e-6 * 100;
        expect(verifyCall(wrong)).toMatchObject({ rowsDifferent: 1, rowsUnexplained: 1 });
      }
  });
});

it("two parts of a verification are added field by field", () => {
  const part = (from: number) => ({
    layer: "l",
    codes: from,
    codesDifferent: from + 1,
    sums: from + 2,
    sumsDifferent: from + 3,
    rows: from + 4,
    rowsDifferent: from + 5,
    rowsUnexplained: from + 6,
  });
  expect(addVerifications(part(10), part(200))).toEqual({
    layer: "l",
    codes: 210,
    codesDifferent: 212,
    sums: 214,
    sumsDifferent: 216,
    rows: 218,
    rowsDifferent: 220,
    rowsUnexplained: 222,
  });
});
