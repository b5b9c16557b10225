import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { paper } from "lutnn";
import { describe, expect, it } from "vitest";
import { namesIn, temporary } from "./cells";

const { CellStore } = paper;
/** Seconds without a heartbeat after which the tests' holders count as gone. */
const staleSeconds = 0.5;

describe("a store of cells", () => {
  it("does a cell's work once, and gives its result again", async () => {
    const store = new CellStore(temporary("store"));
    let times = 0;
    const work = async () => ({ figures: { answer: 42, times: ++times } });
    const first = await store.remember({ question: "six times seven" }, work);
    expect(first.figures).toEqual({ answer: 42, times: 1 });
    expect(await store.remember({ question: "six times seven" }, work)).toEqual(first);
    expect(first.provenance.versions.lutnn).toMatch(/^\d/);
    expect(first.provenance.machine).toMatch(/cores/);
    expect(await store.results()).toEqual([first]);
  });

  it("has a key of all parameters, whatever their order", async () => {
    const store = new CellStore(temporary("store"));
    const at = (parameters: paper.Parameters) => store.folderOf(parameters);
    expect(at({ a: 1, b: { c: [1, 2], d: null } })).toBe(at({ b: { d: null, c: [1, 2] }, a: 1 }));
    const others: paper.Parameters[] = [
      { a: 1 },
      { a: 2 },
      { a: "1" },
      { a: [1] },
      { b: 1 },
      { a: 1, b: null },
      { a: { a: 1 } },
    ];
    expect(new Set(others.map(at)).size).toBe(others.length);
  });

  it("refuses parameters that JSON would change", () => {
    const store = new CellStore("anywhere");
    expect(() => store.folderOf({ rate: Number.NaN })).toThrow(/finite numbers.*got NaN/);
    expect(() => store.folderOf({ f: (() => 1) as unknown as string })).toThrow(/parameters must be/);
  });

  it("goes on with what an interrupted run left, and keeps only what is to stay", async () => {
    const store = new CellStore(temporary("store"));
    const controller = new AbortController();
    const interrupted = store.remember(
      { name: "long" },
      async ({ scratch, kept }) => {
        writeFileSync(join(scratch, "checkpoint"), "half");
        writeFileSync(join(kept, "weights"), "first");
        controller.abort(new Error("stopped"));
        return { figures: { done: 1 } };
      },
      { signal: controller.signal },
    );
    await expect(interrupted).rejects.toThrow("stopped");
    expect(await store.result({ name: "long" })).toBeNull();
    const result = await store.remember({ name: "long" }, async ({ scratch, kept }) => {
      expect([readdirSync(scratch), readdirSync(kept)]).toEqual([["checkpoint"], ["weights"]]);
      return { figures: { done: 2 } };
    });
    expect([result.figures.done, result.provenance.runs]).toEqual([2, 2]);
    const status = await store.status({ name: "long" });
    if (status.kind !== "done") throw new Error("it is done");
    expect(readdirSync(status.kept)).toEqual(["weights"]);
    expect(readdirSync(join(status.kept, ".."))).toEqual(["kept"]);
  });

  it("keeps the reason of a failure until somebody tries again", async () => {
    const store = new CellStore(temporary("store"));
    const failing = store.remember({ name: "bad" }, async () => {
      throw new RangeError("no such thing");
    });
    await expect(failing).rejects.toThrow("no such thing");
    expect(await store.status({ name: "bad" })).toMatchObject({
      kind: "open",
      isHeld: false,
      failure: expect.stringContaining("RangeError: no such thing"),
    });
    await store.remember({ name: "bad" }, async () => ({ figures: { x: null }, notes: { x: "why" } }));
    expect(await store.status({ name: "bad" })).toMatchObject({ kind: "done" });
  });

  it("lets one of many at a time work on a cell, and gives all of them its result", async () => {
    const store = new CellStore(temporary("store"));
    let [atWork, times] = [0, 0];
    const results = await Promise.all(
      Array.from({ length: 8 }, () =>
        store.remember({ name: "shared" }, async () => {
          expect(++atWork).toBe(1);
          await new Promise((resolve) => setTimeout(resolve, 30));
          atWork--;
          return { figures: { times: ++times } };
        }),
      ),
    );
    expect(results.map(({ figures }) => figures.times)).toEqual(Array(8).fill(1));
  });

  it("takes a cell over from a holder that gives no sign of life, who then can neither write into it nor finish it", async () => {
    const store = new CellStore(temporary("store"));
    const parameters = { name: "fenced" };
    let wake = () => {};
    const sleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let oldScratch = "";
    let begun = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    // A heartbeat so rare that this holder looks dead to the next one.
    const asleep = store.remember(
      parameters,
      async ({ scratch }) => {
        oldScratch = scratch;
        writeFileSync(join(scratch, "checkpoint"), "1");
        begun();
        await sleep;
        expect(() => writeFileSync(join(scratch, "checkpoint"), "of the sleeper")).toThrow(/ENOENT/);
        mkdirSync(scratch, { recursive: true });
        writeFileSync(join(scratch, "checkpoint"), "of the sleeper");
        return { figures: { from: 1 } };
      },
      { staleSeconds: 1e5 },
    );
    await Promise.race([hasBegun, asleep]);
    const second = await store.remember(
      parameters,
      async ({ scratch }) => {
        expect(scratch).not.toBe(oldScratch);
        expect(readdirSync(scratch)).toEqual(["checkpoint"]);
        wake();
        await expect(asleep).rejects.toThrow(/must not have taken over.*start the cell again/);
        return { figures: { from: 2 } };
      },
      { staleSeconds },
    );
    expect([second.figures.from, second.provenance.runs]).toEqual([2, 2]);
    expect((await store.result(parameters))?.figures.from).toBe(2);
    expect(namesIn(store.folderOf(parameters)).filter((name) => name.startsWith("done"))).toEqual(["done.2"]);
  });

  it("says what is damaged", async () => {
    const store = new CellStore(temporary("store"));
    await store.remember({ name: "damaged" }, async () => ({ figures: { x: 1 } }));
    writeFileSync(join(store.folderOf({ name: "damaged" }), "result.1.json"), "{}");
    await expect(store.result({ name: "damaged" })).rejects.toThrow(
      /must hold a cell's result.*run the cell again/,
    );
    const empty = store.folderOf({ name: "empty" });
    mkdirSync(empty, { recursive: true });
    await expect(store.result({ name: "empty" })).rejects.toThrow(/must hold a marker.*delete it/);
  });
});
