// A training that was stopped can be done again: its code says after how many steps, not when.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Conversion, convert, type FineTuneOptions, fit as fitNetwork, LutnnError, tf } from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyData, tinyNetwork } from "../network";

const root = mkdtempSync(join(tmpdir(), "lutnn-stopped-"));
afterAll(() => rmSync(root, { recursive: true }));
const train = tinyData(60);
const options = { epochs: 4, batchSize: 16, learningRate: 0.01 }; // 4 steps an epoch
const model = tinyNetwork(1);
let tensors: number;
beforeAll(() => {
  tensors = tf.memory().numTensors;
});

async function replaced(): Promise<Conversion> {
  const conversion = convert(model, { layers: ["c2", "c3"] });
  await conversion.calibrate(train, { method: "kmeans" });
  await conversion.replaceAll();
  return conversion;
}

const weights = (network: tf.LayersModel) =>
  network.weights.map((weight) => Array.from(weight.read().dataSync()));

/** The training, stopped while the `nth` batch of `which` is made, and the options by which its state's code does it again. */
async function stopped(nth: number, which: "train" | "validation", more: Partial<FineTuneOptions> = {}) {
  const conversion = await replaced();
  let last: { label: string; stopAfter: unknown } | null = null;
  const end = conversion.onChange((change) => {
    if (change.kind !== "state") return;
    const [, given] = change.entry.made?.args ?? [];
    last = { label: change.entry.label, stopAfter: Reflect.get(Object(given), "stopAfter") };
  });
  const controller = new AbortController();
  let batches = 0;
  const counted = train.map((inputs) => {
    if (++batches === nth) controller.abort(new Error("enough"));
    return inputs;
  });
  const given: FineTuneOptions = {
    ...options,
    validation: which === "validation" ? counted : train,
    ...more,
    signal: controller.signal,
  };
  await expect(conversion.fineTune(which === "train" ? counted : train, given)).rejects.toThrow("enough");
  end();
  expect(last).toEqual({ label: "fine-tune, stopped", stopAfter: expect.any(Number) });
  return { conversion, stopAfter: Number(Reflect.get(Object(last), "stopAfter")) };
}

describe("a training that was stopped", () => {
  it.each([
    ["in the middle of an epoch", "train", 7, {}],
    ["while its first epoch is validated", "validation", 1, {}],
    [
      "while the last epoch is validated, before the best weights are put back",
      "validation",
      4,
      { epochs: 4, earlyStopping: { patience: 3, minimumGain: 1000 } },
    ],
  ] as const)("%s is done again to the same bits by its steps", async (_, which, nth, more) => {
    const { conversion, stopAfter } = await stopped(nth, which, more);
    expect(stopAfter).toBeGreaterThan(0);
    if (which === "validation") expect(stopAfter).toBe(4 * nth);
    const wanted = weights(conversion.model);
    await conversion.restoreAll();
    const again = await replaced();
    const before = weights(again.model);
    const history = await again.fineTune(train, { ...options, validation: train, ...more, stopAfter });
    expect(weights(again.model)).toEqual(wanted);
    expect(weights(again.model)).not.toEqual(before);
    expect(history.outcome.stoppedAfter).toBe(stopAfter);
    expect(history.epochs).toHaveLength(Math.ceil(stopAfter / 4) - 1);
    expect(history.summary()).toContain(`stopped after ${stopAfter} steps`);
    expect(() => history.toTable()).not.toThrow();
    await again.restoreAll();
  });

  it("before its first step leaves no state", async () => {
    const conversion = await replaced();
    const states = conversion.states.length;
    const before = weights(conversion.model);
    const controller = new AbortController();
    const checked = Object.assign(Object.create(train), {
      checkValues: async () => {
        controller.abort(new Error("at once"));
        throw controller.signal.reason;
      },
    }) as typeof train;
    await expect(conversion.fineTune(checked, { ...options, signal: controller.signal })).rejects.toThrow(
      "at once",
    );
    expect(conversion.states.length).toBe(states);
    expect(weights(conversion.model)).toEqual(before);
    await conversion.restoreAll();
  });

  it("goes on from its checkpoint as if it had never been, also where it was to be stopped", async () => {
    const whole = await replaced();
    await whole.fineTune(train, options);
    const wanted = weights(whole.model);
    await whole.restoreAll();
    const checkpoint = join(root, "run");
    for (const stopAfter of [3, 6, undefined]) {
      const conversion = await replaced();
      await conversion.fineTune(train, { ...options, checkpoint, stopAfter });
      if (stopAfter === undefined) expect(weights(conversion.model)).toEqual(wanted);
      else expect(weights(conversion.model)).not.toEqual(wanted);
      await conversion.restoreAll();
    }
    const late = await replaced();
    await expect(late.fineTune(train, { ...options, checkpoint, stopAfter: 5 })).rejects.toThrow(
      "stopAfter must not lie before the saved run (got 5, the checkpoint is of step 16)",
    );
    await late.restoreAll();
  });

  it("ends where it is told to in fit, too, and only at a whole step", async () => {
    const network = tinyNetwork(2);
    const history = await fitNetwork(network, train, { epochs: 3, batchSize: 16, stopAfter: 1 });
    expect(history.outcome.stoppedAfter).toBe(1);
    for (const stopAfter of [0, 1.5, -1])
      await expect(fitNetwork(network, train, { epochs: 3, stopAfter })).rejects.toThrow(LutnnError);
    network.dispose();
  });

  it("leaves no tensor", () => {
    expect(tf.memory().numTensors).toBe(tensors);
  });
});
