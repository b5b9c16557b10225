import { describe, expect, it } from "vitest";
import { fitTable } from "../../../kernel/lib/pq/fitTable";
import { heldOutRidge, ridges } from "../../../kernel/lib/pq/heldOutRidge";
import { randomFloats } from "../random";

const shape = { numCodebooks: 6, numCentroids: 4, subvectorLength: 1 };
const outputs = 3;

/** Rows whose outputs are what a table gives plus noise of a size; the fit starts near that table. */
function problem(rows: number, noise: number) {
  const codes = Uint8Array.from(randomFloats(rows * 6, 1), (value) => Math.floor(Math.abs(value) * 1e4) % 4);
  const truth = randomFloats(24 * outputs, 2);
  const errors = randomFloats(rows * outputs, 3);
  const target = Float32Array.from(errors, (error, i) => {
    const [row, m] = [Math.floor(i / outputs), i % outputs];
    let sum = noise * error;
    for (let c = 0; c < 6; c++) sum += truth[(c * 4 + codes[row * 6 + c]) * outputs + m];
    return sum;
  });
  return {
    codes,
    target,
    start: Float32Array.from(truth, (value, i) => value + 0.3 * randomFloats(72, 4)[i]),
  };
}

describe("the ridge that is chosen on held-out rows", () => {
  it("is the least where rows tell the table, and more the noisier and fewer they are", async () => {
    const of = async (rows: number, noise: number) => {
      const { codes, target, start } = problem(rows, noise);
      return heldOutRidge(codes, target, start, shape);
    };
    expect(await of(2000, 0)).toBe(ridges[0]);
    expect(await of(60, 4)).toBe(ridges[ridges.length - 1]);
  });

  it("errs on the last fifth of each block no more than any before it", async () => {
    const chosen = new Set<number>();
    for (const noise of [0.1, 0.4, 0.8, 1.5, 3]) chosen.add(await chosenByHand(noise));
    expect(chosen.size).toBeGreaterThan(2);
  });

  /** The ridge that is chosen, once loops written out have found the same. */
  async function chosenByHand(noise: number): Promise<number> {
    const { codes, target, start } = problem(150, noise);
    const chosen = await heldOutRidge(codes, target, start, shape);
    const block = 30;
    const rows = Array.from({ length: 150 }, (_, row) => row);
    const [learnt, held] = [rows.filter((row) => row % block < 24), rows.filter((row) => row % block >= 24)];
    const errors: number[] = [];
    for (const lambda of ridges) {
      const table = await fitTable(
        Uint8Array.from(learnt.flatMap((row) => [...codes.subarray(row * 6, row * 6 + 6)])),
        Float32Array.from(learnt.flatMap((row) => [...target.subarray(row * outputs, (row + 1) * outputs)])),
        start,
        shape,
        { lambda },
      );
      let error = 0;
      for (const row of held)
        for (let m = 0; m < outputs; m++) {
          let sum = -target[row * outputs + m];
          for (let c = 0; c < 6; c++) sum += table[(c * 4 + codes[row * 6 + c]) * outputs + m];
          error += sum ** 2;
        }
      errors.push(error);
    }
    const rising = errors.findIndex((error, i) => i > 0 && error >= errors[i - 1]);
    expect(chosen).toBe(ridges[rising < 0 ? ridges.length - 1 : rising - 1]);
    return chosen;
  }

  it("is the least for a row alone", async () => {
    const { codes, target, start } = problem(1, 0);
    expect(await heldOutRidge(codes, target, start, shape)).toBe(ridges[0]);
  });

  it("says how far it is, rising to 1", async () => {
    const { codes, target, start } = problem(60, 4);
    const shares: number[] = [];
    await heldOutRidge(codes, target, start, shape, { onProgress: (share) => shares.push(share) });
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares[0]).toBeLessThan(1 / ridges.length);
    expect(shares.filter((share) => share < 1).length).toBeGreaterThan(ridges.length);
    expect(shares[shares.length - 1]).toBe(1);
  });
});
