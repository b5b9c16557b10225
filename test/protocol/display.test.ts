import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { find, Kernel, typesOf } from "./kernelClient";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await Kernel.start();
  await kernel.execute('const host = Reflect.get(globalThis, Symbol.for("lutnn.host"));');
});
afterAll(() => kernel.stop());

test("an object with a Jupyter.display method shows itself", async () => {
  const { published } = await kernel.execute(
    '({ [Symbol.for("Jupyter.display")]: () => ({ "text/html": "<b>x</b>", "text/plain": "x" }) })',
  );
  expect(find(published, "execute_result")?.content.data).toEqual({
    "text/html": "<b>x</b>",
    "text/plain": "x",
  });
});

test("a Jupyter.display method may be asynchronous", async () => {
  const { published } = await kernel.execute(
    '({ async [Symbol.for("Jupyter.display")]() { return { "text/plain": "later" }; } })',
  );
  expect(find(published, "execute_result")?.content.data).toEqual({ "text/plain": "later" });
});

test("a display is shown, updated in place and cleared, in the cell's order", async () => {
  const { published } = await kernel.execute(
    `host.display({ "text/plain": "1" }, { displayId: "d" });
     console.log("between");
     host.display({ "text/plain": "2" }, { displayId: "d", update: true, metadata: { m: 1 } });
     host.clearOutput(true);`,
  );
  const outputs = published.slice(2, -1);
  expect(typesOf(outputs)).toEqual(["display_data", "stream", "update_display_data", "clear_output"]);
  expect(outputs[0].content).toEqual({
    data: { "text/plain": "1" },
    metadata: {},
    transient: { display_id: "d" },
  });
  expect(outputs[2].content).toEqual({
    data: { "text/plain": "2" },
    metadata: { m: 1 },
    transient: { display_id: "d" },
  });
  expect(outputs[3].content).toEqual({ wait: true });
});

test("tslab's own display works, and an update goes to the display that it made", async () => {
  const { published } = await kernel.execute(
    `import * as tslab from "tslab";
     tslab.display.html("<i>x</i>");
     const place = tslab.newDisplay();
     place.text("1");
     place.png(new Uint8Array([1, 2, 3]));`,
  );
  const outputs = published.slice(2, -1);
  expect(typesOf(outputs)).toEqual(["display_data", "display_data", "update_display_data"]);
  expect(outputs[0].content.data).toEqual({ "text/html": "<i>x</i>" });
  expect(outputs[2].content.data).toEqual({ "image/png": "AQID" });
  expect(outputs[2].content.transient.display_id).toBe(outputs[1].content.transient.display_id);
});

describe("the library's", () => {
  beforeAll(async () => {
    await kernel.execute('import * as lutnn from "lutnn";');
  });

  test("display shows a value in its natural way, and updates it in place", async () => {
    const { published } = await kernel.execute(
      'const shown = lutnn.display([{ a: 1 }]); shown.update(new Error("x")); shown',
    );
    const outputs = published.slice(2, -1);
    expect(typesOf(outputs)).toEqual(["display_data", "update_display_data"]);
    expect(Object.keys(outputs[0].content.data)).toEqual(["text/html", "text/plain"]);
    expect(outputs[1].content.data["text/plain"]).toContain("Error: x");
    expect(outputs[1].content.transient).toEqual(outputs[0].content.transient);
  });

  test("clearOutput clears, now or once there is something new", async () => {
    const { published } = await kernel.execute("lutnn.clearOutput(); lutnn.clearOutput({ wait: true });");
    expect(published.slice(2, -1).map(({ content }) => content)).toEqual([{ wait: false }, { wait: true }]);
  });

  test("progress is one bar, redrawn in place a few times a second", async () => {
    const { published } = await kernel.execute(
      `for (const step of lutnn.progress([1, 2, 3, 4, 5, 6], { label: "steps" }))
         for (const until = Date.now() + 150; Date.now() < until; );`,
    );
    const outputs = published.slice(2, -1);
    const [first, ...others] = typesOf(outputs);
    expect(first).toBe("display_data");
    expect(new Set(others)).toEqual(new Set(["update_display_data"]));
    expect(new Set(outputs.map(({ content }) => content.transient.display_id)).size).toBe(1);
    expect(outputs.length).toBeLessThanOrEqual(7);
    expect(outputs.at(-1)?.content.data["text/plain"]).toMatch(/^steps █{24} 100 % · .*\/s · took /);
    expect(outputs.at(-1)?.content.data["text/html"]).toContain('<progress max="1" value="1.0000">');
  });
});
