import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { jupyterPlaces } from "../../../kernel/lib/commands/jupyterPlaces.js";
import { labArguments } from "../../../kernel/lib/commands/labArguments.js";
import { claimWorkspace } from "../../../kernel/lib/commands/workspace.js";

const folder = mkdtempSync(join(tmpdir(), "lutnn-workspaces-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the words after lutnn lab", () => {
  it.each<[string[], string | undefined, string[]]>([
    [[], undefined, []],
    [["a.ipynb"], "a.ipynb", []],
    [["--no-browser", "--port", "8899", "a.ipynb"], "a.ipynb", ["--no-browser", "--port", "8899"]],
    [["a.ipynb", "--port=8899", "--no-browser"], "a.ipynb", ["--port=8899", "--no-browser"]],
    [["--no-browser", "folder"], "folder", ["--no-browser"]],
    [["--ServerApp.token", "secret", "--", "a.ipynb"], "a.ipynb", ["--ServerApp.token", "secret"]],
    [["--debug", "a.ipynb", "--ip", "127.0.0.1"], "a.ipynb", ["--debug", "--ip", "127.0.0.1"]],
  ])("are what to open, and JupyterLab's options: %j", (words, subject, options) => {
    expect(labArguments(words)).toEqual({ subject, options });
  });
});

describe("a lab's workspace", () => {
  it("is another one for a lab beside a running one, and the same again after its end", () => {
    const first = claimWorkspace(folder, "/notebooks");
    const second = claimWorkspace(folder, "/notebooks");
    const elsewhere = claimWorkspace(folder, "/other");
    expect(new Set([first.folder, second.folder, elsewhere.folder]).size).toBe(3);
    first.release();
    expect(claimWorkspace(folder, "/notebooks").folder).toBe(first.folder);
    second.release();
    elsewhere.release();
    expect(readdirSync(folder)).toHaveLength(3);
  });

  it("is taken over from a lab that ended without a word", () => {
    const { folder: left } = claimWorkspace(folder, "/crashed");
    writeFileSync(join(left, "owner.pid"), "999999999");
    expect(claimWorkspace(folder, "/crashed").folder).toBe(left);
  });
});

describe("what is written outside the checkout", () => {
  it("stays where Jupyter has it, unless a variable moves it", () => {
    expect(jupyterPlaces({})).toEqual({});
    expect(jupyterPlaces({ XDG_CONFIG_HOME: "/c" })).toEqual({
      JUPYTER_CONFIG_DIR: join("/c", "jupyter"),
      IPYTHONDIR: join("/c", "ipython"),
    });
  });

  it("goes below LUTNN_DATA as a whole, but for what has a place of its own", () => {
    expect(jupyterPlaces({ LUTNN_DATA: "/d", XDG_CONFIG_HOME: "/c", JUPYTER_DATA_DIR: "/own" })).toEqual({
      JUPYTER_CONFIG_DIR: join("/d", "jupyter", "config"),
      JUPYTER_RUNTIME_DIR: join("/d", "jupyter", "runtime"),
      IPYTHONDIR: join("/d", "ipython"),
      LUTNN_CACHE: join("/d", "cache"),
    });
  });
});
