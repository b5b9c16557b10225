// Cells are type-checked strictly, with the types of this Node, or as the tsconfig.json beside the notebook says.
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Kernel } from "./kernelClient";

let kernel: Kernel;
const errorOf = async (code: string) => String((await kernel.execute(code)).reply.content.evalue);

describe("without a tsconfig.json", () => {
  beforeAll(async () => {
    kernel = await Kernel.start();
  });
  afterAll(() => kernel.stop());

  test("a union is narrowed by its discriminant", async () => {
    expect(
      await kernel.evaluate(
        `type R = { ok: true; v: number } | { ok: false; e: string };
         const f = (r: R) => (!r.ok ? r.e : r.v); f({ ok: false, e: "no" })`,
      ),
    ).toBe("'no'");
  });

  test("null is no text, and a parameter needs a type", async () => {
    await kernel.execute("const maybe: string | null = Math.random() > 2 ? 'a' : null;");
    expect(await errorOf("maybe.length")).toContain("'maybe' is possibly 'null'. (TS18047)");
    expect(await errorOf("function loose(x) {}")).toContain("implicitly has an 'any' type");
    expect(await errorOf("try {} catch (e) { e.message }")).toContain("'e' is of type 'unknown'");
    expect(await kernel.evaluate("maybe?.length ?? -1")).toBe("-1");
  });

  test("what a cell finds out about a variable holds in that cell", async () => {
    await kernel.execute("let word: string | undefined;");
    expect(await kernel.evaluate("word = 'abc'; word.length")).toBe("3");
    expect(await errorOf("word.length")).toContain("'word' is possibly 'undefined'");
    expect(await kernel.evaluate("word!.length")).toBe("3");
  });

  test("a variable that one cell declares and another gives its value has its type", async () => {
    await kernel.execute("let later: number; const readLater = () => later * 2; let anything;");
    await kernel.execute("later = 4; anything = 'text';");
    expect(await kernel.evaluate("later + readLater() + anything.length")).toBe("16");
    expect(await errorOf("later = 'text'")).toContain("Type 'string' is not assignable to type 'number'");
  });

  test("the library is that of this Node", async () => {
    expect(await kernel.evaluate("[3, 1].toSorted().join() + [1, 2].findLast((x) => x > 0)")).toBe("'1,32'");
    const grouped = await errorOf("Object.groupBy([1], String)");
    if (Number.parseInt(process.versions.node, 10) < 22) expect(grouped).toContain("groupBy");
  });

  test("types that only the compiler can name go from cell to cell", async () => {
    await kernel.execute(
      `const unique = Symbol("u"); const keyed = { [unique]: 1, nested: { deep: ["a", 1] as const } };
       function counter() { class Count { #n = 0; up() { return ++this.#n; } } return new Count(); }
       const count = counter();`,
    );
    expect(
      await kernel.evaluate("const deep: 'a' = keyed.nested.deep[0]; keyed[unique] + count.up() + deep"),
    ).toBe("'2a'");
    expect(await errorOf("count.n")).toContain("Property 'n' does not exist on type 'Count'");
  });

  test("a package without types is any", async () => {
    const folder = join(kernel.folder, "node_modules");
    const { mkdirSync } = await import("node:fs");
    mkdirSync(join(folder, "untyped"), { recursive: true });
    writeFileSync(join(folder, "untyped/package.json"), '{"name":"untyped","main":"index.js"}');
    writeFileSync(join(folder, "untyped/index.js"), "exports.value = 5;");
    expect(await kernel.evaluate('import untyped from "untyped"; untyped.value')).toBe("5");
  });
});

describe("with a tsconfig.json", () => {
  const folder = mkdtempSync(join(tmpdir(), "lutnn-tsconfig-"));
  const file = join(folder, "tsconfig.json");
  let seconds = 1e9;
  const configure = (text: string) => {
    writeFileSync(file, text);
    // Two changes within one tick of the file system's clock would look like one.
    utimesSync(file, seconds, seconds++);
  };
  beforeAll(async () => {
    configure('{ "compilerOptions": { "strict": false } }');
    kernel = await Kernel.start({ folder });
  });
  afterAll(() => kernel.stop());

  test("strict is off where it says so, and on again after a change", async () => {
    expect(
      await kernel.evaluate("function loose(x) { return x; } const nothing: string = null; loose(nothing)"),
    ).toBe("null");
    configure("{ // strict again\n}");
    expect(await errorOf("const nothing2: string = null;")).toContain("Type 'null' is not assignable");
    expect(await kernel.evaluate("loose(5)")).toBe("5");
  });

  test("its options about types count, and those about files and modules do not", async () => {
    configure(
      JSON.stringify({
        extends: "./base.json",
        compilerOptions: {
          module: "commonjs",
          target: "es5",
          noEmit: true,
          outFile: "x.js",
          isolatedModules: true,
          noUnusedLocals: true,
          declaration: true,
          composite: true,
        },
        files: ["nowhere.ts"],
      }),
    );
    writeFileSync(join(folder, "base.json"), '{ "compilerOptions": { "noUncheckedIndexedAccess": true } }');
    const { stderr, reply } = await kernel.execute("const xs = [1]; let unused = 1; xs[0].toFixed()");
    expect(reply.content.evalue).toContain("Object is possibly 'undefined'");
    expect(stderr).toBe("");
    expect(
      await kernel.evaluate("const [, ...more] = [...new Set([1, 2])]; await Promise.resolve(more.length)"),
    ).toBe("1");
  });

  test("experimental decorators and JSX with a factory of one's own", async () => {
    configure('{ "compilerOptions": { "experimentalDecorators": true, "jsx": "react", "jsxFactory": "h" } }');
    await kernel.execute(
      "const marks: string[] = []; function mark(target: object, key: string) { marks.push(key); }",
    );
    expect(await kernel.evaluate("class Marked { @mark field = 1; @mark method() {} } marks.join()")).toBe(
      "'field,method'",
    );
    await kernel.execute(
      "declare global { namespace JSX { interface IntrinsicElements { p: {} } type Element = string } } const h = (tag: string, ..._: unknown[]) => tag;",
    );
    expect(await kernel.evaluate("<p>text</p>")).toBe("'p'");
  });

  test("a broken one is said once, in one sentence, and the cell runs", async () => {
    configure('{ "compilerOptions": { "strict": maybe } }');
    const first = await kernel.execute("1 + 1");
    expect(first.reply.content.status).toBe("ok");
    expect(first.stderr).toMatch(/^tsconfig\.json: line 1: .*\.\n$/);
    expect((await kernel.execute("1 + 1")).stderr).toBe("");
    configure('{ "compilerOptions": { "strict": "very", "noSuchOption": 1, "lib": ["es1"] } }');
    expect((await kernel.execute("1 + 1")).stderr).toMatch(/^tsconfig\.json: line 1: .*strict.*\.\n$/);
    configure('{ "extends": "./missing.json" }');
    expect((await kernel.execute("1 + 1")).stderr).toMatch(/^tsconfig\.json:.*missing\.json.*\n$/);
    rmSync(file);
    expect((await kernel.execute("1 + 1")).stderr).toBe("");
  });
});
