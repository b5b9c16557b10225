import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { contrast } from "./contrast";

const style = readFileSync("extension/style/index.css", "utf8");
const [light, dark] = style.split('[data-jp-theme-light="false"]');

it.each([
  ["light", light, "#ffffff"],
  ["dark", dark, "#111111"],
])("every series colour contrasts with the page by 3:1 in the %s theme", (_, rules, page) => {
  const colours = [...rules.matchAll(/--lutnn-series-\d: (#[0-9a-f]{6});/g)].map(([, colour]) => colour);
  expect(colours).toHaveLength(5);
  for (const colour of colours) expect(contrast(colour, page), colour).toBeGreaterThanOrEqual(3);
});
