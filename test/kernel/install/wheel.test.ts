// `npm run wheel`: what a user of pip gets, in an environment made for the test. Nothing is fetched: JupyterLab and all else of
// Python's is that of .venv, by a .pth file, and the extension is the one that the set-up has built.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const windows = process.platform === "win32";
const pythonOf = (environment: string) => join(environment, windows ? "Scripts/python.exe" : "bin/python");
const ofCheckout = pythonOf(join(root, ".venv"));
const { version } = JSON.parse(readFileSync(join(root, "extension/package.json"), "utf8"));

const home = mkdtempSync(join(tmpdir(), "lutnn-wheel-test-"));
const environment = join(home, "environment");
const python = pythonOf(environment);
const run = promisify(execFile);
const nodeFolder = dirname(process.execPath);

/** Runs a program of the new environment; nothing of this machine's Jupyter is seen. */
async function inEnvironment(args: string[], { cwd = home, env = {} as NodeJS.ProcessEnv } = {}) {
  const { stdout, stderr } = await run(python, args, {
    cwd,
    env: {
      PATH: [nodeFolder, "/usr/bin", "/bin"].join(delimiter),
      HOME: home,
      JUPYTER_DATA_DIR: join(home, "data"),
      JUPYTER_CONFIG_DIR: join(home, "config"),
      JUPYTER_RUNTIME_DIR: join(home, "runtime"),
      IPYTHONDIR: join(home, "ipython"),
      LUTNN_HISTORY: "",
      ...env,
    },
    maxBuffer: 1 << 26,
  });
  return { stdout, both: stdout + stderr };
}

/** Starts the installed kernel for a notebook in `folder` and runs a cell; what it showed, as JSON. */
async function cell(code: string, folder: string, env?: NodeJS.ProcessEnv) {
  const script = `
import json
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="lutnn", startup_timeout=60, cwd=${JSON.stringify(folder)})
shown = []
reply = client.execute_interactive(${JSON.stringify(code)}, timeout=60, output_hook=lambda message: shown.append(
    message["content"].get("evalue") or message["content"].get("data", {}).get("text/plain")))
client.stop_channels()
manager.shutdown_kernel()
print(json.dumps({"status": reply["content"]["status"], "shown": [text for text in shown if text]}))`;
  const { stdout } = await inEnvironment(["-c", script], { env });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

async function build(folder: string): Promise<string> {
  const { stdout } = await run(process.execPath, [
    join(root, "kernel/install/wheel.mjs"),
    join(home, folder),
  ]);
  return stdout.trim();
}

const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
const newFolder = (...parts: string[]) => {
  const folder = join(home, ...parts);
  mkdirSync(folder, { recursive: true });
  return folder;
};

describe("the wheel", () => {
  let wheel: string;

  beforeAll(async () => {
    wheel = await build("first");
    await run(ofCheckout, ["-m", "venv", "--without-pip", environment]);
    const packages = async (of: string) =>
      (await run(of, ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])).stdout.trim();
    writeFileSync(join(await packages(python), "checkout.pth"), `${await packages(ofCheckout)}\n`);
    const pip = ["-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel];
    await run(ofCheckout, [...pip, "--disable-pip-version-check"]);
  });

  test("is one file for every system, the same bytes each time", async () => {
    expect(basename(wheel)).toBe(`lutnn-${version}-py3-none-any.whl`);
    expect(digest(await build("second"))).toBe(digest(wheel));
  });

  test("brings its licence, and those of what the extension is made of", async () => {
    const script = `
import importlib.metadata, json
of = importlib.metadata.distribution("lutnn")
print(json.dumps({"files": [str(file) for file in of.files], "licence": of.metadata["License-Expression"]}))`;
    const { files, licence } = JSON.parse((await inEnvironment(["-c", script])).stdout);
    expect(licence).toBe("Apache-2.0");
    const licenceFile = files.find((file: string) => file.endsWith(".dist-info/licenses/LICENSE"));
    const installed = join(
      environment,
      windows ? "Lib/site-packages" : `lib/${pythonFolder()}/site-packages`,
    );
    expect(digest(join(installed, licenceFile))).toBe(digest(join(root, "LICENSE")));
    expect(files.filter((file: string) => file.endsWith("static/third-party-licenses.json"))).toHaveLength(1);
    expect(files.filter((file: string) => file.includes("stamp"))).toEqual([]);
  });

  test("brings the extension, enabled, and says how it goes away", async () => {
    const { both } = await inEnvironment(["-m", "jupyterlab.labextensions", "list"]);
    expect(both).toMatch(
      new RegExp(`jupyterlab-lutnn v${version.replaceAll(".", "\\.")} .*enabled.*OK.*\\(python, lutnn\\)`),
    );
  });

  test("brings the kernelspec, which names no folder of this machine, and papermill's parameters", async () => {
    const { stdout } = await inEnvironment(["-m", "jupyter_client.kernelspecapp", "list", "--json"]);
    const { spec, resource_dir } = JSON.parse(stdout).kernelspecs.lutnn;
    expect(spec).toMatchObject({
      argv: ["python", "-m", "lutnn_kernel", "{connection_file}"],
      display_name: "TypeScript (LUT-NN)",
      language: "typescript",
      interrupt_mode: "message",
    });
    expect(readFileSync(join(resource_dir, "kernel.json"), "utf8")).not.toContain(root);
    const engines =
      "from papermill.engines import papermill_engines as e; e.register_entry_points(); print(e.get_engine('lutnn').__name__)";
    expect((await inEnvironment(["-c", engines])).stdout.trim()).toBe("LutnnEngine");
  });

  test("starts the kernel of the notebook's project once it is trusted, before the one on PATH", async () => {
    const project = newFolder("project", "node_modules");
    symlinkSync(join(root, "kernel"), join(project, "lutnn"), "junction");
    const notebooks = newFolder("project", "notebooks");
    const bin = newFolder("broken", "bin");
    const broken = join(home, "broken");
    const engines = '"engines": { "node": ">=20.19 <23" }';
    writeFileSync(join(broken, "package.json"), `{ "name": "lutnn", "version": "${version}", ${engines} }`);
    writeFileSync(join(bin, "lutnn"), "", { mode: 0o755 });
    const PATH = [bin, nodeFolder].join(delimiter);
    const notBuilt = `The npm package lutnn is not built (in ${broken}); run npm run setup in its checkout.`;
    // Opening a stranger's notebook starts nothing of what lies beside it.
    expect((await cell("1 + 1", notebooks, { PATH })).shown).toEqual([notBuilt]);
    expect((await cell("1 + 1", notebooks)).shown).toEqual([
      `The npm package lutnn is in ${project}, and opening a notebook does not start what lies beside it; if you trust that project, run: python -m lutnn_kernel trust ${dirname(project)}, and restart the kernel.`,
    ]);
    await expect(inEnvironment(["-m", "lutnn_kernel", "trust", home])).rejects.toThrow(
      /run npm install there/,
    );
    const { stdout } = await inEnvironment(["-m", "lutnn_kernel", "trust", notebooks]);
    expect(stdout.trim()).toBe(`notebooks beside it may start ${join(project, "lutnn")}`);
    expect(await cell("1 + 1", notebooks, { PATH })).toEqual({ status: "ok", shown: ["2"] });
    const { status, shown } = await cell("1 + 1", newFolder("elsewhere"), { PATH });
    expect(status).toBe("error");
    expect(shown).toEqual([notBuilt]);
  });

  test("says that a package's version does not fit the wheel's", async () => {
    const other = newFolder("other");
    writeFileSync(join(other, "package.json"), '{ "name": "lutnn", "version": "7.3.1" }');
    const { status, shown } = await cell("1 + 1", newFolder("named"), { LUTNN_PACKAGE: other });
    expect(status).toBe("error");
    const release = version.split(".").slice(0, 2).join(".");
    expect(shown).toEqual([
      `The npm package lutnn must be of version ${release}, as the JupyterLab extension beside it is (got 7.3.1 in ${other}); install lutnn@${release} with npm, or the Python package lutnn of version 7.3 with pip.`,
    ]);
  });

  test("starts the kernel that LUTNN_PACKAGE names", async () => {
    const { shown } = await cell("[1, 2, 3].length", newFolder("named"), {
      LUTNN_PACKAGE: join(root, "kernel"),
    });
    expect(shown).toEqual(["3"]);
  });

  test("says in each cell what is missing", async () => {
    const { status, shown } = await cell("1 + 1", newFolder("nothing"));
    expect(status).toBe("error");
    expect(shown).toHaveLength(1);
    expect(shown[0]).toContain("needs the npm package lutnn, which is neither in a node_modules of");
  });

  test("knows a package that is none, no Node.js, and a Node.js that does not fit", async () => {
    const folder = newFolder("unfit");
    const script = `
import lutnn_kernel
try:
    print(lutnn_kernel.kernel_command("x"))
except lutnn_kernel.MissingError as missing:
    print(missing)`;
    const sentence = async (env: NodeJS.ProcessEnv) => (await inEnvironment(["-c", script], { env })).stdout;
    expect(await sentence({ LUTNN_PACKAGE: folder })).toContain(
      `LUTNN_PACKAGE must name the folder of the npm package lutnn (got ${folder})`,
    );
    const LUTNN_PACKAGE = join(root, "kernel");
    expect(await sentence({ LUTNN_PACKAGE, PATH: folder })).toContain("there is no node on PATH");
    const node = (version: string) => {
      writeFileSync(join(folder, "node"), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
      return sentence({ LUTNN_PACKAGE, PATH: [folder, "/bin"].join(delimiter) });
    };
    for (const version of ["v18.20.1", "v20.18.9", "v23.0.0", "nonsense"])
      expect(await node(version)).toContain(`needs Node.js >=20.19 <23 (got ${version} at ${folder}`);
    for (const version of ["v20.19.0", "v22.99.0"])
      expect(await node(version)).toContain(
        `['${join(folder, "node")}', '${join(root, "kernel/bin/lutnn.js")}'`,
      );
  });

  function pythonFolder(): string {
    return readdirSync(join(environment, "lib")).find((name) => name.startsWith("python")) ?? "";
  }
});
