import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newNotebook, requireNotebook } from "../../../kernel/lib/commands/notebookFile";

const folder = mkdtempSync(join(tmpdir(), "lutnn-notebook-file-"));
const written = (name: string, content: unknown) => {
  writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  return name;
};

describe("a notebook that is to be run or opened", () => {
  it.each([
    ["of today", { nbformat: 4, nbformat_minor: 5, cells: [] }],
    ["with sheets in the place of cells, as Jupyter had them first", { nbformat: 3, worksheets: [] }],
  ])("is one %s", (name, content) => {
    expect(requireNotebook("run", written(`${name}.ipynb`, content), folder)).toBe(
      join(folder, `${name}.ipynb`),
    );
  });

  it.each<[unknown, string]>([
    [{ nbformat: 2, cells: [] }, "its nbformat is 2"],
    [{ nbformat: 5, cells: [] }, "its nbformat is 5"],
    [{ nbformat: "4", cells: [] }, 'its nbformat is "4"'],
    [{ nbformat: 4 }, "it has no cells"],
    [{ cells: [] }, "it has no nbformat"],
    [null, "it has no nbformat"],
    ["4", "it has no nbformat"],
    ["{", "it is not JSON"],
  ])("is not %j: %s", (content, fault) => {
    const name = written("wrong.ipynb", content);
    expect(() => requireNotebook("run", name, folder)).toThrow(
      `run: the file must be a Jupyter notebook, JSON with nbformat and cells (got wrong.ipynb: ${fault})`,
    );
  });

  it("must be there, and no folder", () => {
    expect(() => requireNotebook("lab", "none.ipynb", folder)).toThrow(
      "lab: the notebook none.ipynb must exist (it does not)",
    );
    expect(() => requireNotebook("lab", ".", folder)).toThrow("must be a file (got the folder .)");
  });
});

describe("a new notebook", () => {
  it("is one cell of this kernel, that any Jupyter takes", () => {
    const path = join(folder, "new.ipynb");
    writeFileSync(path, newNotebook("lab", "new.ipynb", path));
    expect(requireNotebook("lab", "new.ipynb", folder)).toBe(path);
    expect(JSON.parse(newNotebook("lab", "new.ipynb", path))).toMatchObject({
      metadata: { kernelspec: { name: "lutnn", language: "typescript" } },
      cells: [{ cell_type: "code", source: [] }],
    });
  });
});
