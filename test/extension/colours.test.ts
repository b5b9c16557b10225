import { describe, expect, it } from "vitest";
import { palette } from "../../kernel/src/report/figureStyle";
import { contrast } from "./contrast";

const pages = { light: "#ffffff", dark: "#111111" };
/** CIELAB; below some 10 two colours are easily taken for each other when they are not side by side. */
const [apartFirst, apartAll] = [24, 18];

/** Linear light as eyes without one kind of cone see it (Machado, Oliveira and Fernandes, 2009, severity 1). */
const eyes = {
  usual: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  "without red cones": [
    0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998,
  ],
  "without green cones": [
    0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881,
  ],
  "without blue cones": [
    1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039,
  ],
};

/** L*, a*, b* under D65 of a colour seen through one of the matrices above. */
function cielab(colour: string, matrix: number[]): number[] {
  const linear = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const times = (rows: number[], vector: number[]) =>
    [0, 3, 6].map((row) => vector.reduce((sum, value, column) => sum + rows[row + column] * value, 0));
  const seen = times(matrix, linear).map((value) => Math.min(1, Math.max(0, value)));
  const xyz = times([0.4124, 0.3576, 0.1805, 0.2126, 0.7152, 0.0722, 0.0193, 0.1192, 0.9505], seen);
  const [x, y, z] = xyz.map((value, at) => {
    const share = value / [0.95047, 1, 1.08883][at];
    return share > 0.008856 ? Math.cbrt(share) : 7.787 * share + 16 / 116;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

describe.each(["light", "dark"] as const)("the palette on a %s page", (appearance) => {
  const colours = palette[appearance];

  it("contrasts with the page by 3:1", () => {
    expect(colours).toHaveLength(8);
    for (const colour of colours)
      expect(contrast(colour, pages[appearance]), colour).toBeGreaterThanOrEqual(3);
  });

  it.each(Object.entries(eyes))("has colours that stay apart for eyes %s", (_, matrix) => {
    const seen = colours.map((colour) => cielab(colour, matrix));
    for (let i = 0; i < seen.length; i++)
      for (let j = 0; j < i; j++) {
        const distance = Math.hypot(...seen[i].map((value, at) => value - seen[j][at]));
        const least = i < 5 ? apartFirst : apartAll;
        expect(distance, `${colours[j]} ${colours[i]}`).toBeGreaterThanOrEqual(least);
      }
  });
});
