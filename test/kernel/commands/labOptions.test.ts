// What JupyterLab is told by `lutnn lab`, as JupyterLab itself shows it (--show-config-json ends before anything is served).
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const checkout = join(import.meta.dirname, "../../..");
const program = join(checkout, "kernel/bin/lutnn.js");
const folder = realpathSync(mkdtempSync(join(tmpdir(), "lutnn-lab-")));
mkdirSync(join(folder, "home"));
afterAll(() => rmSync(folder, { recursive: true }));
const isRoot = process.getuid?.() === 0;

function lab(...words: string[]) {
  return spawnSync(process.execPath, [program, "lab", ...words], {
    encoding: "utf8",
    cwd: folder,
    env: { ...process.env, JUPYTER_CONFIG_DIR: join(folder, "home"), npm_lifecycle_event: "" },
  });
}

function shown(...words: string[]) {
  const { stdout, stderr, status } = lab(...words, "--show-config-json");
  expect(status, stderr).toBe(0);
  const { ServerApp, LabApp } = JSON.parse(stdout.slice(stdout.indexOf("{")));
  return {
    root: ServerApp.root_dir,
    url: LabApp.default_url ?? null,
    asRoot: ServerApp.allow_root ?? false,
    stderr,
  };
}

describe.skipIf(!existsSync(join(checkout, ".venv")))("lutnn lab", () => {
  it("serves the checkout for what lies in it, and tells a root that it answers to this machine alone", () => {
    const { stderr, ...options } = shown(join(checkout, "notebooks"));
    expect(options).toEqual({ root: checkout, url: "/lab/tree/notebooks", asRoot: isRoot });
    expect(
      stderr.includes("you are root, so JupyterLab gets --allow-root; it answers to this machine only"),
    ).toBe(isRoot);
  });

  it("opens the first notebook where nothing is named", () => {
    const { root, url } = shown();
    expect({ root, url }).toEqual({
      root: checkout,
      url: "/lab/tree/notebooks/01-first-lookup-network.ipynb",
    });
  });

  it("makes a notebook that is missing and serves its folder, by an address of any name", () => {
    const { root, url } = shown("new #1 ü.ipynb");
    expect({ root, url }).toEqual({ root: folder, url: "/lab/tree/new%20%231%20%C3%BC.ipynb" });
    const made = readFileSync(join(folder, "new #1 ü.ipynb"), "utf8");
    expect(JSON.parse(made)).toMatchObject({
      nbformat: 4,
      metadata: { kernelspec: { language: "typescript" } },
    });
  });

  it("leaves folder, page and rights to who names them", () => {
    const options = shown(`--ServerApp.root_dir=${folder}`, "--LabApp.default_url=/lab", "--allow-root");
    expect(options).toMatchObject({ root: folder, url: "/lab", asRoot: true });
    expect(options.stderr).not.toContain("you are root");
  });

  it.runIf(isRoot).each(["--ip=0.0.0.0", "--ServerApp.ip=*"])(
    "is not started by root where other machines reach it: %s",
    (option) => {
      const { status, stderr } = lab(option);
      expect({ status, stderr }).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(
          /^lutnn lab: JupyterLab must not run as root where other machines reach it/,
        ),
      });
    },
  );
});
