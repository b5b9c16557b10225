import { describe, expect, it } from "vitest";
import { sampleIndices, seededRandom } from "../../../kernel/lib/pq/random";

describe("sampleIndices", () => {
  it.each([
    ["few of many", 3_000_000, 600],
    ["few of some", 10_000, 600],
    ["most", 1_500_000, 1_200_000],
  ])("gives different indices in rising order, evenly likely: %s", (_, count, wanted) => {
    const found = sampleIndices(count, wanted, seededRandom(3, "rows"));
    expect(found).toHaveLength(wanted);
    let rising = true;
    for (let i = 1; i < wanted; i++) rising &&= found[i] > found[i - 1];
    expect(rising).toBe(true);
    expect(found[wanted - 1]).toBeLessThan(count);
    // The mean of so many uniform numbers, within five standard deviations.
    const mean = found.reduce((sum, index) => sum + index / wanted, 0);
    expect(Math.abs(mean / count - 0.5)).toBeLessThan(5 / Math.sqrt(12 * wanted));
    const low = found.filter((index) => index < count / 4).length;
    expect(Math.abs(low / wanted - 0.25)).toBeLessThan(5 * Math.sqrt(0.1875 / wanted));
  });

  it("depends on the seed alone", () => {
    const drawn = (seed: number) => [...sampleIndices(2 ** 21, 20, seededRandom(seed, "rows"))];
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(2)).not.toEqual(drawn(1));
  });
});
