import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { installKernelspec, listKernelspecs, removeKernelspec } from "../../kernel/lib/jupyter/kernelspec";
import { installPapermillTranslator, pythonFolder } from "../../kernel/lib/jupyter/papermill";
import "./kernelClient";

const root = fileURLToPath(new URL("../../", import.meta.url));
const python = join(root, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const run = promisify(execFile);

/** Calls a function of tools.py in an empty folder. */
async function tool(name: string, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "lutnn-tools-"));
  installKernelspec({ prefix: folder });
  const { stdout } = await run(python, [join(root, "test/protocol/tools.py"), name], {
    cwd: folder,
    env: { ...process.env, JUPYTER_PATH: join(folder, "share/jupyter"), LUTNN_HISTORY: "", ...env },
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
}, 180_000);

test("papermill puts parameters into a notebook", async () => {
  const { inspected, printed } = await tool("papermill", { PYTHONPATH: pythonFolder });
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
}, 120_000);

test("jupyter console evaluates, reports errors and interrupts", async () => {
  expect(await tool("console")).toHaveLength(4);
}, 180_000);

test("a crash is seen by the client, and a restart gives a working kernel", async () => {
  expect(await tool("restart")).toEqual({ restarted: [true], different: 3, works: ["2"] });
}, 180_000);

test("the stop button of JupyterLab stops every kind of loop, the restart button restarts", async () => {
  const { stopped, restarted } = await tool("server");
  expect(stopped).toEqual(Array.from({ length: 3 }, () => [204, "AbortError", "42"]));
  expect(restarted).toBe(200);
}, 180_000);

test("a kernelspec is installed, listed by us and by Jupyter, and removed", async () => {
  const prefix = mkdtempSync(join(tmpdir(), "lutnn-spec-"));
  const before = process.env.JUPYTER_PATH;
  process.env.JUPYTER_PATH = join(prefix, "share", "jupyter");
  try {
    const folder = installKernelspec({ prefix }, "lutnn-test", "Mine");
    expect(folder).toBe(join(prefix, "share/jupyter/kernels/lutnn-test"));
    const spec = JSON.parse(readFileSync(join(folder, "kernel.json"), "utf8"));
    expect(spec).toMatchObject({ display_name: "Mine", language: "typescript", interrupt_mode: "message" });
    expect(listKernelspecs()).toContainEqual({ name: "lutnn-test", folder, spec });
    const { stdout } = await run(python, ["-m", "jupyter", "kernelspec", "list", "--json"]);
    expect(JSON.parse(stdout).kernelspecs["lutnn-test"].spec.display_name).toBe("Mine");

    const foreign = join(prefix, "share/jupyter/kernels/other");
    mkdirSync(foreign, { recursive: true });
    writeFileSync(
      join(foreign, "kernel.json"),
      '{"argv":["python","-m","x"],"display_name":"X","language":"x"}',
    );
    expect(removeKernelspec("other")).toEqual([]);
    expect(existsSync(foreign)).toBe(true);
    expect(removeKernelspec("lutnn-test")).toEqual([folder]);
    expect(existsSync(folder)).toBe(false);
    expect(() => installKernelspec({ prefix }, "A B")).toThrow(
      'the name may consist of a-z, 0-9, ".", "-" and "_"',
    );
  } finally {
    if (before === undefined) delete process.env.JUPYTER_PATH;
    else process.env.JUPYTER_PATH = before;
  }
});

test("a Python that does not work is named when the translator cannot be installed", () => {
  expect(() => installPapermillTranslator("no-such-python")).toThrow(
    "a working Python is needed (got no-such-python",
  );
});
