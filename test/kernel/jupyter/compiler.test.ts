// The compiler of cells in this process: what it says of code, what it makes of it, and what an editor is told.
import { mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import vm from "node:vm";
import { beforeAll, describe, expect, it } from "vitest";
import type { CellCompiler as Compiler } from "../../../kernel/lib/jupyter/compile/cellCompiler";
import type { Scope as Variables } from "../../../kernel/lib/jupyter/scope";

const require = createRequire(import.meta.url);
const { CellCompiler } = require("../../../kernel/lib/jupyter/compile/cellCompiler.js");
const { assistance } = require("../../../kernel/lib/jupyter/compile/assistance.js");
const { hooks } = require("../../../kernel/lib/jupyter/compile/hooks.js");
const { Scope } = require("../../../kernel/lib/jupyter/scope.js");

const folder = mkdtempSync(join(tmpdir(), "lutnn-compiler-"));
let compiler: Compiler;
let scope: Variables;
let id = 0;
let results: unknown[] = [];
beforeAll(() => {
  compiler = new CellCompiler(require("typescript"), folder);
  scope = new Scope();
  Reflect.set(globalThis, hooks.global, {
    [hooks.result]: (value: unknown) => results.push(value),
    [hooks.blank]: scope.blank,
    [hooks.resume]: (value: unknown) => value,
    [hooks.resumeEach]: (items: unknown) => items,
  });
}, 60_000);

/** Compiles and runs a cell as the kernel does; its result. */
async function run(code: string): Promise<unknown> {
  const { cell, diagnostics } = compiler.convert(++id, code);
  if (diagnostics.length > 0)
    throw new SyntaxError(diagnostics.map(({ messageText }) => messageText).join("; "));
  compiler.adopt(id);
  results = [];
  for (const name of cell!.fresh) scope.blank(name);
  for (const name of cell!.vars) scope.initialize(name);
  const body = vm.compileFunction(
    `return (async () => {${cell!.code}\n})()`,
    cell!.names.map((name) => cell!.prefix + name),
  );
  await body(...cell!.names.map((name) => scope.box(name)));
  return results.at(-1);
}

const wrongs = (code: string) =>
  compiler.convert(++id, code).diagnostics.map(({ start, end, code: number, messageText }) => ({
    ...{ at: `${start.line}:${start.character}-${end.line}:${end.character}`, number, messageText },
  }));

describe("a cell", () => {
  it("has its last expression for a result, and sees those before", async () => {
    expect(await run("let one = 1;\none + 1")).toBe(2);
    expect(await run("one += 4; one;")).toBe(5);
    expect(await run("const two = () => one * 2")).toBe(undefined);
    expect(await run("one = 10; two()")).toBe(20);
    expect(await run("export default one + 2;")).toBe(12);
    expect(await run("one; { one }")).toBe(undefined);
    expect(await run("await Promise.resolve(one + 1);;")).toBe(11);
  });

  it("declares names anew, with other types", async () => {
    await run('let again = "text"; function shown() { return again; }');
    expect(await run("again.length")).toBe(4);
    await run("let again = [1, 2, 3];");
    expect(await run("again.map((n) => n + 1).join()")).toBe("2,3,4");
    expect(wrongs("again.trim()")).toMatchObject([{ at: "0:6-0:10", number: 2339 }]);
    expect(await run("shown()")).toEqual([1, 2, 3]);
  });

  it("takes patterns, classes, enums, namespaces and generators apart as any program", async () => {
    await run("const { a, b: [c = 5, ...rest], ...others } = { a: 1, b: [undefined, 2, 3], d: 4, e: 6 };");
    expect(await run("[a, c, rest, others]")).toEqual([1, 5, [2, 3], { d: 4, e: 6 }]);
    await run(
      "class Point { static made = 0; constructor(readonly x: number) { Point.made++; } get twice() { return 2 * this.x; } }",
    );
    expect(await run("[new Point(4).twice, Point.made]")).toEqual([8, 1]);
    await run("enum Side { left = 3, right } const enum Fixed { here = 7 }");
    expect(await run("[Side.right, Side[3], Fixed.here]")).toEqual([4, "left", 7]);
    await run(
      "namespace Tools { export const size = 3; export function twice(n: number) { return 2 * n; } }",
    );
    expect(await run("Tools.twice(Tools.size)")).toBe(6);
    await run("function* count(to: number) { for (let i = 0; i < to; i++) yield i; }");
    expect(await run("[...count(3)]")).toEqual([0, 1, 2]);
    await run("[one, again] = [again, one] as any;");
    expect(await run("[one, again]")).toEqual([[1, 2, 3], 10]);
  });

  it("keeps loops' own counters apart from the notebook's, and closures their own turn's", async () => {
    await run("var i = 100; const made: (() => number)[] = [];");
    await run("for (let i = 0; i < 3; i++) made.push(() => i);");
    expect(await run("[i, ...made.map((one) => one())]")).toEqual([100, 0, 1, 2]);
    await run(
      "let total = 0; for (i = 0; i < 5; i++) { if (i === 1) continue; if (i === 4) break; total += i; }",
    );
    expect(await run("[i, total]")).toEqual([4, 5]);
    await run("for (const each of [1, 2]) total += each; for (const key in { p: 1 }) total += key.length;");
    expect(await run("total")).toBe(9);
    await run("let steps = 0; while (steps < 10_000) { steps++; if (steps % 2) total++; }");
    expect(await run("[steps, total]")).toEqual([10_000, 5_009]);
    await run(
      "outer: for (const x of [1, 2, 3]) for (const y of [1, 2, 3]) { if (y === 2) continue outer; if (x === 3) break outer; total = x * 10 + y; }",
    );
    expect(await run("total")).toBe(21);
  });

  it("is shadowed by inner names alone where they are", async () => {
    await run("let same = 1; function inner(same: number) { { let same = 3; same++; } return same; }");
    expect(await run("[inner(7), same]")).toEqual([7, 1]);
    expect(await run("((same) => { same = 5; return same; })(0) + same")).toBe(6);
    expect(await run("({ same, other: { same } })")).toEqual({ same: 1, other: { same: 1 } });
    expect(await run("typeof same + typeof (globalThis as any).same")).toBe("numberundefined");
    expect(await run("try { throw 9 } catch (same) { total = same as number } [total, same]")).toEqual([
      9, 1,
    ]);
  });

  it("imports what later cells use, and types alone leave nothing", async () => {
    const { cell } = compiler.convert(
      ++id,
      'import { join as put, type ParsedPath } from "node:path";\nimport type { Stats } from "node:fs";',
    );
    expect(cell!.imports).toEqual(["node:path"]);
    compiler.adopt(id);
    expect(wrongs("let where: ParsedPath | Stats; put(1)")).toMatchObject([
      { at: "0:35-0:36", number: 2345 },
    ]);
    expect(
      compiler.convert(++id, 'import type { Stats as S } from "node:fs"; let s: S').cell!.imports,
    ).toEqual([]);
  });

  it("is told by its own places what is wrong with it", () => {
    expect(wrongs("const x: number =\n  'text';")).toEqual([
      { at: "0:6-0:7", number: 2322, messageText: "Type 'string' is not assignable to type 'number'." },
    ]);
    expect(wrongs("let y = ;")).toMatchObject([{ at: "0:8-0:9", number: 1109 }]);
    expect(wrongs("nothing.here")).toMatchObject([
      { number: 2304, messageText: "Cannot find name 'nothing'." },
    ]);
    expect(wrongs("let open;\nopen = 3;")).toEqual([]);
    expect(wrongs('import unknown from "no-such-package"; unknown')).toMatchObject([{ number: 2307 }]);
    expect(wrongs(Array(2100).fill("1").join("+"))[0].messageText).toMatch(
      /nested so deeply; name the inner/,
    );
    expect(wrongs(Array(500).fill("1").join("+"))).toEqual([]);
  });

  it("that was not adopted has declared nothing, and names can be forgotten", async () => {
    compiler.convert(++id, "let unseen = 1;");
    expect(wrongs("unseen")).toMatchObject([{ number: 2304 }]);
    await run("let kept = 1, lost = 2;");
    compiler.forget(["lost"]);
    expect(wrongs("kept; lost")).toMatchObject([{ at: "0:6-0:10", number: 2304 }]);
  });

  it("uses the notebook's own files, and those that have changed since", async () => {
    const file = join(folder, "helper.ts");
    const right = "export const size = 3;\nexport const wrong: string = 'a';";
    writeFileSync(file, right);
    const { files, cell, diagnostics } = compiler.convert(++id, 'import { size } from "./helper"; size');
    expect([
      diagnostics,
      cell!.imports.length,
      files.map(({ title }) => title.endsWith("helper.ts")),
    ]).toEqual([[], 1, [true]]);
    compiler.adopt(id);
    expect(compiler.convert(++id, "size + 1").files).toEqual([]);
    writeFileSync(file, "export const size = 'now a text';\nexport const wrong: number = 'a';");
    expect(compiler.convert(++id, 'import { size as text } from "./helper"; text').diagnostics).toMatchObject(
      [{ fileName: "helper.ts", start: { line: 1, character: 13 }, code: 2322 }],
    );
    writeFileSync(file, right);
  });
});

describe("an editor", () => {
  const ask = (type: string, code: string, cursor_pos?: number) =>
    assistance[type](compiler, { code, ...(cursor_pos === undefined ? {} : { cursor_pos }) });

  it("is offered what may stand at the cursor: what begins as typed first, then other cases, then what contains it", async () => {
    await run("const offered = { alpha: 1, Alpine: 2, myalps: 3, beta: 4 };");
    const { matches, cursor_start, cursor_end, metadata } = ask("complete_request", "😀; offered.al", 13);
    expect([matches, cursor_start, cursor_end]).toEqual([["alpha", "Alpine", "myalps"], 11, 13]);
    expect(metadata._jupyter_types_experimental[0]).toEqual({
      text: "alpha",
      type: "property",
      start: 11,
      end: 13,
    });
    expect(ask("complete_request", "offered.").matches).toEqual(["Alpine", "alpha", "beta", "myalps"]);
    expect(ask("complete_request", "offe").matches[0]).toBe("offered");
    const inside = ask("complete_request", "offered.alpha + 1", 10);
    expect([inside.cursor_start, inside.cursor_end, inside.matches]).toEqual([8, 13, ["alpha"]]);
    expect(ask("complete_request", "no + such").status).toBe("ok");
  });

  it("is told what a name is, with its documentation, at the end of a word too", async () => {
    await run("/** Adds.\n * @param a first\n */\nfunction adds(a: number, b = 2): number { return a + b; }");
    const told = ask("inspect_request", "adds(1)", 2);
    expect(told.found).toBe(true);
    expect(told.data["text/plain"].split("\n")).toEqual([
      "function adds(a: number, b?: number): number",
      "",
      "Adds.",
      "@param a first",
    ]);
    expect(ask("inspect_request", "adds", 4)).toEqual(told);
    expect(ask("inspect_request", "   ", 0)).toEqual({ status: "ok", found: false, data: {}, metadata: {} });
  });

  it("is told whether code is whole", () => {
    const status = (code: string) => ask("is_complete_request", code).status;
    expect(["1 + 1", "let a = (", "if (a) {", "let let = 1 1", "`open", "f(\n\n"].map(status)).toEqual([
      ...["complete", "incomplete", "incomplete", "invalid", "incomplete", "invalid"],
    ]);
    expect(ask("is_complete_request", "if (a) {")).toEqual({ status: "incomplete", indent: "  " });
    expect(status(`"${"x".repeat(1 << 20)}"`)).toBe("unknown");
    expect(status("const e = <b>x</b>;")).toBe("complete");
  });
});
