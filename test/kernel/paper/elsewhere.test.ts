import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { paper } from "lutnn";
import { describe, expect, it } from "vitest";
import { temporary } from "./cells";

// Results that were measured in another checkout or on another machine, whose trained networks are not here.

const { CellStore } = paper;
const [spec] = paper.specsOf("accuracy", { quick: true });
const [dense, fast, exact, published, ours] = paper.cellsOf(spec);

/** Does cells with figures of no meaning; the dense network is a file with these words. */
async function fill(store: paper.CellStore, cells: readonly paper.Parameters[], network: string) {
  for (const cell of cells)
    await store.remember(
      cell,
      async ({ kept }) => {
        if (cell === dense) writeFileSync(join(kept, "weights"), network);
        return { figures: { metric: 50 } };
      },
      cell === dense ? {} : { needs: [dense] },
    );
}

/** A store with results of another one, all but some. */
async function adopted(network: string, without: readonly paper.Parameters[] = []) {
  const there = new CellStore(temporary("there"));
  await fill(there, [dense, fast, exact, published, ours], network);
  const store = new CellStore(temporary("here"));
  const left = new Set(without.map((cell) => store.folderOf(cell)));
  for (const result of await there.results())
    if (!left.has(store.folderOf(result.cell))) await store.adopt(result);
  return { store, there };
}

/** The cells of a plan that are to be run. */
const open = async (store: paper.CellStore) =>
  (await paper.makePlan([spec], store)).filter(({ isDone }) => !isDone);

describe("a result that was measured elsewhere", () => {
  it("is taken in once, as it was, and keeps its cell from being run", async () => {
    const { store, there } = await adopted("one");
    expect(await store.results()).toEqual(await there.results());
    expect(await open(store)).toEqual([]);
    const [result] = await there.results();
    expect(await store.adopt(result)).toBe(false);
    const [table] = await paper.reproduce("accuracy", { store: store.folder, quick: true, engine: "none" });
    expect(table.rows[0].slice(1, 6).map(({ value }) => value)).toEqual([50, 50, 50, 50, 50]);
  });

  it("is refused where it is not of the parameters that it is called by", async () => {
    const { there } = await adopted("one");
    const [result] = await there.results();
    const store = new CellStore(temporary("here"));
    const other = { ...result, cell: { ...result.cell, seed: 7 } };
    await expect(store.adopt(other)).rejects.toThrow(/must hold a cell's result .*its key is/);
    expect(await store.results()).toEqual([]);
  });

  it("is taken up from a folder before anything is run, or refused with its name", async () => {
    const { there } = await adopted("one");
    const folder = temporary("results");
    for (const result of await there.results())
      writeFileSync(join(folder, `${result.key}.json`), JSON.stringify(result));
    writeFileSync(join(folder, "README.md"), "not a result");
    const take = (results: string) =>
      paper.reproduce("accuracy", { store: temporary("here"), quick: true, engine: "none", results });
    const [table] = await take(folder);
    expect(table.rows[0].slice(1, 6).map(({ value }) => value)).toEqual([50, 50, 50, 50, 50]);
    const cut = join(folder, `${"0".repeat(32)}.json`);
    writeFileSync(cut, "{}");
    await expect(take(folder)).rejects.toThrow(new RegExp(`${cut} must hold a cell's result`));
    await expect(take(join(folder, "none"))).rejects.toThrow(/must be in a folder that can be read .*ENOENT/);
  });

  it("leaves a cell alone that somebody works on", async () => {
    const { there } = await adopted("one");
    const store = new CellStore(temporary("here"));
    const result = (await there.result(fast))!;
    let isAdopted: boolean | null = null;
    await store.remember(fast, async () => {
      isAdopted = await store.adopt(result);
      return { figures: { metric: 60 } };
    });
    expect([isAdopted, (await store.result(fast))!.figures]).toEqual([false, { metric: 60 }]);
  });
});

describe("a plan with results from elsewhere", () => {
  it("trains the dense network again only where something is to start from it", async () => {
    const { store } = await adopted("one", [ours]);
    expect((await open(store)).map(({ cell }) => cell.kind)).toEqual(["dense", "lookup"]);
    const { store: whole } = await adopted("one", [dense]);
    expect((await open(whole)).map(({ cell }) => cell.kind)).toEqual(["dense"]);
  });

  it("goes on with the other results where the network comes out the same, and does them anew where it does not", async () => {
    for (const [network, left] of [
      ["one", [ours]],
      ["another", [fast, exact, published, ours]],
    ] as const) {
      const { store } = await adopted("one", [ours]);
      for (const { stale } of await open(store)) if (stale) await store.reopen(stale);
      await fill(store, [dense], network);
      const keys = (await open(store)).map(({ key }) => key);
      expect(keys).toEqual(left.map((cell) => store.folderOf(cell).slice(-32)));
      const [table] = await paper.reproduce("accuracy", { store: store.folder, quick: true, engine: "none" });
      expect(table.rows[0].slice(1, 6).map(({ kind }) => kind)).toEqual([
        "measured",
        ...Array(4 - left.length).fill("measured"),
        ...Array(left.length).fill("notRun"),
      ]);
      if (network === "another") expect(table.reasons.join()).toMatch(/started from was made anew since/);
    }
  });

  it("opens only the result that it saw", async () => {
    const { store } = await adopted("one", [ours]);
    const [{ stale }] = await open(store);
    await store.reopen(stale!);
    await fill(store, [dense], "two");
    await store.reopen(stale!); // another plan's, made before
    expect((await store.result(dense))?.provenance.kept).toMatch(/^[0-9a-f]{64}$/);
  });

  it("has one digest for the same files, another for other names or contents", async () => {
    const digests = await Promise.all(
      [{ a: "1" }, { a: "1" }, { a: "2" }, { b: "1" }, { a: "1", b: "" }].map(async (files) => {
        const { provenance } = await new CellStore(temporary("kept")).remember({}, async ({ kept }) => {
          for (const [name, text] of Object.entries(files)) writeFileSync(join(kept, name), text);
          return { figures: {} };
        });
        return provenance.kept;
      }),
    );
    expect(digests[0]).toBe(digests[1]);
    expect(new Set(digests).size).toBe(4);
  });
});
