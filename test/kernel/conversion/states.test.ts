import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Conversion, convert, LutnnError, openConversion, tf } from "lutnn";
import { beforeAll, describe, expect, it } from "vitest";
import { tinyData, tinyNetwork } from "../network";

const train = tinyData(120);
const test = tinyData(30, 1);
const folder = () => join(mkdtempSync(join(tmpdir(), "lutnn-states-")), "work");

const outputs = (network: tf.LayersModel): Float32Array =>
  tf.tidy(() =>
    Float32Array.from((network.predict(tf.tensor4d(test.images, [30, 6, 6, 2])) as tf.Tensor).dataSync()),
  );

let model: tf.LayersModel;
beforeAll(() => {
  model = tinyNetwork(3);
});

async function converted(
  method: "kmeans" | "leastSquares" | "maddness" = "leastSquares",
): Promise<Conversion> {
  const conversion = convert(model);
  await conversion.calibrate(train, { method });
  await conversion.replaceAll();
  return conversion;
}

describe("the states of a conversion", () => {
  it("come back bit for bit by undo and redo, a trained one too", async () => {
    const conversion = await converted();
    const untrained = outputs(conversion.model);
    await conversion.fineTune(train, { epochs: 1 });
    const trained = outputs(conversion.model);
    await conversion.restore("c3");
    const partly = outputs(conversion.model);
    expect([...conversion.states].map(({ label }) => label)).toEqual([
      "convert",
      "calibrate by least squares",
      "replace all layers",
      "fine-tune",
      "restore c3",
    ]);
    await conversion.undo();
    expect(outputs(conversion.model)).toEqual(trained);
    await conversion.undo();
    expect(outputs(conversion.model)).toEqual(untrained);
    await conversion.undo();
    expect(outputs(conversion.model)).toEqual(outputs(model));
    for (let i = 0; i < 3; i++) await conversion.redo();
    expect(outputs(conversion.model)).toEqual(partly);
    expect(String(await conversion.redo())).toMatch(/there is no state to go to/);
    await conversion.goTo(3);
    expect(outputs(conversion.model)).toEqual(trained);
    await expect(conversion.goTo(9)).rejects.toThrow(/number from 0 to 4 \(got 9\)/);
    await conversion.restoreAll();
  });

  it("are all kept when the way branches", async () => {
    const conversion = await converted();
    await conversion.undo();
    await conversion.replace("c2");
    const entries = [...conversion.states];
    expect(entries.map(({ parent }) => parent)).toEqual([null, 0, 1, 1]);
    conversion.nameState("only c2");
    expect([...conversion.states][3].label).toBe("only c2");
    await conversion.undo();
    await conversion.redo();
    expect(conversion.states.current).toBe(3);
    await conversion.goTo(2);
    await conversion.undo();
    await conversion.redo();
    expect(conversion.states.current).toBe(2);
    await conversion.restoreAll();
  });

  it("never change once they are made", async () => {
    const conversion = await converted();
    const before = conversion.state;
    const copy = structuredClone(before.layers.c2.calibrations.leastSquares!.arrays.table.values);
    await conversion.fineTune(train, { epochs: 1 });
    await conversion.calibrate(train, { method: "kmeans" });
    expect(before.layers.c2.calibrations.leastSquares!.arrays.table.values).toEqual(copy);
    expect(before.layers.c2.calibrations.leastSquares!.trained).toBeUndefined();
    expect(before.layers.c2.calibrations.kmeans).toBeUndefined();
    await conversion.restoreAll();
  });

  it("are compared layer by layer", async () => {
    const conversion = await converted("kmeans");
    await conversion.fineTune(train, { epochs: 1 });
    await conversion.restore("hidden");
    const same = conversion.compare(2, 2);
    expect(same.equal).toBe(true);
    const { rows, equal } = conversion.compare(2, 4);
    expect(equal).toBe(false);
    const row = (layer: string) => rows.find((one) => one.layer === layer);
    expect(row("c2")).toMatchObject({ before: "k-means", after: "k-means, trained" });
    expect(row("c2")!.change).toBeGreaterThan(0);
    expect(row("hidden")).toEqual({ layer: "hidden", before: "k-means", after: "dense", change: null });
    expect(row("logits")).toMatchObject({ before: "dense", after: "dense, changed" });
    await conversion.restoreAll();
  });

  it("are told to listeners, with the commands that wait", async () => {
    const conversion = convert(model);
    const heard: string[] = [];
    const stop = conversion.onChange((change) => {
      heard.push(
        change.kind === "state" ? change.entry.label : conversion.pending.map((one) => one.state).join(),
      );
    });
    const running = conversion.calibrate(train, { method: "kmeans" });
    const waiting = conversion.replace("c2");
    await running;
    await waiting;
    stop();
    await conversion.restoreAll();
    expect(heard).toContain("running,waiting");
    expect(heard.filter((one) => /calibrate|replace|restore/.test(one))).toEqual([
      "calibrate by k-means",
      "replace c2",
    ]);
  });
});

describe("commands", () => {
  it("wait for one another in order", async () => {
    const conversion = convert(model);
    const said = await Promise.all([
      conversion.calibrate(train, { method: "kmeans" }),
      conversion.replace("c2"),
      conversion.replace("c2"),
      conversion.restore("c3"),
      conversion.restoreAll(),
      conversion.restoreAll(),
    ]);
    expect(said.slice(1).map(String)).toEqual([
      "replaced c2; 1 of 4 layers replaced",
      "c2 already replaced; 1 of 4 layers replaced",
      "c3 already dense",
      "restored c2; 0 of 4 layers replaced",
      "every layer already dense",
    ]);
  });

  it("can be taken back while they wait, and stopped while they run, with nothing lost", async () => {
    const conversion = await converted("kmeans");
    const before = outputs(conversion.model);
    const training = conversion.fineTune(train, { epochs: 10_000 });
    const waiting = conversion.restoreAll();
    const settled = Promise.allSettled([training, waiting]);
    while (conversion.pending[0]?.state !== "running") await new Promise(setImmediate);
    conversion.pending[1].cancel();
    conversion.pending[0].cancel();
    const results = await settled;
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(LutnnError);
    expect([...conversion.layers].every(({ state }) => state === "replaced")).toBe(true);
    await conversion.goTo(2);
    expect(outputs(conversion.model)).toEqual(before);
    await conversion.restoreAll();
  });

  it("that fail leave the network as it was and let the next one run", async () => {
    const conversion = await converted("kmeans");
    const before = outputs(conversion.model);
    await expect(conversion.fineTune(train, { epochs: 1, learningRate: 1e12 })).rejects.toThrow(LutnnError);
    expect(outputs(conversion.model)).toEqual(before);
    expect(String(await conversion.restore("c2"))).toMatch(/restored c2/);
    await conversion.restoreAll();
  });
});

describe("a stored conversion", () => {
  it.each(["kmeans", "leastSquares", "maddness"] as const)(
    "by %s opens equal, with every state, and goes on",
    async (method) => {
      const conversion = await converted(method);
      await conversion.restore("c3");
      if (method !== "maddness") await conversion.fineTune(train, { epochs: 1 });
      const place = folder();
      expect(String(await conversion.store(place))).toMatch(/^stored .*: \d states, \d+ arrays/);
      const opened = await openConversion(place);
      expect(outputs(opened.model)).toEqual(outputs(conversion.model));
      expect(outputs(opened.original)).toEqual(outputs(model));
      expect([...opened.states].map(({ label }) => label)).toEqual(
        [...conversion.states].map(({ label }) => label),
      );
      expect(opened.layers.rows).toEqual(conversion.layers.rows);
      await opened.replace("c3");
      await conversion.replace("c3");
      expect(outputs(opened.model)).toEqual(outputs(conversion.model));
      await opened.goTo(2);
      await conversion.goTo(2);
      expect(outputs(opened.model)).toEqual(outputs(conversion.model));
      await opened.restoreAll();
      expect(outputs(opened.model)).toEqual(outputs(model));
      await conversion.restoreAll();
    },
  );

  it("opens with every activation that can be exported", async () => {
    const names = [
      "gelu",
      "gelu_new",
      "mish",
      "swish",
      "relu6",
      "hardSigmoid",
      "logSoftmax",
      "selu",
      "softsign",
    ];
    const dense = (activation: string) =>
      tf.layers.dense({ units: 4, activation: activation as "relu", name: `by_${activation}` });
    const network = tf.sequential({
      layers: [
        tf.layers.inputLayer({ inputShape: [4] }),
        ...names.map(dense),
        tf.layers.dense({ units: 2, name: "end" }),
      ],
    });
    const place = folder();
    await convert(network, { layers: names.map((name) => `by_${name}`), task: "regression" }).store(place);
    const { original } = await openConversion(place, { task: "regression" });
    const x = tf.tensor2d([[1, -2, 0.5, 3]]);
    const [got, wanted] = [original, network].map((one) => [...(one.predict(x) as tf.Tensor).dataSync()]);
    expect(got).toEqual(wanted);
    tf.dispose(x);
  });

  it("is refused in a sentence when it is damaged, cut off or of something else", async () => {
    const conversion = await converted("kmeans");
    const place = folder();
    await conversion.store(place);
    await conversion.restoreAll();
    const manifest = join(place, "conversion.json");
    const text = readFileSync(manifest, "utf8");
    const arrays = join(place, "arrays");
    const [name] = readdirSync(arrays);
    const bytes = readFileSync(join(arrays, name));
    const damaged = Buffer.from(bytes);
    damaged[damaged.length - 1] ^= 1;
    for (const [file, content, message] of [
      [manifest, text.slice(0, -10), /must be JSON/],
      [manifest, "{}", /must describe a stored conversion/],
      [manifest, text.replace('"current":2', '"current":9'), /states must follow one another/],
      [join(arrays, name), damaged, /must hold what its name says/],
      [join(arrays, name), bytes.subarray(0, 10), /must be a stored array/],
    ] as const) {
      const kept = readFileSync(file);
      writeFileSync(file, content);
      await expect(openConversion(place)).rejects.toThrow(LutnnError);
      await expect(openConversion(place)).rejects.toThrow(message);
      writeFileSync(file, kept);
    }
    expect(outputs((await openConversion(place)).original)).toEqual(outputs(model));
    await expect(openConversion(join(place, "none"))).rejects.toThrow(/must hold a stored conversion/);
  });

  it("takes the place of an older one whole, and sweeps its arrays", async () => {
    const conversion = await converted("kmeans");
    const place = folder();
    await conversion.store(place);
    const first = readdirSync(join(place, "arrays"));
    const other = convert(tinyNetwork(5));
    await other.calibrate(train, { method: "kmeans" });
    await other.store(place);
    const second = readdirSync(join(place, "arrays"));
    expect(second.filter((name) => first.includes(name)).length).toBeLessThan(first.length / 2);
    expect(outputs((await openConversion(place)).original)).toEqual(outputs(other.original));
    await conversion.restoreAll();
  });
});
