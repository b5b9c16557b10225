// A training run in a notebook, stopped again and again: the model stays usable, and the run goes on from where it was.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Kernel } from "./kernelClient";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await Kernel.start();
  await kernel.execute(
    `import * as lutnn from "lutnn";
     const digits = await lutnn.datasets.digits();
     const train = digits.train.take(240);
     const model = lutnn.models.smallCnn({ inputShape: [8, 8, 1], numClasses: 10, width: 4 });
     const run = () => lutnn.fit(model, train, { epochs: 30, batchSize: 16, checkpoint: { folder: "run", everySteps: 5 } });`,
  );
});
afterAll(() => kernel.stop());

/** The step of the newest checkpoint; -1 when there is none. */
function newest(): number {
  try {
    const names = readdirSync(join(kernel.folder, "run"));
    const steps = names.map((name) => Number(/^checkpoint-(\d+)\.safetensors$/.exec(name)?.[1] ?? -1));
    return Math.max(-1, ...steps);
  } catch {
    return -1;
  }
}

test("lutnn.fit that is interrupted leaves the model usable and its checkpoint whole, and goes on from there", async () => {
  const tensors = Number(await kernel.evaluate("lutnn.tf.memory().numTensors"));
  for (const how of ["message", "signal", "message"]) {
    const before = newest();
    const cell = await kernel.startCell('console.log("on"); await run(); console.log("finished");');
    await cell.printed("on");
    await kernel.until(() => newest() > before);
    if (how === "signal") kernel.process.kill("SIGINT");
    else await kernel.request("control", "interrupt_request");
    const { reply, stdout } = await cell.done();
    expect(reply.content).toMatchObject({ status: "error", ename: "AbortError" });
    expect(stdout).not.toContain("finished");
    const { accuracy } = JSON.parse(
      (await kernel.execute("console.log(JSON.stringify(await lutnn.evaluate(model, train)))")).stdout,
    );
    expect(accuracy).toBeGreaterThan(0);
  }
  const { reply, stderr } = await kernel.execute("const history = await run();");
  expect(reply.content.status).toBe("ok");
  // A damaged checkpoint would have been reported.
  expect(stderr).toBe("");
  expect(Number(await kernel.evaluate("(await lutnn.evaluate(model, train)).accuracy"))).toBeGreaterThan(90);
  expect(Number(await kernel.evaluate("lutnn.tf.memory().numTensors"))).toBe(tensors);
});
