import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { find, Kernel } from "./kernelClient";

const folder = mkdtempSync(join(tmpdir(), "lutnn-modules-"));
function write(path: string, text: string) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

let kernel: Kernel;
beforeAll(async () => {
  write(
    "node_modules/modern/package.json",
    '{"name":"modern","type":"module","exports":{"import":"./main.js","types":"./main.d.ts"}}',
  );
  write(
    "node_modules/modern/main.js",
    "export const answer = await Promise.resolve(42); export default () => 'called';",
  );
  write(
    "node_modules/modern/main.d.ts",
    "export const answer: number; export default function call(): string;",
  );
  write("node_modules/seedrandom/package.json", '{"name":"seedrandom","version":"0.0.0","main":"main.js"}');
  write("node_modules/seedrandom/main.js", "exports.whose = 'the notebook folder';");
  write("node_modules/seedrandom/main.d.ts", "export const whose: string;");
  write("node_modules/seedrandom/package.json", '{"name":"seedrandom","main":"main.js","types":"main.d.ts"}');
  write(
    "helper.ts",
    "export const version: number = 1;\nexport function fail(): void {\n  throw new Error('in the helper');\n}\n",
  );
  write("nested.ts", 'export { version } from "./helper";\n');
  kernel = await Kernel.start({ folder });
});
afterAll(() => kernel.stop());

test("the library is imported, type-checked and completed far from its checkout", async () => {
  expect(await kernel.evaluate('import * as lutnn from "lutnn"; new lutnn.LutnnError("x").name')).toBe(
    "'LutnnError'",
  );
  const { reply } = await kernel.execute("lutnn.noSuchThing");
  expect(reply.content.evalue).toContain("Property 'noSuchThing' does not exist");
  const code = "lutnn.parseError";
  const { content } = await kernel.request("shell", "complete_request", { code, cursor_pos: code.length });
  expect(content.matches).toContain("parseErrorAccumulation");
});

test("TensorFlow.js is type-checked and runs far from the checkout", async () => {
  const code =
    'import * as tf from "@tensorflow/tfjs-node"; const t: tf.Tensor1D = tf.tensor1d([1, 2]); t.sum().dataSync()[0]';
  expect(await kernel.evaluate(code)).toBe("3");
});

test("Node's own modules and globals have their types", async () => {
  expect(await kernel.evaluate('import { join } from "path"; join("a", "b")')).toBe("'a/b'");
  const { reply } = await kernel.execute("process.noSuchThing");
  expect(reply.content.evalue).toContain("noSuchThing");
});

test("the notebook folder's own packages win over ours", async () => {
  expect(await kernel.evaluate('import { whose } from "seedrandom"; whose')).toBe("'the notebook folder'");
});

test("a package that has only ES modules is imported, even one that awaits", async () => {
  expect(await kernel.evaluate('import call, { answer } from "modern"; call() + answer.toFixed(1)')).toBe(
    "'called42.0'",
  );
  expect(await kernel.evaluate('(await import("modern")).answer')).toBe("42");
});

test("a dynamic import of a CommonJS module gives its default export", async () => {
  expect(await kernel.evaluate('(await import("path")).default.sep')).toBe("'/'");
});

test("a helper file beside the notebook is imported, read again after a change, and named in errors", async () => {
  expect(await kernel.evaluate('import { version, fail } from "./helper"; version')).toBe("1");
  expect(await kernel.evaluate('import { version as nested } from "./nested"; nested')).toBe("1");
  const { published } = await kernel.execute("fail()");
  expect(find(published, "error")?.content.traceback.join("\n")).toContain(
    `${join(folder, "helper.ts")}:3:9`,
  );
  write("helper.ts", "export const version: number = 2; // changed\n");
  expect(await kernel.evaluate('import { version } from "./helper"; version')).toBe("2");
  expect(await kernel.evaluate('import { version as nested } from "./nested"; nested')).toBe("2");
});

test("an error of types in a helper file is reported with its place", async () => {
  write("wrong.ts", "export const value: number = 'text';\n");
  const { reply } = await kernel.execute('import { value } from "./wrong"; value');
  expect(reply.content.evalue).toMatch(/^wrong\.ts:1:14 - Type 'string' is not assignable/);
  expect(await kernel.evaluate("1 + 1")).toBe("2");
});

test("a file that was missing is found once it is there", async () => {
  const { reply } = await kernel.execute('import { late } from "./late"; late');
  expect(reply.content.evalue).toContain("Cannot find module './late'");
  write("late.ts", "export const late = 'there now';\n");
  expect(await kernel.evaluate('import { late } from "./late"; late')).toBe("'there now'");
});

test("a type may be imported without its value", async () => {
  expect(
    await kernel.evaluate(
      'import type { Stats } from "fs"; const size = (stats: Stats) => stats.size; size.length',
    ),
  ).toBe("1");
});

test("JSON beside the notebook is imported with its types", async () => {
  write("data.json", '{"size": 3}');
  expect(await kernel.evaluate('import data from "./data.json"; data.size.toFixed(1)')).toBe("'3.0'");
});
