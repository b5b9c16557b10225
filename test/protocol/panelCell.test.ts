// "Insert a cell that does this": the code for a state, run in a fresh kernel, makes the same state, bit for bit.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Kernel } from "./kernelClient";
import { PanelClient } from "./panelClient";

const setup = `import * as lutnn from "lutnn";
  import { createHash } from "node:crypto";
  const { train, test } = await lutnn.datasets.digits();
  const some = train.take(200);
  const model = lutnn.models.smallCnn({ inputShape: [8, 8, 1], numClasses: 10, width: 8, seed: 3 });
  await lutnn.fit(model, some, { epochs: 2 });
  const options = { profile: "paper" as const };
  /** Of every number that the network computes with. */
  const digest = (conversion: lutnn.Conversion) => {
    const hash = createHash("sha256");
    for (const weight of conversion.model.getWeights()) {
      hash.update(JSON.stringify(weight.shape));
      hash.update(new Uint8Array((weight.dataSync() as Float32Array).slice().buffer));
    }
    return hash.digest("hex") + JSON.stringify(conversion.layers.rows.map(({ name, state, numCentroids, subvectorLength }) =>
      [name, state, numCentroids, subvectorLength]));
  };`;

let kernel: Kernel;
let panel: PanelClient;
beforeAll(async () => {
  kernel = await Kernel.start();
  await run(setup);
});
afterAll(() => kernel.stop());

/** Runs a cell, which must not fail. */
const run = (code: string, on = kernel) => on.evaluate(code);

const printed = async (on: Kernel, code: string) => {
  const { stdout, reply } = await on.execute(`console.log(${code});`);
  if (reply.content.status !== "ok") throw new Error(reply.content.evalue);
  return stdout.trim();
};

test("the code of every state makes that state again in a fresh kernel", async () => {
  await run(
    `const conversion = lutnn.convert(model, { numCentroids: { conv2: 8 } });
     await conversion.convertAll(some, { epochs: 1, calibrationImages: 100 });
     await conversion.restore("conv2");
     await conversion.undo();
     const plain = lutnn.convert(model, { profile: "paper", task: "classification" });
     await plain.calibrate(train.take(150), { seed: 4 });
     await plain.calibrate(some.skip(20), { method: "leastSquares" });
     await plain.replace("conv2", { method: "kmeans" });`,
  );
  panel = await PanelClient.open(kernel);
  const [conversion, plain] = [await panel.find("conversion"), await panel.find("plain")];
  await panel.watch(conversion);
  const [{ name, choices, subvectorLength }, second] = panel.sections.layers!;
  const length = choices.subvectorLengths.find((one) => one !== subvectorLength)!;
  await panel.command(conversion, {
    verb: "resize",
    layer: name,
    numCentroids: 4,
    subvectorLength: length,
  });
  await panel.command(conversion, { verb: "fineTune", epochs: 1, learningRate: 0.002 });
  await panel.command(conversion, { verb: "restore", layers: [name, second.name] });
  await panel.command(plain, { verb: "replaceUpTo", layer: second.name });
  await panel.command(plain, { verb: "undo" });
  const apply = `await plain.applyPlan({ ${second.name}: { numCentroids: 8, subvectorLength: 9 } }, some);`;
  await run(apply);

  const codes: { code: string; digest: string }[] = [];
  for (const [id, variable] of [
    [conversion, "conversion"],
    [plain, "plain"],
  ]) {
    await panel.watch(id);
    for (const state of panel.sections.history!.states) {
      const cell = await panel.ask(id, { about: "cell", state: state.id });
      if (cell.type !== "cell") throw new Error(JSON.stringify(cell));
      await panel.command(id, { verb: "goTo", state: state.id });
      codes.push({ code: cell.code, digest: await printed(kernel, `digest(${variable})`) });
    }
  }
  expect(codes.length).toBeGreaterThan(10);
  const last = codes[6].code.split("\n");
  expect(last[0]).toBe("const conversionState6 = lutnn.convert(model, { numCentroids: { conv2: 8 } });");
  expect(last[1]).toMatch(
    /^await conversionState6\.calibrate\(some\.take\(100\), \{ method: "leastSquares", /,
  );
  expect(last.at(-1)).toBe("conversionState6;");

  const fresh = await Kernel.start();
  try {
    await run(setup, fresh);
    for (const { code, digest } of codes) {
      await run(code, fresh);
      const [, variable] = /^const (\w+)/.exec(code)!;
      expect(await printed(fresh, `digest(${variable})`), code).toBe(digest);
    }
  } finally {
    await fresh.stop();
  }
});

test("what no variable holds is an error in the place of the code", async () => {
  await run(
    `const lost = lutnn.convert(model);
     await (async () => { await lost.calibrate(new lutnn.datasets.Dataset({ name: "hidden", inputShape: [8, 8, 1], numClasses: 10,
       images: new Float32Array(64 * 40), labels: new Int32Array(40) })); })();
     let data: object | null = train.take(30);
     const renamed = lutnn.convert(model);
     await renamed.calibrate(data as typeof train);
     data = null;`,
  );
  const lost = await panel.find("lost");
  const cell = await panel.ask(lost, { about: "cell", state: 1 });
  expect(cell).toMatchObject({
    type: "failed",
    error: expect.stringMatching(
      /^code: state 1 cannot be written as code: state 1 \(calibrate by least squares\): no variable of the notebook holds the data hidden \(40 examples\); give it a name/,
    ),
  });
  await panel.watch(lost);
  expect(panel.sections.history!.states[1]).toMatchObject({ code: null });
  // The variable holds something else by now, but what it held can be made of another that is still there.
  const renamed = await panel.find("renamed");
  const made = await panel.ask(renamed, { about: "cell", state: 1 });
  expect(made).toMatchObject({ type: "cell", code: expect.stringContaining("calibrate(train.take(30), {") });
});

test("the code of a conversion that was opened begins with the folder", async () => {
  await run(
    `await conversion.goTo(3); await conversion.store("work");
     const opened = await lutnn.openConversion("work");
     await opened.calibrate(some, { method: "kmeans" });`,
  );
  const opened = await panel.find("opened");
  await panel.watch(opened);
  const { current, states } = panel.sections.history!;
  const cell = await panel.ask(opened, { about: "cell", state: current });
  if (cell.type !== "cell") throw new Error(JSON.stringify(cell));
  const name = `openedState${current}`;
  expect(cell.code).toBe(
    [
      `const ${name} = await lutnn.openConversion("work");`,
      `await ${name}.goTo(3);`,
      `await ${name}.calibrate(some, { method: "kmeans", seed: 0 });`,
      `${name};`,
    ].join("\n"),
  );
  // What made the states before is told as it was noted.
  expect(states[1].code).toMatch(/^opened\.calibrate\(some\.take\(100\)/);
  await run(cell.code);
  expect(await printed(kernel, `digest(${name})`)).toBe(await printed(kernel, "digest(opened)"));
});
