// The short form of `node test/protocol/fuzzTopLevel.mjs`.
import { expect, test } from "vitest";

const { compare, Notebook } = await import(String(new URL("fuzzTopLevel.mjs", import.meta.url)));

/** With these, loops that kept what functions assign to were noticed twice. */
const programs = 15;

test("random programs do at top level what they do in a function", { timeout: 240_000 }, async () => {
  const notebook = new Notebook();
  let refused = 0;
  for (let seed = 1; seed <= programs; seed++) {
    const result = await compare(notebook, seed);
    if (result.refused) refused++;
    else expect(result.inCells, result.cells.join("\n--\n")).toEqual(result.inFunction);
  }
  expect(refused).toBeLessThan(programs / 3);
});
