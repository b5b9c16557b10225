import { expect, it, vi } from "vitest";

// Both need a browser; what is tested is who may draw.
vi.mock("@jupyterlab/rendermime", () => ({ IRenderMimeRegistry: {} }));
vi.mock("../../extension/src/plotlyRenderer", () => ({ PLOTLY_MIME: "application/vnd.plotly.v1+json" }));

const { default: plugin } = await import("../../extension/src/index");

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
