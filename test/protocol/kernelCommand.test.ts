// `lutnn kernel install | list | remove`, as a user types it, in an environment made for the test.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const program = (folder: string, name: string) =>
  process.platform === "win32" ? join(folder, "Scripts", `${name}.exe`) : join(folder, "bin", name);
const venvPython = program(join(root, ".venv"), "python");

const home = mkdtempSync(join(tmpdir(), "lutnn-home-"));
const environment = join(home, "environment");
const python = program(environment, "python");
const env = {
  PATH: process.env.PATH,
  HOME: home,
  JUPYTER_DATA_DIR: join(home, "data"),
  JUPYTER_PATH: join(home, "prefix/share/jupyter"),
};

function run(command: string, args: string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", env });
  return { status, stdout, stderr };
}
const lutnn = (...args: string[]) =>
  run(process.execPath, [join(root, "kernel/bin/lutnn.js"), "kernel", ...args]);
const listed = (...args: string[]) =>
  JSON.parse(lutnn("list", "--json", ...args).stdout)
    .map(({ folder }: { folder: string }) => folder)
    .filter((folder: string) => folder.startsWith(home));

beforeAll(() => {
  expect(run(venvPython, ["-m", "venv", "--without-pip", environment])).toMatchObject({ status: 0 });
});

describe("lutnn kernel", () => {
  test("is installed for the user, listed by us and by Jupyter, and removed", () => {
    const folder = join(home, "data/kernels/for-me");
    expect(lutnn("install", "--name", "for-me")).toMatchObject({
      status: 0,
      stdout: `kernelspec: ${folder}\n`,
    });
    const spec = JSON.parse(readFileSync(join(folder, "kernel.json"), "utf8"));
    expect(spec).toMatchObject({
      argv: [process.execPath, join(root, "kernel/bin/lutnn.js"), "kernel", "{connection_file}"],
      display_name: "TypeScript (LUT-NN)",
      language: "typescript",
      interrupt_mode: "message",
      metadata: { debugger: false },
    });
    const known = JSON.parse(run(venvPython, ["-m", "jupyter", "kernelspec", "list", "--json"]).stdout);
    expect(known.kernelspecs["for-me"].resource_dir).toBe(folder);
    expect(readFileSync(join(folder, "logo-svg.svg"), "utf8")).toContain("<svg");
    expect(listed()).toEqual([folder]);
    expect(lutnn("list").stdout).toMatch(/for-me +TypeScript \(LUT-NN\) +ready/);
    expect(lutnn("remove", "for-me", "--user")).toMatchObject({ status: 0, stdout: `removed: ${folder}\n` });
    expect(existsSync(folder)).toBe(false);
    expect(lutnn("remove", "for-me")).toMatchObject({ status: 2 });
  });

  test("is installed into a Python environment, where papermill learns its parameters", () => {
    const folder = join(environment, "share/jupyter/kernels/lutnn");
    const engines = () =>
      run(python, [
        "-c",
        "from importlib.metadata import entry_points; print([e.value for e in entry_points(group='papermill.engine')])",
      ]).stdout.trim();
    expect(engines()).toBe("[]");
    expect(lutnn("install", "--sys-prefix", "--python", python).stdout).toContain(`kernelspec: ${folder}\n`);
    expect(engines()).toBe("['lutnn_papermill:LutnnEngine']");
    expect(listed("--python", python)).toEqual([folder]);
    expect(lutnn("remove", "--sys-prefix", "--python", python).stdout).toContain(`removed: ${folder}\n`);
    expect(engines()).toBe("[]");
    expect(existsSync(folder)).toBe(false);
  });

  test("is installed below a prefix, under another name, and leaves other kernels alone", () => {
    const prefix = join(home, "prefix");
    const folder = join(prefix, "share/jupyter/kernels/mine");
    expect(lutnn("install", "--prefix", prefix, "--name", "mine", "--display-name", "Mine")).toMatchObject({
      status: 0,
      stdout: `kernelspec: ${folder}\n`,
    });
    const foreign = join(prefix, "share/jupyter/kernels/other");
    mkdirSync(foreign);
    writeFileSync(
      join(foreign, "kernel.json"),
      '{"argv":["python","-m","x"],"display_name":"X","language":"x"}',
    );
    expect(listed()).toEqual([folder]);
    expect(lutnn("remove", "other")).toMatchObject({ status: 2 });
    expect(existsSync(foreign)).toBe(true);
    expect(lutnn("remove", "mine").stdout).toBe(`removed: ${folder}\n`);
    expect(existsSync(folder)).toBe(false);
  });

  test("says what is wrong with a name, a place and a Python", () => {
    expect(lutnn("install", "--name", "A B").stderr).toContain(
      'the name may consist of a-z, 0-9, ".", "-" and "_" (got "A B")',
    );
    expect(lutnn("install", "--user", "--prefix", home).stderr).toContain("cannot be used with");
    expect(lutnn("install", "--sys-prefix", "--python", "no-such-python").stderr).toContain(
      "--sys-prefix needs a working Python (got no-such-python)",
    );
    expect(lutnn("install", "--python", "python3").stderr).toContain(
      "--python names the environment of --sys-prefix, which is not there",
    );
    expect(lutnn("remove", "--python", "no-such-python").stderr).toContain(
      "kernel remove: --python needs a working Python (got no-such-python)",
    );
    expect(existsSync(join(home, "data/kernels"))).toBe(true);
    expect(listed()).toEqual([]);
  });

  test("of a Python package is listed as such, and left to it", () => {
    const folder = join(home, "data/kernels/lutnn");
    lutnn("install");
    const file = join(folder, "kernel.json");
    const spec = JSON.parse(readFileSync(file, "utf8"));
    const argv = ["python", "-m", "lutnn_kernel", "{connection_file}"];
    writeFileSync(file, JSON.stringify({ ...spec, argv }));
    expect(lutnn("list").stdout).toMatch(/lutnn +TypeScript \(LUT-NN\) +of the Python package: /);
    const { status, stderr } = lutnn("remove", "--user");
    expect([status, stderr]).toEqual([1, expect.stringContaining("pip uninstall lutnn")]);
    expect(existsSync(file)).toBe(true);
    rmSync(folder, { recursive: true });
  });

  test("that has lost its Node.js is listed as broken", () => {
    const folder = join(home, "data/kernels/lutnn");
    lutnn("install");
    const file = join(folder, "kernel.json");
    const spec = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ ...spec, argv: ["/gone/node", ...spec.argv.slice(1)] }));
    expect(lutnn("list").stdout).toContain("broken: its Node.js or its package is gone");
    lutnn("remove", "--user");
  });
});
