import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Conversion, convert, LutnnError, openConversion, profiles, tf } from "lutnn";
import { beforeAll, describe, expect, it } from "vitest";
import { tinyData, tinyNetwork } from "../network";

const train = tinyData(120);
const test = tinyData(30, 1);

let model: tf.LayersModel;
beforeAll(() => {
  model = tinyNetwork(3);
});

const outputs = ({ model }: Pick<Conversion, "model">): Float32Array =>
  tf.tidy(() =>
    Float32Array.from((model.predict(tf.tensor4d(test.images, [30, 6, 6, 2])) as tf.Tensor).dataSync()),
  );
const row = (conversion: Conversion, name: string) =>
  conversion.layers.rows.find((one) => one.name === name)!;

describe("resize", () => {
  it("gives a dense layer other sizes, which the next calibration learns", async () => {
    const conversion = convert(model);
    const before = row(conversion, "c2");
    const outcome = await conversion.resize("c2", { numCentroids: 8, subvectorLength: 18 });
    expect(outcome.sentence).toMatch(/^c2 has K = 8, V = 18 and is not calibrated; 0 of \d layers replaced$/);
    expect(row(conversion, "c2")).toMatchObject({ numCentroids: 8, subvectorLength: 18, numCodebooks: 4 });
    await conversion.calibrate(train);
    await conversion.replaceAll();
    const direct = convert(model, { numCentroids: { c2: 8 }, subvectorLength: { c2: 18 } });
    await direct.calibrate(train);
    await direct.replaceAll();
    expect(outputs(conversion)).toEqual(outputs(direct));
    await conversion.goTo(0);
    expect(row(conversion, "c2")).toEqual(before);
    await direct.restoreAll();
  });

  it("calibrates a replaced layer anew, from the data that were given last, as by hand", async () => {
    const conversion = convert(model);
    await conversion.calibrate(train, { method: "kmeans" });
    await conversion.replaceAll();
    await conversion.fineTune(train, { epochs: 1 });
    const { current } = conversion.states;
    const outcome = await conversion.resize("c3", { numCentroids: 4 });
    expect(outcome.sentence).toContain("was calibrated anew by k-means on 120 examples of tiny");
    const resized = outputs(conversion);
    expect(row(conversion, "c3")).toMatchObject({ state: "replaced", numCentroids: 4 });
    await conversion.goTo(current);
    await conversion.restore("c3");
    await conversion.resize("c3", { numCentroids: 4 });
    expect(row(conversion, "c3").state).toBe("dense");
    await conversion.calibrate(train, { method: "kmeans", layers: ["c3"] });
    await conversion.replace("c3");
    expect(outputs(conversion)).toEqual(resized);
    await conversion.restoreAll();
  });

  it("leaves a layer dense, and says so, where no data are known", async () => {
    const conversion = convert(model);
    await conversion.calibrate(train);
    await conversion.replaceAll();
    const folder = join(mkdtempSync(join(tmpdir(), "lutnn-resize-")), "work");
    await conversion.store(folder);
    expect(JSON.parse(readFileSync(join(folder, "conversion.json"), "utf8")).version).toBe(2);
    const opened = await openConversion(folder);
    const outcome = await opened.resize("c2", { numCentroids: 4 });
    expect(outcome.sentence).toContain("is dense, since no data to calibrate from are known");
    expect(row(opened, "c2").state).toBe("dense");
    // Sizes that were changed are kept, under a number that older releases do not open.
    await opened.store(folder);
    expect(JSON.parse(readFileSync(join(folder, "conversion.json"), "utf8")).version).toBe(3);
    const again = await openConversion(folder);
    expect(row(again, "c2")).toEqual(row(opened, "c2"));
    expect(outputs(again)).toEqual(outputs(opened));
    await again.undo();
    expect(outputs(again)).toEqual(outputs(conversion));
    for (const one of [conversion, opened, again]) await one.restoreAll();
  });

  it("does nothing where the sizes are what they were, and refuses what a layer cannot have", async () => {
    const conversion = convert(model);
    expect(String(await conversion.resize("c2", {}))).toContain("already has K = 16, V = 9");
    expect(conversion.states.length).toBe(1);
    await expect(conversion.resize("c2", { subvectorLength: 10 })).rejects.toThrow(
      "resize: subvectorLength (V) of c2 must divide its input length 72 and be a multiple of its 9 filter positions (got 10)",
    );
    await expect(conversion.resize("c2", { numCentroids: 257 })).rejects.toThrow(/from 2 to 256 \(got 257\)/);
    expect(() => conversion.resize("bn1", {})).toThrow(LutnnError);
    expect(conversion.states.length).toBe(1);
  });

  it("offers just the lengths that it takes", async () => {
    const input = tf.input({ shape: [1024] });
    const hidden = tf.layers.dense({ units: 512, name: "hidden" }).apply(input);
    const wide = tf.model({
      inputs: input,
      outputs: tf.layers.dense({ units: 3, name: "end" }).apply(hidden) as tf.SymbolicTensor,
    });
    for (const codes of ["int8", "float32"] as const) {
      const profile = { ...profiles.plus, codes };
      const conversion = convert(wide, { layers: ["hidden"], profile, task: "regression" });
      const { subvectorLengths, numCentroids } = row(conversion, "hidden").choices;
      expect(subvectorLengths).toEqual(
        [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024].filter((v) => codes === "float32" || v <= 256),
      );
      for (let length = 1; length <= 1024; length++) {
        const resizing = conversion.resize("hidden", { subvectorLength: length });
        if (subvectorLengths.includes(length)) await resizing;
        else await expect(resizing).rejects.toThrow(LutnnError);
      }
      for (const count of numCentroids) await conversion.resize("hidden", { numCentroids: count });
    }
    wide.dispose();
  });
});

describe("applyPlan", () => {
  it("makes one state of a plan's layers with its K and V, the same as convert with these options", async () => {
    const conversion = convert(model);
    await conversion.calibrate(train);
    await conversion.replaceAll();
    await conversion.fineTune(train, { epochs: 1 });
    const before = conversion.states.length;
    await conversion.applyPlan({ c3: { numCentroids: 8, subvectorLength: 18 }, c2: null }, train);
    expect(conversion.states.length).toBe(before + 1);
    const direct = convert(model, {
      layers: ["c3"],
      numCentroids: { c3: 8 },
      subvectorLength: { c3: 18 },
    });
    await direct.calibrate(train);
    await direct.replaceAll();
    expect(outputs(conversion)).toEqual(outputs(direct));
    expect(conversion.state.tuned).toBe(false);
    await expect(conversion.applyPlan({ bn1: null }, train)).rejects.toThrow(/has no layer "bn1"/);
    await conversion.applyPlan({}, train);
    expect(conversion.model).toBe(conversion.original);
    await direct.restoreAll();
  });
});
