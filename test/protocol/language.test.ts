// The whole of TypeScript works in cells.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { find, Kernel } from "./kernelClient";

const folder = mkdtempSync(join(tmpdir(), "lutnn-language-"));
let kernel: Kernel;
beforeAll(async () => {
  writeFileSync(
    join(folder, "shapes.ts"),
    "export interface Shape { size: number }\nexport const unit = { size: 1 };\nexport default function area(shape: Shape) {\n  return shape.size ** 2;\n}\n",
  );
  kernel = await Kernel.start({ folder });
});
afterAll(() => kernel.stop());

const run = (...cells: string[]) => kernel.evaluateAll(...cells);
async function errorOf(cell: string): Promise<string> {
  return String((await kernel.execute(cell)).reply.content.evalue);
}
async function stdoutOf(cell: string): Promise<string> {
  const { reply, stdout } = await kernel.execute(cell);
  expect(reply.content).toMatchObject({ status: "ok" });
  return stdout;
}

describe("at top level", () => {
  test("for await", async () => {
    expect(await stdoutOf("for await (const n of [1, 2]) console.log(n);")).toBe("1\n2\n");
    expect(
      await stdoutOf(
        "async function* words() { yield 'a'; yield 'b'; } for await (const word of words()) console.log(word);",
      ),
    ).toBe("a\nb\n");
  });

  test("await in every place of an expression", async () => {
    expect(
      await run(
        "const values = [await 1, ...(await Promise.resolve([2])), (await (async () => 3)())]; values.join()",
      ),
    ).toBe("'1,2,3'");
    expect(await run("if (await Promise.resolve(true)) { await null; } await (async () => 4)()")).toBe("4");
    expect(await run("const { size = await Promise.resolve(5) } = {} as { size?: number }; size")).toBe("5");
    expect(
      await run(
        "class Awaited2 { static value = 6; } const t = 'n' + (await Promise.resolve(Awaited2.value)); t",
      ),
    ).toBe("'n6'");
  });

  test("labels, blocks, switch, try and loops of each kind", async () => {
    expect(
      await run(`let steps2 = 0;
        outer: for (const a of [1, 2, 3]) { for (const b of [1, 2, 3]) { if (b > a) continue outer; if (a === 3) break outer; steps2++; } }
        block: { steps2++; if (steps2 > 3) break block; steps2 = 100; }
        switch (steps2) { case 4: steps2 = 5; break; default: steps2 = 0; }
        try { throw new Error("x"); } catch { steps2++; } finally { steps2++; }
        do { steps2++; } while (steps2 < 10); while (steps2 < 12) steps2++;
        for (const key in { a: 1 }) steps2 += key.length;
        steps2`),
    ).toBe("13");
  });

  test("a return is an error in plain words", async () => {
    expect(await errorOf("return 5;")).toMatch(
      /:1:1 - A 'return' statement can only be used within a function body/,
    );
  });

  test("the last expression is the result, whatever declares something after it", async () => {
    expect(await run("5;")).toBe("5");
    expect(await run("5;;")).toBe("5");
    expect(await run("'use this'")).toBe("'use this'");
    expect(await run("({ a: 1 })")).toBe("{ a: 1 }");
    expect(await run("enum Last { A }")).toBe("");
    expect(await run('"abc".match(/z/)')).toBe("null");
  });
});

describe("classes", () => {
  test("class expressions with private and protected members", async () => {
    expect(await run("const C = class { private n = 0; protected m = 1; }; new C()")).toBe(
      "C { n: 0, m: 1 }",
    );
    expect(
      await run(
        "const make = () => class { private secret = 1; reveal() { return this.secret; } }; new (make())().reveal()",
      ),
    ).toBe("1");
  });

  test("mixins", async () => {
    await run(
      `type Constructor<T = {}> = new (...args: any[]) => T;
       function Named<B extends Constructor>(Base: B) { return class extends Base { private given = "x"; protected called = 1; name() { return this.given; } }; }
       class Plain { size = 2; }`,
    );
    expect(
      await run(
        "class Mixed extends Named(Plain) { get calls() { return this.called; } }",
        "const mixed = new Mixed(); [mixed.name(), mixed.size, mixed.calls].join()",
      ),
    ).toBe("'x,2,1'");
  });

  test("private names, static blocks, accessors, parameter properties, abstract classes, overloads", async () => {
    await run(
      `abstract class Animal { constructor(protected readonly name: string) {} abstract sound(): string; say() { return this.name + this.sound(); } }
       class Dog extends Animal { #volume = 1; static count = 0; static { Dog.count = 7; } sound() { return "!".repeat(this.#volume); } set volume(v: number) { this.#volume = v; } }
       function twice(x: number): number; function twice(x: string): string; function twice(x: any) { return x + x; }`,
    );
    expect(
      await run("const dog = new Dog('Rex'); dog.volume = 3; dog.say() + Dog.count + twice(2) + twice('a')"),
    ).toBe("'Rex!!!74aa'");
    expect(await errorOf("new Animal('x')")).toContain("Cannot create an instance of an abstract class");
    expect(await errorOf("dog.name")).toContain("is protected");
    expect(await errorOf("twice(true)")).toContain("No overload matches this call");
  });

  test("inheritance from a class of an earlier cell that is declared anew", async () => {
    await run(
      "class Base { kind = 'old'; }",
      "class Derived extends Base {}",
      "class Base { kind = 'new'; }",
    );
    expect(await run("new Derived().kind + new Base().kind")).toBe("'oldnew'");
  });

  test("decorators", async () => {
    await run(
      "const seen: string[] = []; function note(value: unknown, { kind, name }: DecoratorContext) { seen.push(kind + String(name)); }",
    );
    expect(
      await run(
        "@note class Decorated { @note method() { return 1; } @note field = 2; }",
        "seen.join() + new Decorated().method() + new Decorated().field",
      ),
    ).toBe("'methodmethod,fieldfield,classDecorated12'");
  });
});

describe("TypeScript's own", () => {
  test("enums, const enums, and enums that go on", async () => {
    await run("enum Colour { Red = 1, Green } const enum Fast { On = 3 } enum Colour { Blue = 9 }");
    expect(await run("[Colour.Green, Colour[9], Fast.On].join()")).toBe("'2,Blue,3'");
  });

  test("namespaces, which go on in later cells", async () => {
    await run("namespace Shapes { export const unit = 1; export interface Shape { size: number } }");
    await run(
      "namespace Shapes { export const double = unit * 2; export const shape: Shape = { size: double }; export const short = { unit }; }",
    );
    expect(await run("[Shapes.unit, Shapes.double, Shapes.shape.size, Shapes.short.unit].join()")).toBe(
      "'1,2,2,1'",
    );
    await run(
      "class Circle { constructor(readonly radius: number) {} }",
      "namespace Circle { export const unit = new Circle(1); }",
    );
    expect(await run("Circle.unit.radius + new Circle(2).radius")).toBe("3");
    await run(
      "function area2(x: number) { return x * area2.factor; } namespace area2 { export const factor = 2; }",
    );
    expect(await run("area2(4)")).toBe("8");
  });

  test("satisfies, as const, generics, type predicates, assertions", async () => {
    await run(
      `const config = { width: 4, tags: ["a"] } satisfies Record<string, number | string[]>;
       const pair = [1, "a"] as const; type Pair = typeof pair;
       function isText(x: unknown): x is string { return typeof x === "string"; }
       function assertText(x: unknown): asserts x is string { if (!isText(x)) throw new Error("no text"); }`,
    );
    expect(await run("config.width.toFixed() + config.tags[0] + pair[1]")).toBe("'4aa'");
    expect(
      await run("const unknownValue: unknown = 'abc'; assertText(unknownValue); unknownValue.length"),
    ).toBe("3");
    expect(await run("const first = <T,>(xs: readonly T[]): T => xs[0]; first(pair)")).toBe("1");
    expect(await errorOf("config.height")).toContain("Property 'height' does not exist");
  });

  test("export and import in all their forms", async () => {
    expect(
      await run(
        'import area, { type Shape, unit as one } from "./shapes"; const shape2: Shape = one; area(shape2)',
      ),
    ).toBe("1");
    expect(
      await run('import * as shapes from "./shapes"; shapes.default({ size: 3 }) + shapes.unit.size'),
    ).toBe("10");
    expect(
      await run(
        'import type { Shape as OnlyType } from "./shapes"; const typed: OnlyType = { size: 2 }; typed.size',
      ),
    ).toBe("2");
    expect(await run('import path = require("path"); path.posix.join("a", "b")')).toBe("'a/b'");
    expect(
      await run(
        'import Parsed = path.ParsedPath; import width = Shapes.unit; const parsed: Parsed = path.posix.parse("a/b.c"); parsed.ext + width',
      ),
    ).toBe("'.c1'");
    expect(await run('(await import("./shapes")).unit.size')).toBe("1");
    expect(
      await run(
        'export const exported = 1; export default class Exported { n = 2; } export type T = string; export * from "./shapes"; export { exported as other };',
        "exported + new Exported().n",
      ),
    ).toBe("3");
    expect(await run("export default function () { return 1; }")).toBe("");
    expect(
      await run(
        "import.meta.url.startsWith('file:') && import.meta.dirname === __dirname && typeof require.resolve",
      ),
    ).toBe("'function'");
  });

  test("declare global and declare, which say what is there", async () => {
    await run(
      "declare global { interface Array<T> { last(): T; } var worldwide: number; } Array.prototype.last = function () { return this[this.length - 1]; }; globalThis.worldwide = 5;",
    );
    expect(await run("[1, 2, 3].last() + worldwide")).toBe("8");
    // The same cell again, corrected.
    await run("declare global { interface Array<T> { last(): T | undefined; } var worldwide: number; }");
    expect(await errorOf("[1].last().toFixed()")).toContain("possibly 'undefined'");
    expect(
      await run("declare const process2: undefined; declare function missing(): void; typeof missing"),
    ).toBe("'undefined'");
    await run('declare module "./shapes" { interface Shape { colour?: string } }');
    expect(
      await run(
        'import type { Shape as Coloured } from "./shapes"; const red: Coloured = { size: 1, colour: "red" }; red.colour',
      ),
    ).toBe("'red'");
  });

  test("using and await using", async () => {
    await run(
      `const log: string[] = [];
       const resource = (name: string) => ({ name, [Symbol.dispose]() { log.push("end " + name); } });
       const slow = (name: string) => ({ name, async [Symbol.asyncDispose]() { await null; log.push("end " + name); } });`,
    );
    await run(
      "{ using inner = resource('inner'); log.push(inner.name); } await using late = slow('late'); using top = resource('top'); log.push(top.name);",
    );
    expect(await run("log.join()")).toBe("'inner,end inner,top,end top,end late'");
    expect(await run("top.name")).toBe("'top'");
  });

  test("JSX, which wants a factory", async () => {
    const { published } = await kernel.execute("const element = <div/>;");
    expect(find(published, "error")!.content.traceback.join("\n")).toContain(
      "This JSX tag requires 'React' to be in scope",
    );
    await run(
      "declare global { namespace JSX { interface IntrinsicElements { div: { id?: string } } type Element = string; } } const React = { createElement: (tag: string, props: object | null, ...children: string[]) => tag + JSON.stringify(props) + children.join() };",
    );
    expect(await run("const element2 = <div id='a'>text</div>; element2")).toBe(`'div{"id":"a"}text'`);
    expect(
      await run("const cast = <number>(5 as unknown); const less = 1 < 2 && 3 > 2; cast + Number(less)"),
    ).toBe("6");
  });
});

describe("a diagnostic", () => {
  test.each([
    ["an open brace", "function f() {\n  const x = 1;"],
    ["an open text", 'const x = "abc'],
    ["an open template", "`abc"],
    ["an open comment", "const a = 1;\n/* abc"],
    ["an open bracket at the end of a line", "const xs = [1,\n"],
    ["a stray brace", "const b = 1; }"],
    ["nothing after an operator", "1 +"],
    ["a name twice", "let twice2 = 1;\nlet twice2 = 2;"],
    ["a name twice as const and function", "const again = 1; function again() {}"],
    ["no value after an export", "export default"],
    ["an unknown name to export", "export { nowhere };"],
    ["a private member", "(class { private n = 1; }).prototype.n"],
    ["a decorator's type", "@5 class Wrong {}"],
  ])("about %s stays within the cell", async (_, code) => {
    const { reply, published } = await kernel.execute(code);
    expect(reply.content).toMatchObject({ status: "error", ename: "TypeScriptError" });
    const lines = code.split("\n");
    const traceback = find(published, "error")!.content.traceback.join("\n");
    const places = [...traceback.matchAll(/cell [^:]+:(\d+):(\d+)/g)];
    expect(places.length).toBeGreaterThan(0);
    for (const [, line, column] of places) {
      expect(Number(line)).toBeLessThanOrEqual(lines.length);
      expect(Number(column)).toBeLessThanOrEqual(lines[Number(line) - 1].length + 1);
    }
    expect(traceback).not.toMatch(/__cell|__prev__|tsLastExpr|\.d\.ts/);
  });

  test("about what is nested too deeply is a sentence, and the next cells run", async () => {
    for (const deep of [
      `${"(".repeat(9000)}1${")".repeat(9000)}`,
      `${"[".repeat(9000)}${"]".repeat(9000)}`,
    ]) {
      expect(await errorOf(deep)).toMatch(
        /The compiler cannot follow a cell that is nested so deeply; name the inner parts, or read them with JSON\.parse\.$/,
      );
      expect(await run("1 + 1")).toBe("2");
      expect(await run("let afterwards = 3; afterwards")).toBe("3");
    }
  });

  test("names a type of an earlier cell as the user does", async () => {
    await run("class Twin { old = 1; } const oldTwin = new Twin();", "class Twin { fresh = 2; }");
    const error = await errorOf("const wrong: Twin = oldTwin;");
    expect(error).toContain("'Twin'");
    expect(error).not.toMatch(/import\(|__cell/);
  });
});

test("completion and inspection know the names and types of all cells", async () => {
  await run(
    "class Completed { private hidden = 1; visibleMember = 2; } const completed = new Completed(); export const outer = 1; enum Choice { First }",
  );
  const complete = async (code: string) =>
    (await kernel.request("shell", "complete_request", { code, cursor_pos: code.length })).content.matches;
  expect(await complete("completed.")).toEqual(["visibleMember"]);
  expect(await complete("comple")).toContain("completed");
  expect(await complete("Choice.F")).toEqual(["First"]);
  expect(await complete("oute")).toContain("outer");
  expect(await complete("let local = 1; local.toFi")).toEqual(["toFixed"]);
  const code = "completed";
  const { data } = (await kernel.request("shell", "inspect_request", { code, cursor_pos: 3 })).content;
  expect(data["text/plain"]).toBe("const completed: Completed");
});
