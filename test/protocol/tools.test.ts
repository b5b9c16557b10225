import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { installKernelspec } from "../../kernel/lib/jupyter/kernelspec";
import "./kernelClient";

const root = fileURLToPath(new URL("../../", import.meta.url));
const python = join(root, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const run = promisify(execFile);

/** Calls a function of tools.py in an empty folder. */
async function tool(name: string) {
  const folder = mkdtempSync(join(tmpdir(), "lutnn-tools-"));
  installKernelspec({ prefix: folder });
  const { stdout } = await run(python, [join(root, "test/protocol/tools.py"), name], {
    cwd: folder,
    env: { ...process.env, JUPYTER_PATH: join(folder, "share/jupyter"), LUTNN_HISTORY: "" },
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

test("nbclient runs a notebook and keeps its outputs and language", async () => {
  const { outputs, language } = await tool("nbclient");
  expect(outputs).toEqual([[], ["one\n", "42"], ["TypeScriptError"]]);
  expect(language).toMatchObject({ name: "typescript", file_extension: ".ts", pygments_lexer: "typescript" });
});

test("nbconvert highlights TypeScript and writes a script with its extension", async () => {
  const { script, extension, ...html } = await tool("nbconvert");
  expect(html).toEqual({ keyword: true, type: true, string: true });
  expect(extension).toBe(".ts");
  expect(script).toContain("const words: string[] = ['<a>', 'b'];");
}, 240_000);

test("papermill puts parameters into a notebook", async () => {
  const { inspected, printed } = await tool("papermill");
  expect(inspected.rate).toMatchObject({ default: "0.1", help: "how fast" });
  expect(inspected.name).toMatchObject({ inferred_type_name: "string", default: '"a"' });
  const text = printed[0].replace(/ true\n$/, "");
  expect(JSON.parse(text)).toEqual([
    0.5,
    'quote " backslash \\ é 😀 newline\n',
    [1, 2.5, null],
    { "a-b": { c: true }, d: [null, false] },
    null,
  ]);
});

test("jupyter console evaluates, reports errors and interrupts", async () => {
  expect(await tool("console")).toHaveLength(4);
}, 240_000);

test("a crash is seen by the client, and a restart gives a working kernel", async () => {
  expect(await tool("restart")).toEqual({ restarted: [true], different: 3, works: ["2"] });
}, 240_000);

test("the stop button of JupyterLab stops every kind of loop, the restart button restarts", async () => {
  const { stopped, restarted } = await tool("server");
  expect(stopped).toEqual(Array.from({ length: 3 }, () => [204, "AbortError", "42"]));
  expect(restarted).toBe(200);
}, 240_000);
