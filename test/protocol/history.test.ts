import { mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Json, Kernel } from "./kernelClient";

/** The file's bound, as the kernel states it. */
const capacity = 4 << 20;

let kernel: Kernel;
afterEach(() => kernel.stop());

const start = (file: string) => Kernel.start({ env: { LUTNN_HISTORY: file } });
const newFile = () => join(mkdtempSync(join(tmpdir(), "lutnn-history-")), "history.jsonl");
const ask = async (content: Json): Promise<[number, number, unknown][]> =>
  (await kernel.request("shell", "history_request", { output: false, raw: true, ...content })).content
    .history;

test("cells are remembered across restarts, by tail, range and search, with and without results", async () => {
  const file = newFile();
  kernel = await start(file);
  await kernel.execute("6 * 7");
  await kernel.execute('const text = "ä😀";');
  await kernel.execute("1", { store_history: false });
  await kernel.stop();

  kernel = await start(file);
  await kernel.execute("6 * 8");
  const first = [1, 1, "6 * 7"];
  const second = [1, 2, 'const text = "ä😀";'];
  const third = [2, 1, "6 * 8"];
  expect(await ask({ hist_access_type: "tail", n: 2 })).toEqual([second, third]);
  expect(await ask({ hist_access_type: "range", session: -1, start: 1, stop: 3 })).toEqual([first, second]);
  expect(await ask({ hist_access_type: "range", session: 0, start: 1, stop: 2 })).toEqual([third]);
  expect(await ask({ hist_access_type: "search", pattern: "6 * ?", n: 10 })).toEqual([first, third]);
  expect(await ask({ hist_access_type: "tail", n: 1, output: true })).toEqual([[2, 1, ["6 * 8", "48"]]]);
});

test("the file stays within its bound, and the newest cells are those that stay", async () => {
  const file = newFile();
  const line = (number: number) =>
    `${JSON.stringify({ session: 1, line: number, source: `${number} // ${"x".repeat(1000)}`, output: null })}\n`;
  const count = Math.ceil(capacity / 1000);
  writeFileSync(file, Array.from({ length: count }, (_, index) => line(index + 1)).join(""));
  expect(statSync(file).size).toBeGreaterThan(capacity);
  kernel = await start(file);
  await kernel.execute('"the newest"');
  await kernel.until(() => statSync(file).size < capacity);
  expect(await ask({ hist_access_type: "tail", n: 1 })).toEqual([[2, 1, '"the newest"']]);
  expect((await ask({ hist_access_type: "tail", n: 2 }))[0].slice(0, 2)).toEqual([1, count]);
  expect(await ask({ hist_access_type: "search", pattern: "1 // *", n: 10 })).toEqual([]);
});

test("a damaged file costs its damaged lines only", async () => {
  const file = newFile();
  writeFileSync(file, 'no JSON\n{"session":3,"line":1,"source":"kept","output":null}\n{"session":3,"li');
  kernel = await start(file);
  await kernel.execute("let after;");
  const whole = [
    [3, 1, "kept"],
    [4, 1, "let after;"],
  ];
  expect(await ask({ hist_access_type: "tail", n: 5 })).toEqual(whole);
  await kernel.stop();
  kernel = await start(file);
  expect(await ask({ hist_access_type: "tail", n: 5 })).toEqual(whole);
});
