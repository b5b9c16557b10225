import { charts, LutnnError } from "lutnn";
import { describe, expect, it } from "vitest";

const { accuracyNoise, Claim, claimTable } = charts;

describe("a claim", () => {
  it("holds, fails or is within noise by the mean margin and its standard error", () => {
    expect(new Claim("a", [1, 1.2, 0.8]).verdict).toBe("holds");
    expect(new Claim("a", [-1, -1.2, -0.8]).verdict).toBe("fails");
    expect(new Claim("a", [1, -1.2, 0.8]).verdict).toBe("within noise");
    // Mean 1, standard deviation 0.2, of three: 2 · 0.2 / √3.
    expect(new Claim("a", [1, 1.2, 0.8]).noise).toBeCloseTo(0.2309, 4);
  });

  it("takes the larger of the noise given and the spread", () => {
    expect(new Claim("a", [1, 1.2, 0.8], { noise: 2 }).verdict).toBe("within noise");
    expect(new Claim("a", [5, -5], { noise: 0.1 }).noise).toBeCloseTo(10, 6);
    expect(new Claim("a", [0.5], { noise: 0.4 }).verdict).toBe("holds");
  });

  it("says its figures in one line and in a table", () => {
    const claim = new Claim("plus is ahead", [1.25, 1.75]);
    expect(String(claim)).toBe("plus is ahead: holds (+1.50 ± 0.50 points)");
    expect(claimTable([claim, claim], "claims").toString()).toContain("holds");
  });

  it("says its margin with its sign", () => {
    const said = (margin: number) =>
      String(new charts.Claim("better", [margin, margin, margin], { unit: "points" }));
    expect(said(0.5)).toBe("better: holds (+0.50 ± 0.00 points)");
    expect(said(-0.5)).toBe("better: fails (−0.50 ± 0.00 points)");
    expect(said(0)).toBe("better: within noise (+0.00 ± 0.00 points)");
  });

  it("refuses margins that prove nothing", () => {
    expect(() => new Claim("a", [])).toThrow(LutnnError);
    expect(() => new Claim("a", [1])).toThrow(/pass \{ noise \}/);
    expect(() => new Claim("a", [1, Number.NaN])).toThrow(/all finite/);
  });

  it("knows the binomial noise of accuracies", () => {
    expect(accuracyNoise(90, 10_000)).toBeCloseTo(200 * Math.sqrt(0.18 / 10_000), 10);
    expect(accuracyNoise(100, 10)).toBe(0);
  });
});
