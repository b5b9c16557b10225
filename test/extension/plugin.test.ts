import { Signal } from "@lumino/signaling";
import { expect, it, vi } from "vitest";

// They need a browser; what is tested is who may draw.
vi.mock("@jupyterlab/rendermime", () => ({ IRenderMimeRegistry: {} }));
vi.mock("../../extension/src/panel/lab/panelPlugin", () => ({ default: {} }));
vi.mock("../../extension/src/lazyRenderer", () => ({}));

const { contentOf, default: cleaning } = await import("../../extension/src/cleanNotebooks");
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

/** What the plugin uses of an opened notebook: its content, and the mark that it differs from its file. */
class FakeNotebook {
  readonly stateChanged = new Signal<this, { name: string; newValue: unknown }>(this);
  #isDirty = false;
  content: object = { cells: ["a"], metadata: { kernelspec: { name: "lutnn", language: "typescript" } } };
  get dirty() {
    return this.#isDirty;
  }
  set dirty(newValue: boolean) {
    if (newValue === this.#isDirty) return;
    this.#isDirty = newValue;
    this.stateChanged.emit({ name: "dirty", newValue });
  }
  toJSON = () => this.content;
  change(content: object) {
    this.content = { ...this.content, ...content };
    this.dirty = true;
  }
}

async function opened(notebook: FakeNotebook) {
  const addWidgetExtension = vi.fn();
  cleaning.activate({ docRegistry: { addWidgetExtension } } as never);
  const [kind, extension] = addWidgetExtension.mock.calls[0];
  expect(kind).toBe("Notebook");
  const ready = Promise.resolve();
  extension.createNew({}, { ready, model: notebook });
  await ready;
  return notebook;
}

const described = (version: string) => ({
  metadata: {
    kernelspec: { name: "lutnn", language: "typescript" },
    language_info: { name: "typescript", version },
  },
});

it("a notebook that is only read stays unchanged, whatever its kernel says of itself", async () => {
  const notebook = await opened(new FakeNotebook());
  notebook.change(described("5.9.3"));
  expect(notebook.dirty).toBe(false);
  notebook.change({ cells: ["b"] });
  expect(notebook.dirty).toBe(true);
  notebook.dirty = false; // it is saved
  notebook.change(described("6.0.0"));
  expect(notebook.dirty).toBe(false);
  notebook.stateChanged.emit({ name: "trusted", newValue: false });
  notebook.change({ cells: ["a"] });
  expect(notebook.dirty).toBe(true);
});

it("a notebook that was changed when it was opened keeps its mark until it is saved", async () => {
  const notebook = new FakeNotebook();
  notebook.dirty = true;
  await opened(notebook);
  notebook.stateChanged.emit({ name: "dirty", newValue: true });
  expect(notebook.dirty).toBe(true);
  notebook.dirty = false;
  notebook.change(described("5.9.3"));
  expect(notebook.dirty).toBe(false);
});

it("a notebook of another language is left alone", async () => {
  const notebook = new FakeNotebook();
  notebook.content = { cells: ["a"], metadata: { kernelspec: { name: "python3", language: "python" } } };
  await opened(notebook);
  notebook.change({});
  expect(notebook.dirty).toBe(true);
});
