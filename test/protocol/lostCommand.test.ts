// A conversion's command whose code is stopped from outside, as code is that does not see an interrupt.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Kernel } from "./kernelClient";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await Kernel.start();
  await kernel.evaluate(
    `import * as lutnn from "lutnn";
     const model = lutnn.models.smallCnn({ inputShape: [8, 8, 1], numClasses: 10, width: 4 });
     const conversion = lutnn.convert(model);
     const { comms } = Reflect.get(globalThis, Symbol.for("lutnn.host"));
     conversion.pending.length`,
  );
});
afterAll(() => kernel.stop());

test.each([
  ["while its cell waits", "await"],
  ["while no cell runs", "void"],
])("leaves the queue, %s, and the next one runs", async (_, keyword) => {
  const depth = "String(lutnn.tf.engine().state.scopeStack.length)";
  const before = await kernel.evaluate(depth);
  const begin = kernel.published.length;
  const printed = (text: string) =>
    kernel.until(() =>
      kernel.published.slice(begin).some(({ content }) => String(content.text ?? "").includes(text)),
    );
  const cell = await kernel.startCell(
    `{ const go = new Promise<void>((resolve) => comms.register("go", () => resolve()));
       const stuck = conversion.enqueue("stuck", async () => {
         await go; console.log("spinning"); lutnn.tf.tidy(() => { for (;;); });
       });
       stuck.catch((error) => console.log(error.message));
       console.log("begun");
       ${keyword} stuck; }`,
  );
  await cell.printed("begun");
  if (keyword === "void") await cell.done();
  await kernel.send("shell", "comm_open", { comm_id: keyword, target_name: "go", data: {} });
  await printed("spinning");
  await kernel.request("control", "interrupt_request");
  await printed("stuck: the command was stopped in the middle of a computation");
  await cell.done();
  expect(await kernel.evaluate(`${depth} + conversion.pending.length`)).toBe(`${before.slice(0, -1)}0'`);
  expect(await kernel.evaluate("await conversion.undo()")).toContain("there is no state to go to");
});
