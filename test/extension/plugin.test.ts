import { expect, it, vi } from "vitest";

// They need a browser; what is tested is who may draw.
vi.mock("@jupyterlab/rendermime", () => ({ IRenderMimeRegistry: {} }));
vi.mock("../../extension/src/panel/lab/panelPlugin", () => ({ default: {} }));
vi.mock("../../extension/src/lazyRenderer", () => ({}));

const { contentOf } = await import("../../extension/src/cleanNotebooks");
const {
  default: [plugin],
} = await import("../../extension/src/index");

function activateBeside(present: object | undefined) {
  const registry = { getFactory: vi.fn(() => present), addFactory: vi.fn() };
  plugin.activate({} as never, registry);
  return registry.addFactory;
}

it("plotly figures are drawn before their text/html fallback, which has rank 50", () => {
  const addFactory = activateBeside(undefined);
  expect(addFactory).toHaveBeenCalledOnce();
  const [factory, rank] = addFactory.mock.calls[0] as unknown[];
  expect(factory).toMatchObject({ safe: true, mimeTypes: ["application/vnd.plotly.v1+json"] });
  expect(rank).toBeLessThan(50);
});

it("plotly figures are left to another extension that draws them", () => {
  expect(activateBeside({})).not.toHaveBeenCalled();
});

it("a notebook's content is all but what its kernel says of itself", () => {
  const kernelspec = { name: "lutnn", display_name: "TypeScript (LUT-NN)", language: "typescript" };
  const notebook = (metadata: object, cells: string[] = ["a"]) => contentOf({ cells, metadata, nbformat: 4 });
  const opened = notebook({ kernelspec, language_info: { name: "typescript" } });
  expect(opened).not.toBeNull();
  const told = { name: "typescript", version: "5.9.3", pygments_lexer: "typescript" };
  expect(notebook({ kernelspec: { ...kernelspec, display_name: "renamed" }, language_info: told })).toBe(
    opened,
  );
  expect(notebook({ kernelspec, language_info: told }, ["b"])).not.toBe(opened);
  expect(notebook({ kernelspec, language_info: told, title: "x" })).not.toBe(opened);
  expect(notebook({ kernelspec: { ...kernelspec, name: "other" } })).not.toBe(opened);
  expect(notebook({ kernelspec: { name: "python3", language: "python" } })).toBeNull();
});
