import * as lutnn from "lutnn";
import { beforeAll, describe, expect, it } from "vitest";
import { tinyData, tinyNetwork } from "../network";

const test = tinyData(24, 5);
let conversion: lutnn.Conversion;
beforeAll(async () => {
  const model = tinyNetwork(3);
  conversion = lutnn.convert(model);
  await conversion.calibrate(tinyData(200), { method: "leastSquares" });
  await conversion.replaceAll();
});

describe("the native backend inside a converted network", () => {
  it("has the codes and integer sums of the reference on what each layer receives", async () => {
    const verification = await lutnn.inference.verifyNative(conversion.model, test);
    expect(verification.rows.map((row) => row.layer)).toEqual(["c2", "c3", "c4", "hidden"]);
    for (const row of verification.rows) {
      expect(row).toMatchObject({ codesDifferent: 0, sumsDifferent: 0, rowsUnexplained: 0 });
      expect(row.rowsDifferent).toBeLessThan(5); // near ties are rare
    }
    expect(verification.rows[0].codes).toBe(24 * 36 * 8);
    expect(verification.ok).toBe(true);
  });

  it("is timed against the dense layers, one row a layer", async () => {
    const timings = await lutnn.inference.timeLayers(conversion.original, conversion.model, test, {
      rounds: 5,
    });
    expect(timings.rows.map((row) => [row.layer, row.input])).toEqual(
      ["c2", "c3", "c4", "hidden"].map((name) => [name, "recorded"]),
    );
    for (const { native, dense } of timings.rows) {
      expect(native.median).toBeGreaterThan(0);
      expect(native.lower).toBeLessThanOrEqual(native.median);
      expect(dense.median).toBeGreaterThanOrEqual(0);
    }
    expect(timings.toTable().toString()).toContain("dense / lookup");
  });

  it("refuses a network in which nothing is replaced", async () => {
    await expect(lutnn.inference.verifyNative(conversion.original, test)).rejects.toThrow(
      /at least one layer must be replaced/,
    );
    await expect(lutnn.inference.timeLayers(conversion.original, conversion.original, test)).rejects.toThrow(
      /at least one layer must be replaced/,
    );
  });
});
